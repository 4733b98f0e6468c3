// What is said, and remembered, where somebody may not.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "server/commands/acl_log.h"
#include "server/commands/acl_selector.h"
#include "server/commands/command.h"
#include "server/commands/host.h"
#include "server/commands/session.h"

namespace sluice::commands::acl {

// The error replies: of a request, and of one that EXEC finds no longer allowed.
std::string NoPermission(Denied denied, const Command& command);
std::string RulesChanged(Denied denied);
// What ACL DRYRUN answers.
std::string WouldBeDenied(const Verdict& verdict, const Command& command,
                          std::span<const std::string_view> args);

// For ACL LOG. `in_exec`: EXEC found it, not the request itself.
void Remember(Log& log, const Session& session, const Command& command,
              std::span<const std::string_view> args, const Verdict& verdict, bool in_exec, Time now);
// `command`: AUTH or HELLO, as the client wrote it.
void RememberWrongPassword(Log& log, const Session& session, std::string_view command, std::string_view user,
                           Time now);

}  // namespace sluice::commands::acl
