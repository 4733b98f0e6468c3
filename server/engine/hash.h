// The hash of the engine's tables.
#pragma once

#include <cstdint>
#include <string_view>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace sluice::engine {

// `seed` is drawn once a process, so that nobody outside can prepare keys that collide. It is no state:
// nothing that is recorded or iterated depends on it.
inline uint64_t HashBytes(std::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace sluice::engine
