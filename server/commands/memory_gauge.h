// How much memory the process uses, looked at seldom enough to cost nothing.
#pragma once

#include <cstdint>

namespace sluice::commands {

class MemoryGauge {
 public:
  // Whether more than `limit` bytes (0: no limit) are allocated. Looks at most ten times a second; what the
  // process holds from the kernel is more than what is allocated, and cheap to ask for: only where that is
  // above the limit are the free lists walked, and then once a second.
  bool IsOver(uint64_t limit, uint64_t monotonic_ms);

 private:
  bool over_ = false;
  uint64_t limit_ = 0;
  uint64_t next_look_ms_ = 0;
};

}  // namespace sluice::commands
