#include "server/net/input_buffer.h"

#include <algorithm>
#include <cstring>

namespace sluice::net {

bool InputBuffer::Reserve(size_t bytes) {
  if (begin_ != 0) {
    std::memmove(data_.get(), data_.get() + begin_, size());
    end_ -= begin_;
    begin_ = 0;
  }
  if (bytes <= capacity_) return true;
  // realloc moves large blocks by remapping their pages, so a growing request is not copied each time.
  char* grown = static_cast<char*>(std::realloc(data_.get(), bytes));
  if (grown == nullptr) return false;
  static_cast<void>(data_.release());
  data_.reset(grown);
  capacity_ = bytes;
  return true;
}

bool InputBuffer::Append(std::string_view bytes) {
  if (bytes.empty()) return true;
  if (bytes.size() > capacity_ - end_ && !Reserve(size() + bytes.size())) return false;
  std::memcpy(data_.get() + end_, bytes.data(), bytes.size());
  end_ += bytes.size();
  return true;
}

std::span<char> InputBuffer::Room(size_t whole_bytes) {
  if (capacity_ - end_ < kSmallRoom) {
    const size_t wanted = whole_bytes > size() ? whole_bytes : 2 * size();
    if (!Reserve(std::max(std::min(wanted, 2 * size()), size() + kSmallRoom))) return {};
  }
  return {data_.get() + end_, capacity_ - end_};
}

void InputBuffer::Consume(size_t count) {
  begin_ += count;
  if (!empty()) return;
  data_.reset();
  begin_ = end_ = capacity_ = 0;
}

}  // namespace sluice::net
