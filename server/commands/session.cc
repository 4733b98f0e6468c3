#include "server/commands/session.h"

#include "server/commands/blocked_call.h"

namespace sluice::commands {

Session::Session(uint64_t session_id) : id(session_id) {}
Session::~Session() = default;

}  // namespace sluice::commands
