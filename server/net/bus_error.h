// SIGBUS: a page of a mapped file could not be read.
#pragma once

#include <string>

namespace sluice::net {

// From now on a SIGBUS ends the process with kExitLogFailure and one line, on standard error and in `logfile`
// (if it has a name), that says which file could not be read and where. A disk that has failed, or a file
// that somebody made shorter: there is nothing to go on with.
void ExplainBusErrors(const std::string& logfile);

}  // namespace sluice::net
