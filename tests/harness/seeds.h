// How many seeds a simulation runs through.
#pragma once

#include <cstdint>

namespace sluice::tests {

// `full` in a plain build; a tenth of it under a sanitizer, which takes about ten times as long.
constexpr uint64_t Seeds(uint64_t full) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return full / 10;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return full / 10;
#else
  return full;
#endif
#else
  return full;
#endif
}

}  // namespace sluice::tests
