// Judging the whole by a few of its parts.
#pragma once

#include <cstddef>

namespace sluice::engine {

// The sum of measure(part) over all `parts`, judged by the first `samples` of them. O(samples).
template <typename Parts, typename Measure>
size_t EstimateSum(const Parts& parts, size_t samples, Measure&& measure) {
  size_t seen = 0;
  double sum = 0;
  for (auto it = parts.begin(); it != parts.end() && seen < samples; ++it, ++seen)
    sum += static_cast<double>(measure(*it));
  return seen == 0 ? 0
                   : static_cast<size_t>(sum / static_cast<double>(seen) * static_cast<double>(parts.size()));
}

}  // namespace sluice::engine
