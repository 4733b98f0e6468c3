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
    if (written_ && now_ms - last_ms_ < interval_ms_) {
      ++suppressed_;
      return false;
    }
    written_ = true;
    last_ms_ = now_ms;
    return true;
  }

  // How many lines were refused since the last call.
  uint64_t TakeSuppressed() {
    const uint64_t count = suppressed_;
    suppressed_ = 0;
    return count;
  }

 private:
  uint64_t interval_ms_;
  uint64_t last_ms_ = 0;
  uint64_t suppressed_ = 0;
  bool written_ = false;
};

}  // namespace sluice::net
