// What the families' rows are made of, and the check that each table of them passes at compile time.
//
// A family's rows stand in rows_<family>.cc, sorted by name; command_table.cc makes one table of them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "server/commands/command.h"

namespace sluice::commands {

std::span<const Command> ConnectionRows();
std::span<const Command> GenericRows();
std::span<const Command> PubsubRows();
std::span<const Command> ScriptingRows();
std::span<const Command> SeckillRows();
std::span<const Command> ServerRows();
std::span<const Command> StreamRows();
std::span<const Command> StringRows();

inline constexpr Keys kNoKeys{};
inline constexpr Keys kFirstKey{Keys::kRange, 1, 1, 1};
inline constexpr Keys kSecondArgKey{Keys::kRange, 2, 2, 1};
inline constexpr Keys kAllKeys{Keys::kRange, 1, -1, 1};
inline constexpr Keys kPairKeys{Keys::kRange, 1, -1, 2};
inline constexpr Keys kItemsKeys{Keys::kCounted, 3, 0, 2};
inline constexpr Keys kStreamsKeys{Keys::kStreams, 0, 0, 0};

inline constexpr uint32_t kAlways = kLoading | kStale;  // answers in every state of the server
inline constexpr uint32_t kConnectionFlags = kAlways | kStateless | kNoScript;

// A row that contradicts itself does not compile. (That each one has a function is a test's to say: under a
// sanitizer the compiler does not know a function's address.)
constexpr bool Sound(const Command& command) {
  const bool reads_and_writes = (command.flags & kWrite) != 0 && (command.flags & kReadOnly) != 0;
  const bool stateless_data =
      (command.flags & kStateless) != 0 && (command.flags & (kWrite | kReadOnly)) != 0;
  const bool keyed_data = command.keys.kind == Keys::kNone || command.keys.access != 0 ||
                          (command.flags & (kWrite | kReadOnly)) != 0;
  return !command.name.empty() && !command.summary.empty() && command.arity != 0 && !reads_and_writes &&
         !stateless_data && keyed_data;
}

constexpr bool SoundTable(std::span<const Command> table, std::string_view container) {
  for (size_t i = 0; i < table.size(); ++i) {
    if (!Sound(table[i]) || !SoundTable(table[i].subcommands, table[i].name)) return false;
    if (i != 0 && !(table[i - 1].name < table[i].name)) return false;
    if (container.empty()) continue;
    const std::string_view name = table[i].name;
    if (!name.starts_with(container) || name.substr(container.size(), 1) != "|") return false;
  }
  return true;
}

}  // namespace sluice::commands
