// The HELP subcommand of every container, from its rows.
#include "server/commands/command_table.h"
#include "server/commands/handlers.h"

namespace sluice::commands {
namespace {

std::string ToUpper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return upper;
}

}  // namespace

void Help(Context& ctx) {
  const std::string_view container = ctx.command.name.substr(0, ctx.command.name.find('|'));
  const Command& row = *FindCommand(container);
  ctx.reply.Array(1 + row.subcommands.size() * 2);
  ctx.reply.Simple(
      errors::Concat({ToUpper(container), " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"}));
  const Command* help = nullptr;
  auto write = [&](const Command& command) {
    const std::string name = ToUpper(command.name.substr(container.size() + 1));
    ctx.reply.Simple(command.syntax.empty() ? name : errors::Concat({name, " ", command.syntax}));
    ctx.reply.Simple(errors::Concat({"    ", &command == help ? "Print this help." : command.summary}));
  };
  for (const Command& command : row.subcommands) {
    if (command.handler == Help) {
      help = &command;
    } else {
      write(command);
    }
  }
  write(*help);
}

}  // namespace sluice::commands
