#include "server/commands/memory_gauge.h"

#include <malloc.h>

#include <cstdio>
#include <string_view>

namespace sluice::commands {

uint64_t AllocatedBytes() {
  const struct mallinfo2 heap = mallinfo2();
  const uint64_t bytes = heap.uordblks + heap.hblkhd;
  // Another allocator (a sanitizer's, a preloaded one) tells the C library next to nothing.
  constexpr uint64_t kImplausible = 64 * 1024;
  return bytes > kImplausible ? bytes : ProcessBytes("RssAnon");
}

uint64_t ProcessBytes(const char* name) {
  std::FILE* file = std::fopen("/proc/self/status", "r");
  if (file == nullptr) return 0;
  char line[256];
  unsigned long long kilobytes = 0;
  while (std::fgets(line, sizeof line, file) != nullptr) {
    const std::string_view text(line);
    if (text.starts_with(name) &&
        std::sscanf(line + std::string_view(name).size(), ": %llu", &kilobytes) == 1)
      break;
  }
  std::fclose(file);
  return kilobytes * 1024;
}

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
