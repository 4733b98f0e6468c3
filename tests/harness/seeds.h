// Simulations by seed: how many there are, which is the first to go wrong, and what cannot be measured under
// a sanitizer.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "storage/sanitized.h"

namespace sluice::tests {

using storage::kSanitized;

// `full` in a plain build; a tenth of it under a sanitizer, which takes about ten times as long.
constexpr uint64_t Seeds(uint64_t full) {
  return kSanitized ? full / 10 : full;
}

// Runs `simulate(seed)` for the seeds below `seeds`, until one throws a std::runtime_error: which, and what
// it says.
template <typename Simulate>
std::optional<std::string> FirstWrong(uint64_t seeds, Simulate&& simulate) {
  for (uint64_t seed = 0; seed < seeds; ++seed) {
    try {
      simulate(seed);
    } catch (const std::runtime_error& wrong) {
      return "seed " + std::to_string(seed) + ": " + wrong.what();
    }
  }
  return std::nullopt;
}

}  // namespace sluice::tests
