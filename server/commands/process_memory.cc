#include "server/commands/process_memory.h"

#include <malloc.h>

#include <cstdio>

namespace sluice::commands {

uint64_t AllocatedBytes() {
  const struct mallinfo2 heap = mallinfo2();
  const uint64_t bytes = heap.uordblks + heap.hblkhd;
  // Another allocator (a sanitizer's, a preloaded one) tells the C library next to nothing.
  constexpr uint64_t kImplausible = 64 * 1024;
  return bytes > kImplausible ? bytes : ProcessBytes("RssAnon");
}

uint64_t ProcessBytes(std::string_view name) {
  std::FILE* file = std::fopen("/proc/self/status", "r");
  if (file == nullptr) return 0;
  char line[256];
  unsigned long long kilobytes = 0;
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (std::string_view(line).starts_with(name) &&
        std::sscanf(line + name.size(), ": %llu", &kilobytes) == 1)
      break;
  }
  std::fclose(file);
  return kilobytes * 1024;
}

ProcessMemory ReadProcessMemory() {
  const struct mallinfo2 heap = mallinfo2();
  return {.allocated = AllocatedBytes(),
          .obtained = heap.arena + heap.hblkhd,
          .resident = ProcessBytes("VmRSS"),
          .anonymous = ProcessBytes("RssAnon"),
          .peak = ProcessBytes("VmHWM")};
}

}  // namespace sluice::commands
