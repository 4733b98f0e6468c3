// Hints to the processor's cache.
#pragma once

#include <cstddef>

namespace sluice::storage {

// The line at `at` will soon be read. Any address will do.
inline void Prefetch(const void* at) {
  __builtin_prefetch(at);
  // A function that does nothing but this counts as one without effect, and calls of it are optimized away.
  asm volatile("" : : "r"(at));
}

// All lines of the `bytes` (at least one) from `begin` on.
inline void Prefetch(const void* begin, size_t bytes) {
  constexpr size_t kLine = 64;
  const char* const first = static_cast<const char*>(begin);
  for (size_t at = 0; at < bytes - 1; at += kLine) Prefetch(first + at);
  Prefetch(first + bytes - 1);
}

}  // namespace sluice::storage
