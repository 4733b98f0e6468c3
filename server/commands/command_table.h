// All commands.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "protocol/request.h"
#include "server/commands/command.h"

namespace sluice::commands {

// The rows, by name. Lives as long as the program.
std::span<const Command> CommandTable();

// Visits every row, subcommands included: `visit(command)`.
template <typename Visit>
void ForEachCommand(Visit&& visit) {
  for (const Command& command : CommandTable()) {
    visit(command);
    for (const Command& subcommand : command.subcommands) visit(subcommand);
  }
}

// No command's name, without its subcommand's, has more bytes.
inline constexpr size_t kLongestCommandName = 32;

// The top-level command of that name, in any case; nullptr: there is none.
const Command* FindCommand(std::string_view name);
// The same, a container's subcommand by "container|subcommand" included.
const Command* FindCommandByFullName(std::string_view name);
// A container's subcommand, in any case.
const Command* FindSubcommand(const Command& container, std::string_view name);

// FindCommand() for requests that come one after the other: nearly always under the name of the one before.
class CommandFinder {
 public:
  const Command* Find(std::string_view name) {
    if (name == std::string_view(name_.data(), size_)) return command_;
    const Command* found = FindCommand(name);
    if (found != nullptr) {
      size_ = name.copy(name_.data(), name_.size());
      command_ = found;
    }
    return found;
  }

 private:
  std::array<char, kLongestCommandName> name_{};  // of the last one that was found, as it was asked for
  size_t size_ = 0;
  const Command* command_ = nullptr;
};

// Whether so many arguments are right for the row.
constexpr bool AritySuits(const Command& command, size_t argc) {
  return command.arity >= 0 ? argc == static_cast<size_t>(command.arity)
                            : argc >= static_cast<size_t>(-command.arity);
}

// How many rows there are with the subcommands: Command::number is below it.
size_t CountOfCommands();

// Visits where a request's keys stand among its arguments: `visit(position)`, or `visit(position, access)`
// where that is wanted too (KeyFlags: what this very request does with the key).
template <typename Visit>
void ForEachKey(const Command& command, std::span<const std::string_view> args, Visit&& visit);
std::vector<size_t> KeyPositions(const Command& command, std::span<const std::string_view> args);

// KeyFlags of `keys` as this very request uses them.
uint16_t AccessOf(const Command& command, const Keys& keys, std::span<const std::string_view> args);

// Flags as COMMAND shows them: "write". (What shows ACL categories is in acl_category.h.)
std::vector<std::string_view> FlagNames(const Command& command);
// KeyFlags likewise: "RW", "access".
std::vector<std::string_view> KeyFlagNames(uint16_t access);
std::string_view GroupName(Group group);

// Where the first of XREAD's or XREADGROUP's keys stands, and how many there are.
std::pair<size_t, size_t> StreamsKeys(std::span<const std::string_view> args);
// How many keys follow the number at `at`; 0 where it is none, or more than there are arguments.
size_t CountedKeys(std::span<const std::string_view> args, size_t at, size_t step);
// Where a row's Keys::kWords are.
std::vector<size_t> KeysBehindWords(const Keys& keys, std::span<const std::string_view> args);

template <typename Visit>
void ForEachKeyOf(const Keys& keys, std::span<const std::string_view> args, Visit&& visit) {
  switch (keys.kind) {
    case Keys::kNone:
      return;
    case Keys::kRange: {
      const int argc = static_cast<int>(args.size());
      const int last = keys.last < 0 ? argc + keys.last : keys.last;
      for (int i = keys.first; i <= last && i < argc; i += keys.step) visit(static_cast<size_t>(i));
      return;
    }
    case Keys::kStreams: {
      const auto [first, count] = StreamsKeys(args);
      for (size_t i = first; i < first + count; ++i) visit(i);
      return;
    }
    case Keys::kCounted: {
      const auto at = static_cast<size_t>(keys.first);
      const auto step = static_cast<size_t>(keys.step);
      const size_t count = CountedKeys(args, at, step);
      for (size_t i = 0; i < count; ++i) visit(at + 1 + i * step);
      return;
    }
    case Keys::kWords:
      for (size_t i : KeysBehindWords(keys, args)) visit(i);
  }
}

template <typename Visit>
void ForEachKey(const Command& command, std::span<const std::string_view> args, Visit&& visit) {
  for (const Keys* keys : {&command.keys, &command.further_keys}) {
    if (keys->kind == Keys::kNone) continue;
    if constexpr (std::is_invocable_v<Visit&, size_t, uint16_t>) {
      const uint16_t access = AccessOf(command, *keys, args);
      ForEachKeyOf(*keys, args, [&](size_t position) { visit(position, access); });
    } else {
      ForEachKeyOf(*keys, args, visit);
    }
  }
}

}  // namespace sluice::commands
