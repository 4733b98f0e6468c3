#include "server/commands/acl_denial.h"

#include "server/commands/acl_user.h"
#include "server/commands/client_line.h"
#include "server/commands/errors.h"

namespace sluice::commands::acl {
namespace {

std::string_view ReasonOf(Denied denied) {
  switch (denied) {
    case Denied::kCommand:
      return "command";
    case Denied::kKey:
      return "key";
    case Denied::kChannel:
      return "channel";
    case Denied::kNothing:
      break;
  }
  return "";
}

std::string_view ObjectOf(const Verdict& verdict, const Command& command,
                          std::span<const std::string_view> args) {
  return verdict.denied == Denied::kCommand ? command.name : args[verdict.at];
}

}  // namespace

std::string NoPermission(Denied denied, const Command& command) {
  if (denied == Denied::kCommand) {
    return errors::Concat({"-NOPERM this user has no permissions to run the '", command.name, "' command"});
  }
  return errors::Concat({"-NOPERM this user has no permissions to access one of the ", ReasonOf(denied),
                         "s used as arguments"});
}

std::string RulesChanged(Denied denied) {
  const std::string_view reason =
      denied == Denied::kCommand ? "no permission to execute the command or subcommand"
      : denied == Denied::kKey   ? "no permission to touch the specified keys"
                                 : "no permission to access one of the channels used as arguments";
  return errors::Concat(
      {"-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. "
       "This "
       "command is no longer allowed for the following reason: ",
       reason});
}

std::string WouldBeDenied(const Verdict& verdict, const Command& command,
                          std::span<const std::string_view> args) {
  const std::string_view object = ObjectOf(verdict, command, args);
  if (verdict.denied == Denied::kCommand) {
    return errors::Concat({"This user has no permissions to run the '", object, "' command"});
  }
  return errors::Concat(
      {"This user has no permissions to access the '", object, "' ", ReasonOf(verdict.denied)});
}

void Remember(Log& log, const Session& session, const Command& command,
              std::span<const std::string_view> args, const Verdict& verdict, bool in_exec, Time now) {
  log.Add({.reason = ReasonOf(verdict.denied),
           .context = in_exec || session.transaction ? "multi" : "toplevel",
           .object = std::string(ObjectOf(verdict, command, args)),
           .user = session.user->name(),
           .client = ClientLine(session, now)},
          now.unix_ms());
}

void RememberWrongPassword(Log& log, const Session& session, std::string_view command, std::string_view user,
                           Time now) {
  log.Add({.reason = "auth",
           .context = session.transaction ? "multi" : "toplevel",
           .object = std::string(command),
           .user = std::string(user),
           .client = ClientLine(session, now)},
          now.unix_ms());
}

}  // namespace sluice::commands::acl
