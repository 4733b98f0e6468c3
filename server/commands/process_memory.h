// How much memory the process has.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::commands {

// In bytes.
struct ProcessMemory {
  uint64_t allocated = 0;  // by malloc, in use
  uint64_t obtained = 0;   // by malloc from the system, free or in use
  uint64_t resident = 0;
  uint64_t anonymous = 0;  // resident, without files that are mapped
  uint64_t peak = 0;       // the most that was ever resident
};

// Reads /proc; what cannot be read is 0. Walks the allocator's free lists: not for every command.
ProcessMemory ReadProcessMemory();

// ProcessMemory::allocated alone, as dear as the whole.
uint64_t AllocatedBytes();
// A "<name>: <n> kB" line of /proc/self/status (VmRSS, RssAnon, VmHWM), in bytes; 0 where there is none.
uint64_t ProcessBytes(std::string_view name);

}  // namespace sluice::commands
