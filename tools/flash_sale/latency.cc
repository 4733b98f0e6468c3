#include "tools/flash_sale/latency.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sluice::flash_sale {

// Below 32 ns a step is a nanosecond. From there on the highest bit says which row of 32 steps, and the five
// bits behind it say which of them.
size_t Latencies::StepOf(uint64_t ns) {
  if (ns < kPart) return static_cast<size_t>(ns);
  const auto shift = static_cast<unsigned>(std::bit_width(ns)) - kBits - 1;
  return (shift + 1) * kPart + static_cast<size_t>((ns >> shift) & (kPart - 1));
}

double Latencies::TopOf(size_t step) {
  if (step < kPart) return static_cast<double>(step);
  const auto shift = static_cast<int>(step / kPart) - 1;
  return std::ldexp(static_cast<double>(kPart + step % kPart + 1), shift);
}

void Latencies::Add(const Latencies& other) {
  for (size_t i = 0; i < kSteps; ++i) {
    if (const uint64_t n = other.steps_[i].value(); n != 0) steps_[i].Add(n);
  }
}

uint64_t Latencies::count() const {
  uint64_t sum = 0;
  for (const Counter& step : steps_) sum += step.value();
  return sum;
}

double Latencies::Percentile(double share) const {
  const uint64_t all = count();
  if (all == 0) return 0;
  const auto wanted =
      std::max<uint64_t>(1, static_cast<uint64_t>(std::ceil(share * static_cast<double>(all))));
  uint64_t seen = 0;
  for (size_t i = 0; i < kSteps; ++i) {
    seen += steps_[i].value();
    if (seen >= wanted) return TopOf(i) / 1e6;
  }
  return TopOf(kSteps - 1) / 1e6;
}

}  // namespace sluice::flash_sale
