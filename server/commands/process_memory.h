// How much memory the process has.
#pragma once

#include <cstdint>

namespace sluice::commands {

// In bytes.
struct ProcessMemory {
  uint64_t allocated = 0;  // by malloc, in use
  uint64_t resident = 0;
  uint64_t anonymous = 0;  // resident, without files that are mapped
  uint64_t peak = 0;       // the most that was ever resident
};

// Reads /proc; what cannot be read is 0.
ProcessMemory ReadProcessMemory();

}  // namespace sluice::commands
