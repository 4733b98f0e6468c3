// Finding out that a peer's machine is gone.
#pragma once

#include <cstdint>

namespace sluice::net {

// Has the kernel ask the peer of the TCP socket `fd` whether it lives after `seconds` (> 0) of silence, then
// three times in as long again, as Redis does; then the connection ends with an error.
void KeepAlive(int fd, uint64_t seconds);

}  // namespace sluice::net
