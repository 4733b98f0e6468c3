// How the process ends, for whoever supervises it. Zero is a clean stop.
#pragma once

namespace sluice::net {

inline constexpr int kExitStartup =
    1;  // a bad configuration, a store that cannot be opened, an address in use
inline constexpr int kExitLogFailure = 74;  // a write or sync of the log failed (EX_IOERR); recovery decides

}  // namespace sluice::net
