// How many seeds a simulation runs through, and what cannot be measured under a sanitizer.
#pragma once

#include <cstdint>

namespace sluice::tests {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
inline constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool kSanitized = false;
#endif

// `full` in a plain build; a tenth of it under a sanitizer, which takes about ten times as long.
constexpr uint64_t Seeds(uint64_t full) {
  return kSanitized ? full / 10 : full;
}

}  // namespace sluice::tests
