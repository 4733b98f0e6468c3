// A client in one line.
#pragma once

#include <string>

#include "server/commands/host.h"
#include "server/commands/session.h"

namespace sluice::commands {

// What CLIENT INFO and CLIENT LIST tell of it, without the line's end.
std::string ClientLine(const Session& session, Time now);

}  // namespace sluice::commands
