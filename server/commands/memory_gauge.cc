#include "server/commands/memory_gauge.h"

#include "server/commands/process_memory.h"

namespace sluice::commands {

bool MemoryGauge::IsOver(uint64_t limit, uint64_t monotonic_ms) {
  constexpr uint64_t kPauseMs = 100;
  constexpr uint64_t kLongPauseMs = 1000;
  if (limit == 0) return false;
  if (limit == limit_ && monotonic_ms < next_look_ms_) return over_;
  limit_ = limit;
  const bool may_be_over = ProcessBytes("RssAnon") > limit;
  over_ = may_be_over && AllocatedBytes() > limit;
  next_look_ms_ = monotonic_ms + (may_be_over ? kLongPauseMs : kPauseMs);
  return over_;
}

}  // namespace sluice::commands
