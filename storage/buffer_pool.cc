#include "storage/buffer_pool.h"

#include <mutex>
#include <utility>
#include <vector>

#include "storage/buffer.h"
#include "storage/pages.h"

namespace sluice::storage {

// Where buffers wait.
struct BufferPool::Shelf {
  Shelf(uint64_t buffer_bytes, size_t most_buffers) : bytes(buffer_bytes), most(most_buffers) {
    waiting.reserve(most);
  }

  const uint64_t bytes;
  const size_t most;
  std::mutex mutex;
  std::vector<std::shared_ptr<char>> waiting;
  size_t made = 0;
  std::shared_ptr<char> cold;  // one that is lent, and that Take() made

  // `buffer` for a user, with whose last copy it comes back.
  static std::shared_ptr<char> Lend(const std::shared_ptr<Shelf>& shelf, std::shared_ptr<char> buffer) {
    char* memory = buffer.get();
    return std::shared_ptr<char>(
        memory, [shelf, owned = std::move(buffer)](char*) mutable { shelf->GiveBack(std::move(owned)); });
  }

  void GiveBack(std::shared_ptr<char> buffer) {
    const std::lock_guard lock(mutex);
    if (made <= most) {
      waiting.push_back(std::move(buffer));
    } else {
      --made;  // and `buffer` goes to the system
    }
  }
};

BufferPool::BufferPool(uint64_t bytes, size_t most) : shelf_(std::make_shared<Shelf>(bytes, most)) {}

Result<std::shared_ptr<char>> BufferPool::Take(uint64_t bytes) {
  if (bytes > shelf_->bytes) return AllocateBuffer(bytes);
  {
    const std::lock_guard lock(shelf_->mutex);
    if (!shelf_->waiting.empty()) {
      auto buffer = std::move(shelf_->waiting.back());
      shelf_->waiting.pop_back();
      return Shelf::Lend(shelf_, std::move(buffer));
    }
    ++shelf_->made;
  }
  auto buffer = AllocateBuffer(shelf_->bytes);
  const std::lock_guard lock(shelf_->mutex);
  if (!buffer) {
    --shelf_->made;
    return buffer;
  }
  shelf_->cold = *buffer;
  return Shelf::Lend(shelf_, std::move(*buffer));
}

void BufferPool::Warm() {
  std::shared_ptr<char> cold;
  {
    const std::lock_guard lock(shelf_->mutex);
    cold.swap(shelf_->cold);
  }
  if (cold) PopulatePages(cold.get(), shelf_->bytes);
  {
    const std::lock_guard lock(shelf_->mutex);
    if (!shelf_->waiting.empty() || shelf_->made >= shelf_->most) return;
    ++shelf_->made;
  }
  auto buffer = AllocateBuffer(shelf_->bytes);
  if (buffer) {
    PopulatePages(buffer->get(), shelf_->bytes);
    return shelf_->GiveBack(std::move(*buffer));
  }
  const std::lock_guard lock(shelf_->mutex);
  --shelf_->made;
}

size_t BufferPool::made() const {
  const std::lock_guard lock(shelf_->mutex);
  return shelf_->made;
}

}  // namespace sluice::storage
