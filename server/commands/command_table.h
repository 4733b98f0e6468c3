// All commands.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/request.h"
#include "server/commands/command.h"

namespace sluice::commands {

// The rows, by name. Lives as long as the program.
std::span<const Command> CommandTable();

// The top-level command of that name, in any case; nullptr: there is none.
const Command* FindCommand(std::string_view name);
// The same, a container's subcommand by "container|subcommand" included.
const Command* FindCommandByFullName(std::string_view name);
// A container's subcommand, in any case.
const Command* FindSubcommand(const Command& container, std::string_view name);

// Whether so many arguments are right for the row.
constexpr bool AritySuits(const Command& command, size_t argc) {
  return command.arity >= 0 ? argc == static_cast<size_t>(command.arity)
                            : argc >= static_cast<size_t>(-command.arity);
}

// Where a request's keys stand among its arguments.
std::vector<size_t> KeyPositions(const Command& command, std::span<const std::string_view> args);

// Flags and ACL categories as COMMAND shows them: "write", "@write".
std::vector<std::string_view> FlagNames(const Command& command);
std::vector<std::string_view> CategoryNames(const Command& command);
std::string_view GroupName(Group group);

}  // namespace sluice::commands
