#include "server/engine/object.h"

namespace sluice::engine {

size_t Object::memory_bytes(size_t samples) const {
  const auto on_heap = [](const std::string& text) {
    constexpr size_t kInPlace = 15;  // characters that a string holds without memory of its own
    return text.capacity() > kInPlace ? text.capacity() + 1 : 0;
  };
  // Of an index about two thirds are in use.
  constexpr size_t kIndexBytes = 12;
  const size_t bytes = sizeof *this + 2 * sizeof(uint32_t) + kIndexBytes + on_heap(key);
  switch (type()) {
    case ObjectType::kString:
      return bytes + on_heap(string());
    case ObjectType::kStream:
      return bytes + stream().memory_bytes(samples);
    case ObjectType::kStockItem:
      return bytes + item().memory_bytes();
  }
  return bytes;
}

}  // namespace sluice::engine
