#include "server/commands/command_table.h"

#include <algorithm>
#include <array>
#include <deque>

#include "server/commands/arguments.h"
#include "server/commands/command_rows.h"
#include "storage/check.h"

namespace sluice::commands {
namespace {

struct Table {
  std::vector<Command> rows;
  std::vector<std::vector<Command>> subcommands;  // the rows' spans show these
  size_t count = 0;
};

// Puts the families together and numbers every row.
Table AllRows() {
  Table table;
  std::vector<Command>& rows = table.rows;
  for (std::span<const Command> family : {ConnectionRows(), GenericRows(), PubsubRows(), ScriptingRows(),
                                          SeckillRows(), ServerRows(), StreamRows(), StringRows()}) {
    rows.insert(rows.end(), family.begin(), family.end());
  }
  std::sort(rows.begin(), rows.end(), [](const Command& a, const Command& b) { return a.name < b.name; });
  for (size_t i = 1; i < rows.size(); ++i) CHECK(rows[i - 1].name != rows[i].name);
  const auto number = [&](Command& command) { command.number = static_cast<uint16_t>(table.count++); };
  for (Command& row : rows) {
    number(row);
    if (row.subcommands.empty()) continue;
    std::vector<Command>& subcommands =
        table.subcommands.emplace_back(row.subcommands.begin(), row.subcommands.end());
    for (Command& subcommand : subcommands) number(subcommand);
    row.subcommands = subcommands;
  }
  return table;
}

const Table& TheTable() {
  static const Table table = AllRows();
  return table;
}

// A command's name in lower case, padded with zeros: eight letters a word.
class PlainName {
 public:
  // No longer than kLongestCommandName.
  explicit PlainName(std::string_view name) : used_((name.size() + 7) / 8) {
    name.copy(reinterpret_cast<char*>(words_.data()), name.size());
    for (size_t i = 0; i < used_; ++i) words_[i] = ToLower(words_[i]);
  }

  size_t Hash() const {
    uint64_t hash = 0;
    for (size_t i = 0; i < used_; ++i) {
      hash = (hash ^ words_[i]) * 0x9E3779B97F4A7C15u;
      hash ^= hash >> 32;
    }
    return static_cast<size_t>(hash);
  }
  friend bool operator==(const PlainName& a, const PlainName& b) { return a.words_ == b.words_; }

 private:
  // Eight letters at once: the upper bit of a byte says what it is, and a quarter of it is the difference
  // between 'A' and 'a'.
  static constexpr uint64_t ToLower(uint64_t letters) {
    constexpr uint64_t kEach = 0x0101010101010101;
    const uint64_t low = letters & 0x7F * kEach;
    const uint64_t from_a = low + (0x80 - 'A') * kEach;
    const uint64_t beyond_z = low + (0x7F - 'Z') * kEach;
    const uint64_t upper = ~letters & 0x80 * kEach & (from_a ^ beyond_z);
    return letters | upper >> 2;
  }

  std::array<uint64_t, kLongestCommandName / 8> words_{};
  size_t used_;
};

// Finds top-level rows, as a rule without comparing more than one name.
class NameIndex {
 public:
  NameIndex() {
    CHECK(CommandTable().size() * 4 < kSlots);
    for (const Command& command : CommandTable()) {
      const PlainName name(command.name);
      size_t i = name.Hash() % kSlots;
      while (slots_[i].command != nullptr) i = (i + 1) % kSlots;
      slots_[i] = {name, &command};
    }
  }

  const Command* Find(std::string_view name) const {
    if (name.empty() || name.size() > kLongestCommandName) return nullptr;
    const PlainName wanted(name);
    size_t i = wanted.Hash() % kSlots;
    for (; slots_[i].command != nullptr; i = (i + 1) % kSlots) {
      if (slots_[i].name == wanted && slots_[i].command->name.size() == name.size()) return slots_[i].command;
    }
    return nullptr;
  }

 private:
  static constexpr size_t kSlots = 1024;
  struct Slot {
    PlainName name{{}};
    const Command* command = nullptr;
  };

  std::vector<Slot> slots_{kSlots};
};

}  // namespace

std::span<const Command> CommandTable() {
  return TheTable().rows;
}

size_t CountOfCommands() {
  return TheTable().count;
}

const Command* FindCommand(std::string_view name) {
  static const NameIndex index;
  return index.Find(name);
}

const Command* FindSubcommand(const Command& container, std::string_view name) {
  const size_t prefix = container.name.size() + 1;
  for (const Command& command : container.subcommands) {
    if (command.name.size() - prefix == name.size() && ToLower(name) == command.name.substr(prefix))
      return &command;
  }
  return nullptr;
}

const Command* FindCommandByFullName(std::string_view name) {
  const size_t bar = name.find('|');
  const Command* command = FindCommand(name.substr(0, bar));
  if (command == nullptr || bar == std::string_view::npos) return command;
  return FindSubcommand(*command, name.substr(bar + 1));
}

std::pair<size_t, size_t> StreamsKeys(std::span<const std::string_view> args) {
  for (size_t i = 1; i < args.size(); ++i) {
    // GROUP's two names may be any words, STREAMS too.
    if (IsWord(args[i], "GROUP")) {
      i += 2;
    } else if (IsWord(args[i], "STREAMS")) {
      return {i + 1, (args.size() - i - 1) / 2};
    } else if (IsWord(args[i], "COUNT") || IsWord(args[i], "BLOCK")) {
      ++i;
    }
  }
  return {0, 0};
}

size_t CountedKeys(std::span<const std::string_view> args, size_t at, size_t step) {
  if (at >= args.size()) return 0;
  const auto count = ParseInteger(args[at]);
  if (!count || *count < 1) return 0;
  const size_t room = (args.size() - at - 1) / step;
  return static_cast<uint64_t>(*count) <= room ? static_cast<size_t>(*count) : 0;
}

std::vector<size_t> KeysBehindWords(const Keys& keys, std::span<const std::string_view> args) {
  std::vector<size_t> found;
  auto first = static_cast<size_t>(keys.first);
  if (keys.step != 0) {
    const auto step = static_cast<size_t>(keys.step);
    first += 1 + CountedKeys(args, first, step) * step;
  }
  for (size_t i = first; i + 1 < args.size(); i += 2) {
    if (IsWord(args[i], "FIELDS")) {
      i += 2 * CountedKeys(args, i + 1, 2);
      continue;
    }
    for (std::string_view words = keys.words; !words.empty() && !args[i + 1].empty();) {
      const size_t end = std::min(words.find('|'), words.size());
      if (IsWord(args[i], words.substr(0, end))) found.push_back(i + 1);
      words.remove_prefix(std::min(end + 1, words.size()));
    }
  }
  return found;
}

uint16_t AccessOf(const Command& command, const Keys& keys, std::span<const std::string_view> args) {
  if (keys.access == 0) {
    return (command.flags & kReadOnly) != 0 ? uint16_t{kRO | kAccess} : uint16_t{kRW | kAccess | kUpdate};
  }
  if ((keys.access & kVariable) == 0) return keys.access;
  // The words may be values of other options too: then more is asked for than is needed, never less.
  for (size_t i = 3; i < args.size(); ++i) {
    for (std::string_view word : {"GET", "IFEQ", "IFNE"}) {
      if (IsWord(args[i], word)) return static_cast<uint16_t>(keys.access & ~kVariable);
    }
  }
  return kOW | kUpdate;
}

std::vector<size_t> KeyPositions(const Command& command, std::span<const std::string_view> args) {
  std::vector<size_t> positions;
  ForEachKey(command, args, [&](size_t position) { positions.push_back(position); });
  return positions;
}

std::vector<std::string_view> FlagNames(const Command& command) {
  constexpr std::pair<Flag, std::string_view> kNames[] = {
      {kWrite, "write"},       {kReadOnly, "readonly"}, {kDenyOom, "denyoom"},         {kAdmin, "admin"},
      {kNoScript, "noscript"}, {kBlocking, "blocking"}, {kLoading, "loading"},         {kStale, "stale"},
      {kFast, "fast"},         {kNoAuth, "no_auth"},    {kMovableKeys, "movablekeys"},
  };
  std::vector<std::string_view> names;
  for (const auto& [flag, name] : kNames) {
    if ((command.flags & flag) != 0) names.push_back(name);
  }
  if (command.group == Group::kPubsub) names.push_back("pubsub");
  return names;
}

std::vector<std::string_view> KeyFlagNames(uint16_t access) {
  constexpr std::pair<KeyFlag, std::string_view> kNames[] = {
      {kRO, "RO"},         {kRW, "RW"},         {kOW, "OW"},
      {kRM, "RM"},         {kAccess, "access"}, {kUpdate, "update"},
      {kInsert, "insert"}, {kDelete, "delete"}, {kVariable, "variable_flags"},
  };
  std::vector<std::string_view> names;
  for (const auto& [flag, name] : kNames) {
    if ((access & flag) != 0) names.push_back(name);
  }
  return names;
}

std::string_view GroupName(Group group) {
  switch (group) {
    case Group::kGeneric:
      return "generic";
    case Group::kString:
      return "string";
    case Group::kStream:
      return "stream";
    case Group::kSeckill:
      return "seckill";
    case Group::kPubsub:
      return "pubsub";
    case Group::kConnection:
      return "connection";
    case Group::kTransactions:
      return "transactions";
    case Group::kServer:
      return "server";
  }
  return "";
}

}  // namespace sluice::commands
