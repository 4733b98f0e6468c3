#include "server/commands/process_memory.h"

#include <malloc.h>

#include <cstdio>
#include <string_view>

namespace sluice::commands {
namespace {

// The bytes of a line "<name>: <n> kB", where `line` is one.
void Take(std::string_view line, std::string_view name, uint64_t& bytes) {
  unsigned long long kilobytes = 0;
  if (!line.starts_with(name)) return;
  if (std::sscanf(line.data() + name.size(), ": %llu", &kilobytes) == 1) bytes = kilobytes * 1024;
}

}  // namespace

ProcessMemory ReadProcessMemory() {
  ProcessMemory memory;
  const struct mallinfo2 heap = mallinfo2();
  memory.allocated = heap.uordblks + heap.hblkhd;
  std::FILE* file = std::fopen("/proc/self/status", "r");
  if (file == nullptr) return memory;
  char line[256];
  while (std::fgets(line, sizeof line, file) != nullptr) {
    Take(line, "VmRSS", memory.resident);
    Take(line, "RssAnon", memory.anonymous);
    Take(line, "VmHWM", memory.peak);
  }
  std::fclose(file);
  return memory;
}

}  // namespace sluice::commands
