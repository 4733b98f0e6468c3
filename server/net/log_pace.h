// Keeps one kind of log line from flooding the log.
#pragma once

#include <cstdint>

namespace sluice::net {

// What clients can cause at will is logged at most once in an interval.
class LogPace {
 public:
  explicit LogPace(uint64_t interval_ms) : interval_ms_(interval_ms) {}

  // True where the line may be written now. `now_ms` is a monotonic clock's.
  bool Allow(uint64_t now_ms) {
    if (written_ && now_ms - last_ms_ < interval_ms_) return false;
    written_ = true;
    last_ms_ = now_ms;
    return true;
  }

 private:
  uint64_t interval_ms_;
  uint64_t last_ms_ = 0;
  bool written_ = false;
};

}  // namespace sluice::net
