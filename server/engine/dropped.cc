#include "server/engine/dropped.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

namespace sluice::engine {
namespace {

// Gives the pages of a long string back from its end: it is worth nothing any more, and one munmap() of all
// of it takes milliseconds.
bool FreeSome(std::string& value, size_t& pieces) {
  constexpr size_t kPage = 4096;
  constexpr size_t kStep = 256 * 1024;
  constexpr size_t kPiecesOfStep = 64;
  for (; value.size() > kStep; pieces -= std::min(pieces, kPiecesOfStep)) {
    if (pieces == 0) return true;
    const auto begin = reinterpret_cast<uintptr_t>(value.data() + value.size() - kStep);
    const auto end = reinterpret_cast<uintptr_t>(value.data() + value.size());
    const uintptr_t first = (begin + kPage - 1) / kPage * kPage;
    const uintptr_t last = end / kPage * kPage;
    if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
    value.resize(value.size() - kStep);
  }
  return false;
}

template <typename T>
bool FreeSome(std::unique_ptr<T>& owned, size_t& pieces) {
  return owned != nullptr && owned->FreeSome(pieces);
}

bool FreeSome(Object& object, size_t& pieces) {
  return std::visit([&pieces](auto& value) { return FreeSome(value, pieces); }, object.value);
}

bool FreeSome(Keyspace::Remains& remains, size_t& pieces) {
  return remains.FreeSome(pieces);
}

}  // namespace

bool FreeSome(Dropped& dropped, size_t& pieces) {
  return std::visit([&pieces](auto& one) { return FreeSome(one, pieces); }, dropped);
}

}  // namespace sluice::engine
