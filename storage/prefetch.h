// A hint to the processor's cache.
#pragma once

namespace sluice::storage {

// The line at `at` will soon be read. Any address will do.
inline void Prefetch(const void* at) {
  __builtin_prefetch(at);
  // A function that does nothing but this counts as one without effect, and calls of it are optimized away.
  asm volatile("" : : "r"(at));
}

}  // namespace sluice::storage
