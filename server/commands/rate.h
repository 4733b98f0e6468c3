// How fast a counter grows.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice::commands {

// The mean over the last 16 samples, taken at least a tenth of a second apart.
class Rate {
 public:
  // `now_ms`: monotonic. `total`: what the counter says.
  void Sample(uint64_t now_ms, uint64_t total) {
    constexpr uint64_t kIntervalMs = 100;
    if (last_ms_ != 0 && now_ms - last_ms_ < kIntervalMs) return;
    if (last_ms_ != 0 && total >= last_total_) {
      samples_[next_] = (total - last_total_) * 1000 / (now_ms - last_ms_);
      next_ = (next_ + 1) % samples_.size();
    }
    last_ms_ = now_ms;
    last_total_ = total;
  }
  uint64_t per_second() const {
    uint64_t sum = 0;
    for (const uint64_t sample : samples_) sum += sample;
    return sum / samples_.size();
  }

 private:
  std::array<uint64_t, 16> samples_{};
  size_t next_ = 0;
  uint64_t last_ms_ = 0;
  uint64_t last_total_ = 0;
};

}  // namespace sluice::commands
