#include "server/commands/command_table.h"

#include <algorithm>
#include <array>

#include "server/commands/arguments.h"
#include "server/commands/command_rows.h"
#include "storage/check.h"

namespace sluice::commands {
namespace {

std::vector<Command> AllRows() {
  std::vector<Command> rows;
  for (std::span<const Command> family :
       {ConnectionRows(), GenericRows(), SeckillRows(), ServerRows(), StreamRows(), StringRows()}) {
    rows.insert(rows.end(), family.begin(), family.end());
  }
  std::sort(rows.begin(), rows.end(), [](const Command& a, const Command& b) { return a.name < b.name; });
  for (size_t i = 1; i < rows.size(); ++i) CHECK(rows[i - 1].name != rows[i].name);
  return rows;
}

constexpr size_t kLongestName = 32;

// Finds top-level rows without comparing names more than once: slots by hash of the lower-case name, filled
// once.
class NameIndex {
 public:
  NameIndex() {
    slots_.fill(nullptr);
    CHECK(CommandTable().size() * 4 < kSlots);
    for (const Command& command : CommandTable()) {
      size_t i = Hash(command.name);
      while (slots_[i] != nullptr) i = (i + 1) % kSlots;
      slots_[i] = &command;
    }
  }

  const Command* Find(std::string_view name) const {
    if (name.empty() || name.size() > kLongestName) return nullptr;
    char lower[kLongestName];
    for (size_t i = 0; i < name.size(); ++i) {
      lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? static_cast<char>(name[i] - 'A' + 'a') : name[i];
    }
    const std::string_view wanted(lower, name.size());
    for (size_t i = Hash(wanted); slots_[i] != nullptr; i = (i + 1) % kSlots) {
      if (slots_[i]->name == wanted) return slots_[i];
    }
    return nullptr;
  }

 private:
  static constexpr size_t kSlots = 2048;

  static size_t Hash(std::string_view name) {
    uint32_t hash = 2166136261u;  // FNV-1a: names are short
    for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
    return (hash ^ (hash >> 15)) % kSlots;
  }

  std::array<const Command*, kSlots> slots_;
};

}  // namespace

std::span<const Command> CommandTable() {
  static const std::vector<Command> rows = AllRows();
  return rows;
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

size_t KeyCount(std::string_view text) {
  const auto number = ParseInteger(text);
  return number && *number > 0 ? static_cast<size_t>(*number) : 0;
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
  return names;
}

std::vector<std::string_view> CategoryNames(const Command& command) {
  std::vector<std::string_view> names;
  if (command.group == Group::kGeneric) names.push_back("@keyspace");
  if ((command.flags & kReadOnly) != 0) names.push_back("@read");
  if ((command.flags & kWrite) != 0) names.push_back("@write");
  if (command.group == Group::kString) names.push_back("@string");
  if (command.group == Group::kStream) names.push_back("@stream");
  if (command.group == Group::kSeckill) names.push_back("@seckill");
  if (command.group == Group::kConnection) names.push_back("@connection");
  if (command.group == Group::kTransactions) names.push_back("@transaction");
  if ((command.flags & kAdmin) != 0) names.push_back("@admin");
  names.push_back((command.flags & kFast) != 0 ? "@fast" : "@slow");
  if ((command.flags & kBlocking) != 0) names.push_back("@blocking");
  const bool dangerous = (command.flags & kAdmin) != 0 || command.name == "keys" ||
                         command.name == "flushall" || command.name == "flushdb" || command.name == "info";
  if (dangerous) names.push_back("@dangerous");
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
