#include "server/commands/command_table.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::commands {
namespace {

TEST(CommandTable, EveryRowHasAFunctionOrSubcommands) {
  for (const Command& command : CommandTable()) {
    EXPECT_TRUE(command.handler != nullptr || !command.subcommands.empty()) << command.name;
    for (const Command& subcommand : command.subcommands)
      EXPECT_NE(subcommand.handler, nullptr) << subcommand.name;
  }
}

TEST(CommandTable, EveryRowIsFoundByItsNameInAnyCase) {
  for (const Command& command : CommandTable()) {
    EXPECT_EQ(FindCommand(command.name), &command);
    std::string upper(command.name);
    for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    EXPECT_EQ(FindCommand(upper), &command);
    for (const Command& subcommand : command.subcommands) {
      EXPECT_EQ(FindCommandByFullName(subcommand.name), &subcommand);
    }
  }
  EXPECT_EQ(FindCommand(std::string_view("get\0", 4)), nullptr);
  EXPECT_EQ(FindCommand(std::string_view("\0get", 4)), nullptr);
  EXPECT_EQ(FindCommand(""), nullptr);
  EXPECT_EQ(FindCommand("nosuch"), nullptr);
  EXPECT_EQ(FindCommand(std::string(1000, 'x')), nullptr);
  EXPECT_EQ(FindCommandByFullName("xgroup|nosuch"), nullptr);
}

// As many in a row as one likes, of whatever name came before.
TEST(CommandTable, AFinderFindsTheSame) {
  CommandFinder finder;
  for (int round = 0; round < 2; ++round) {
    for (const std::string_view name : {"", "get", "GET", "get", "g", "nosuch", "nosuch", "get", "", "ge",
                                        "gets", "xadd", "XADD", "seckill.buy", "seckill.bu", "xadd"}) {
      EXPECT_EQ(finder.Find(name), FindCommand(name)) << name;
    }
    EXPECT_EQ(finder.Find(std::string(1000, 'x')), nullptr);
  }
}

// Each byte in each place: only a letter's other case names the same command.
TEST(CommandTable, NoOtherByteIsALetter) {
  for (const Command& command : CommandTable()) {
    for (size_t i = 0; i < command.name.size(); ++i) {
      std::string name(command.name);
      for (int byte = 0; byte < 256; ++byte) {
        name[i] = static_cast<char>(byte);
        const Command* found = FindCommand(name);
        if (found == nullptr) continue;
        const char lower = byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 'a' - 'A') : name[i];
        ASSERT_EQ(found->name[i], lower) << command.name << " with byte " << byte << " at " << i;
      }
      name[i] = static_cast<char>(command.name[i] ^ 0x20);
      const bool letter = command.name[i] >= 'a' && command.name[i] <= 'z';
      ASSERT_EQ(FindCommand(name) == &command, letter) << name;
    }
  }
}

TEST(CommandTable, KeysAreFoundByTheRow) {
  using Args = std::vector<std::string_view>;
  using Positions = std::vector<size_t>;
  EXPECT_EQ(KeyPositions(*FindCommand("del"), Args{"DEL", "a", "b"}), (Positions{1, 2}));
  EXPECT_EQ(KeyPositions(*FindCommand("rename"), Args{"RENAME", "a", "b"}), (Positions{1, 2}));
  EXPECT_EQ(KeyPositions(*FindCommand("ping"), Args{"PING"}), Positions{});
  EXPECT_EQ(KeyPositions(*FindCommand("xread"), Args{"XREAD", "COUNT", "1", "STREAMS", "a", "b", "0", "0"}),
            (Positions{4, 5}));
  // A group or consumer that is called STREAMS.
  EXPECT_EQ(KeyPositions(*FindCommand("xreadgroup"),
                         Args{"XREADGROUP", "GROUP", "STREAMS", "STREAMS", "STREAMS", "a", ">"}),
            (Positions{5}));
  EXPECT_EQ(KeyPositions(*FindCommand("seckill.create"),
                         Args{"SECKILL.CREATE", "i", "STOCK", "1", "stream", "s", "STREAM", ""}),
            (Positions{1, 5}));
  // An option's value may be called as another option.
  EXPECT_EQ(KeyPositions(*FindCommand("seckill.create"),
                         Args{"SECKILL.CREATE", "STREAM", "STREAM", "STREAM", "STOCK", "STREAM", "STREAM"}),
            (Positions{1, 3}));
  EXPECT_EQ(KeyPositions(*FindCommandByFullName("xgroup|create"), Args{"XGROUP", "CREATE", "s", "g", "$"}),
            (Positions{2}));
}

TEST(CommandTable, KeysThatAreCountedOrStandBehindWords) {
  using Args = std::vector<std::string_view>;
  using Positions = std::vector<size_t>;
  const auto positions = [](const Keys& keys, const Args& args) {
    Positions found;
    ForEachKeyOf(keys, args, [&](size_t at) { found.push_back(at); });
    return found;
  };
  constexpr Keys kPairs{Keys::kCounted, 2, 0, 2};
  EXPECT_EQ(positions(kPairs, {"C", "u", "2", "a", "1", "b", "2", "x"}), (Positions{3, 5}));
  EXPECT_EQ(positions(kPairs, {"C", "u", "2", "a", "1", "b", "2"}), (Positions{3, 5}));
  for (const char* count : {"3", "0", "-1", "x", "", "9223372036854775807", "9223372036854775808"}) {
    EXPECT_EQ(positions(kPairs, {"C", "u", count, "a", "1", "b", "2"}), Positions{}) << count;
  }
  EXPECT_EQ(positions(kPairs, {"C", "u"}), Positions{});
  constexpr Keys kWords{Keys::kWords, 2, 0, 0, "STREAM|EVENTS"};
  EXPECT_EQ(positions(kWords,
                      {"C", "i", "events", "e", "X", "STREAM", "Stream", "s", "FIELDS", "1", "STREAM", "v"}),
            (Positions{3, 7}));
  // What users put into an order's fields is no key, and hides none that stands behind it.
  EXPECT_EQ(positions(kWords, {"C", "i", "FIELDS", "1", "STREAM", "v", "STREAM", "s"}), (Positions{7}));
  constexpr Keys kBehindPairs{Keys::kWords, 2, 0, 2, "STREAM"};
  EXPECT_EQ(positions(kBehindPairs, {"C", "u", "2", "FIELDS", "1", "STREAM", "1", "STREAM", "s"}),
            (Positions{8}));
}

// Whoever names an order's stream must be allowed to write to it.
TEST(CommandTable, StreamsOfOrders) {
  using Args = std::vector<std::string_view>;
  using Positions = std::vector<size_t>;
  EXPECT_EQ(KeyPositions(*FindCommand("seckill.config"),
                         Args{"SECKILL.CONFIG", "i", "EVENTSTREAM", "e", "RATE", "0", "STREAM", "s"}),
            (Positions{1, 3, 7}));
  EXPECT_EQ(
      KeyPositions(*FindCommand("seckill.mbuy"), Args{"SECKILL.MBUY", "u", "ITEMS", "2", "STREAM", "1", "b",
                                                      "2", "FIELDS", "1", "STREAM", "v", "STREAM", "s"}),
      (Positions{4, 6, 13}));
}

}  // namespace
}  // namespace sluice::commands
