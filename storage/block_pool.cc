#include "storage/block_pool.h"

#include <sys/mman.h>

#include <new>
#include <utility>

#include "storage/check.h"
#include "storage/pages.h"
#include "storage/sanitized.h"

namespace sluice::storage {
namespace {

constexpr size_t kLine = 64;

}  // namespace

struct BlockPool::Chunk {
  // A block that was given back.
  struct Free {
    Free* next;
  };

  Chunk* previous = nullptr;  // of those with room
  Chunk* next = nullptr;
  Free* free = nullptr;
  uint32_t cut = 0;    // blocks that were ever taken
  uint32_t taken = 0;  // now
};

BlockPool::BlockPool(size_t block_bytes)
    : block_bytes_(static_cast<uint32_t>((block_bytes + kLine - 1) / kLine * kLine)),
      blocks_(static_cast<uint32_t>((kHugePageBytes - kLine) / block_bytes_)) {
  static_assert(sizeof(Chunk) <= kLine);
  CHECK(blocks_ > 0);
}

void BlockPool::Link(Chunk* chunk) {
  chunk->previous = nullptr;
  chunk->next = std::exchange(with_room_, chunk);
  if (chunk->next != nullptr) chunk->next->previous = chunk;
}

void BlockPool::Unlink(Chunk* chunk) {
  (chunk->previous == nullptr ? with_room_ : chunk->previous->next) = chunk->next;
  if (chunk->next != nullptr) chunk->next->previous = chunk->previous;
}

void* BlockPool::Take() {
  // A sanitizer sees to each block by itself.
  if constexpr (kSanitized) return ::operator new(block_bytes_);
  const std::lock_guard lock(mutex_);
  if (with_room_ == nullptr) {
    char* memory = MapPages(kHugePageBytes);
    if (memory == nullptr) throw std::bad_alloc();
    if (chunks_ != 0) WishForHugePages(memory, kHugePageBytes);
    Link(new (memory) Chunk);
    ++chunks_;
  }
  Chunk* chunk = with_room_;
  if (++chunk->taken == blocks_) Unlink(chunk);
  if (chunk->free == nullptr) {
    return reinterpret_cast<char*>(chunk) + kLine + static_cast<size_t>(chunk->cut++) * block_bytes_;
  }
  return std::exchange(chunk->free, chunk->free->next);
}

void BlockPool::GiveBack(void* block) {
  if constexpr (kSanitized) return ::operator delete(block);
  const std::lock_guard lock(mutex_);
  const size_t within = reinterpret_cast<uintptr_t>(block) % kHugePageBytes;
  auto* chunk = reinterpret_cast<Chunk*>(static_cast<char*>(block) - within);
  if (chunk->taken == blocks_) Link(chunk);
  if (--chunk->taken == 0 && chunks_ > 1) {
    Unlink(chunk);
    --chunks_;
    munmap(chunk, kHugePageBytes);
    return;
  }
  chunk->free = new (block) Chunk::Free{chunk->free};
}

}  // namespace sluice::storage
