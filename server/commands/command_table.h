// All commands.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
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

// Visits where a request's keys stand among its arguments: `visit(position)`.
template <typename Visit>
void ForEachKey(const Command& command, std::span<const std::string_view> args, Visit&& visit);
std::vector<size_t> KeyPositions(const Command& command, std::span<const std::string_view> args);

// Flags and ACL categories as COMMAND shows them: "write", "@write".
std::vector<std::string_view> FlagNames(const Command& command);
std::vector<std::string_view> CategoryNames(const Command& command);
std::string_view GroupName(Group group);

// Where the first of XREAD's or XREADGROUP's keys stands, and how many there are.
std::pair<size_t, size_t> StreamsKeys(std::span<const std::string_view> args);

// The number that says how many keys follow; 0 where it is none.
size_t KeyCount(std::string_view text);

template <typename Visit>
void ForEachKey(const Command& command, std::span<const std::string_view> args, Visit&& visit) {
  if (command.keys.kind == Keys::kRange) {
    const int argc = static_cast<int>(args.size());
    const int last = command.keys.last < 0 ? argc + command.keys.last : command.keys.last;
    for (int i = command.keys.first; i <= last && i < argc; i += command.keys.step)
      visit(static_cast<size_t>(i));
  } else if (command.keys.kind == Keys::kStreams) {
    const auto [first, count] = StreamsKeys(args);
    for (size_t i = first; i < first + count; ++i) visit(i);
  } else if (command.keys.kind == Keys::kCounted) {
    const auto at = static_cast<size_t>(command.keys.first);
    const size_t count = at < args.size() ? KeyCount(args[at]) : 0;
    const auto step = static_cast<size_t>(command.keys.step);
    for (size_t i = 0; i < count && at + 1 + i * step < args.size(); ++i) visit(at + 1 + i * step);
  }
}

}  // namespace sluice::commands
