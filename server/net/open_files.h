// The kernel's limit on open files, which is a limit on clients.
#pragma once

#include <cstdint>

namespace sluice::net {

// Descriptors that the server needs beside its clients': segments and spares, listeners, the loop's own.
inline constexpr uint64_t kReservedFiles = 128;

// Raises this process's limit, as far as it may, for `clients` connections. Returns how many the limit has
// room for now: `clients`, or fewer.
uint64_t RaiseOpenFiles(uint64_t clients);

}  // namespace sluice::net
