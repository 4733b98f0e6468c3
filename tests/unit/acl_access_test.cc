// Every command of the table, with users who may read its keys, write them, or neither: asked alone, between
// MULTI and EXEC, at EXEC, and by ACL DRYRUN.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "server/commands/acl_users.h"
#include "server/commands/command_table.h"
#include "tests/harness/memory_stage.h"

namespace sluice::commands {
namespace {

using Words = std::vector<std::string>;

// A request of `command` whose keys are k0, k1, ...; its other arguments are no keys of anybody.
Words RequestOf(const Command& command) {
  const std::string name(command.name);
  const size_t bar = name.find('|');
  Words words = {name.substr(0, bar)};
  if (bar != std::string::npos) words.push_back(name.substr(bar + 1));
  if (command.keys.kind == Keys::kStreams) {
    if (name == "xreadgroup") words.insert(words.end(), {"GROUP", "g", "c"});
    words.insert(words.end(), {"STREAMS", "k", "k", ">", ">"});
  } else {
    const auto least = static_cast<size_t>(command.arity < 0 ? -command.arity : command.arity);
    while (words.size() < least) words.push_back("1");
    // Rows that take any number of keys: more than one, in whole pairs.
    const bool open_end = command.keys.kind == Keys::kRange && command.keys.last < 0 && command.arity < 0;
    if (open_end) words.insert(words.end(), static_cast<size_t>(command.keys.step) * 2, "1");
    if (command.keys.kind == Keys::kCounted) words[static_cast<size_t>(command.keys.first)] = "1";
    for (std::string_view behind = command.further_keys.words; !behind.empty();) {
      const size_t end = std::min(behind.find('|'), behind.size());
      words.insert(words.end(), {std::string(behind.substr(0, end)), "1"});
      behind.remove_prefix(std::min(end + 1, behind.size()));
    }
  }
  const std::vector<std::string_view> args(words.begin(), words.end());
  size_t count = 0;
  for (size_t at : KeyPositions(command, args)) words[at] = "k" + std::to_string(count++);
  return words;
}

std::vector<const Command*> AllWithKeys() {
  std::vector<const Command*> found;
  const auto consider = [&](const Command& command) {
    if (command.keys.kind != Keys::kNone || command.further_keys.kind != Keys::kNone)
      found.push_back(&command);
  };
  for (const Command& command : CommandTable()) {
    consider(command);
    for (const Command& subcommand : command.subcommands) consider(subcommand);
  }
  return found;
}

// Who reads alone may not use what writes, whoever writes alone may not use what tells what is there. Written
// down here a second time, apart from the table: what tells no more than whether a key is there, or how long
// it is.
const std::set<std::string_view> kTellNoValue = {"exists",
                                                 "memory|usage",
                                                 "object|encoding",
                                                 "object|freq",
                                                 "object|idletime",
                                                 "object|refcount",
                                                 "strlen",
                                                 "touch",
                                                 "type",
                                                 "watch",
                                                 "xlen"};
// Writes that tell what was there.
const std::set<std::string_view> kWriteAndTell = {"decr",
                                                  "decrby",
                                                  "getdel",
                                                  "getex",
                                                  "getset",
                                                  "incr",
                                                  "incrby",
                                                  "incrbyfloat",
                                                  "increx",
                                                  "move",
                                                  "copy",
                                                  "rename",
                                                  "renamenx",
                                                  "seckill.addstock",
                                                  "seckill.buy",
                                                  "seckill.cancel",
                                                  "seckill.confirm",
                                                  "seckill.extend",
                                                  "seckill.mbuy",
                                                  "seckill.try"};

bool ReaderMay(const Command& command) {
  // As in Redis it asks for reading only: what it changes is the group's.
  return (command.flags & kWrite) == 0 || command.name == "xreadgroup";
}
bool WriterMay(const Command& command) {
  if (command.name == "xreadgroup") return false;
  if ((command.flags & kWrite) == 0) return kTellNoValue.contains(command.name);
  return !kWriteAndTell.contains(command.name);
}

std::string TextOf(tests::Stage& stage, const std::string& client, const Words& words) {
  return stage.Ask(client, words).reply.text;
}

class AclAccess : public testing::Test {
 protected:
  AclAccess() : stage_(DefaultConfig()) {}

  void SetKeys(const Words& rules) {
    Words words = {"ACL", "SETUSER", "u", "on", "nopass", "+@all", "resetkeys"};
    words.insert(words.end(), rules.begin(), rules.end());
    ASSERT_EQ(TextOf(stage_, "admin", words), "OK");
  }
  bool Allows(const Words& request) {
    Words words = {"ACL", "DRYRUN", "u"};
    words.insert(words.end(), request.begin(), request.end());
    return TextOf(stage_, "admin", words) == "OK";
  }
  // Asked in earnest, alone and between MULTI and EXEC.
  void ExpectRefused(const Words& request) {
    constexpr const char* kRefusal =
        "NOPERM this user has no permissions to access one of the keys used as arguments";
    EXPECT_EQ(TextOf(stage_, "u", request), kRefusal) << request[0];
    if (request[0] == "watch") return;
    EXPECT_EQ(TextOf(stage_, "u", {"MULTI"}), "OK");
    EXPECT_EQ(TextOf(stage_, "u", request), kRefusal) << request[0];
    EXPECT_EQ(TextOf(stage_, "u", {"EXEC"}), "EXECABORT Transaction discarded because of previous errors.");
  }

  tests::MemoryStage stage_;
};

TEST_F(AclAccess, EveryCommandByKeyPattern) {
  SetKeys({});
  ASSERT_EQ(TextOf(stage_, "u", {"AUTH", "u", "x"}), "OK");
  const auto commands = AllWithKeys();
  ASSERT_GT(commands.size(), 60u);
  for (const Command* command : commands) {
    SCOPED_TRACE(command->name);
    const Words request = RequestOf(*command);
    SetKeys({"~other*"});
    EXPECT_FALSE(Allows(request));
    ExpectRefused(request);
    SetKeys({"%R~k*"});
    EXPECT_EQ(Allows(request), ReaderMay(*command));
    if (!ReaderMay(*command)) ExpectRefused(request);
    SetKeys({"%W~k*"});
    EXPECT_EQ(Allows(request), WriterMay(*command));
    if (!WriterMay(*command)) ExpectRefused(request);
    // Reading by one pattern and writing by another is not reading and writing by one.
    SetKeys({"%R~k*", "%W~*"});
    EXPECT_EQ(Allows(request), command->name == "copy" || ReaderMay(*command) || WriterMay(*command));
    SetKeys({"~k*"});
    EXPECT_TRUE(Allows(request));
  }
}

TEST_F(AclAccess, EveryKeyOfACommandCounts) {
  SetKeys({});
  ASSERT_EQ(TextOf(stage_, "u", {"AUTH", "u", "x"}), "OK");
  for (const Command* command : AllWithKeys()) {
    SCOPED_TRACE(command->name);
    const Words request = RequestOf(*command);
    const std::vector<std::string_view> args(request.begin(), request.end());
    const std::vector<size_t> positions = KeyPositions(*command, args);
    ASSERT_FALSE(positions.empty());
    // COMMAND GETKEYS tells the same keys.
    Words getkeys = {"COMMAND", "GETKEYS"};
    getkeys.insert(getkeys.end(), request.begin(), request.end());
    const tests::Reply found = stage_.Ask("admin", getkeys).reply;
    ASSERT_EQ(found.elements.size(), positions.size());
    for (size_t i = 0; i < positions.size(); ++i) {
      EXPECT_EQ(found.elements[i].text, "k" + std::to_string(i));
      Words all_but_one;
      for (size_t other = 0; other < positions.size(); ++other) {
        if (other != i) all_but_one.push_back("~k" + std::to_string(other));
      }
      SetKeys(all_but_one);
      EXPECT_FALSE(Allows(request)) << i;
      ExpectRefused(request);
    }
  }
}

TEST_F(AclAccess, WhatIsQueuedIsLookedAtAgainByExec) {
  SetKeys({"~k*"});
  ASSERT_EQ(TextOf(stage_, "u", {"AUTH", "u", "x"}), "OK");
  for (const Command* command : AllWithKeys()) {
    if ((command->flags & kRunsInMulti) != 0) continue;
    SCOPED_TRACE(command->name);
    SetKeys({"~k*"});
    ASSERT_EQ(TextOf(stage_, "u", {"MULTI"}), "OK");
    ASSERT_EQ(TextOf(stage_, "u", RequestOf(*command)), "QUEUED");
    SetKeys({"~other*"});
    const tests::Reply replies = stage_.Ask("u", {"EXEC"}).reply;
    ASSERT_EQ(replies.elements.size(), 1u);
    EXPECT_TRUE(replies.elements[0].text.ends_with("no permission to touch the specified keys"))
        << replies.elements[0].text;
  }
}

TEST_F(AclAccess, EveryCommandByItsName) {
  ASSERT_EQ(
      TextOf(stage_, "admin", {"ACL", "SETUSER", "u", "on", "nopass", "allkeys", "allchannels", "-@all"}),
      "OK");
  size_t seen = 0;
  const auto check = [&](const Command& command) {
    if (command.handler == nullptr || (command.flags & kNoAuth) != 0) return;
    SCOPED_TRACE(command.name);
    ++seen;
    const Words request = RequestOf(command);
    const std::string name(command.name);
    EXPECT_FALSE(Allows(request));
    ASSERT_EQ(TextOf(stage_, "admin", {"ACL", "SETUSER", "u", "+" + name}), "OK");
    EXPECT_TRUE(Allows(request));
    ASSERT_EQ(TextOf(stage_, "admin", {"ACL", "SETUSER", "u", "+@all", "-" + name}), "OK");
    EXPECT_FALSE(Allows(request));
    ASSERT_EQ(TextOf(stage_, "admin", {"ACL", "SETUSER", "u", "-@all"}), "OK");
  };
  for (const Command& command : CommandTable()) {
    check(command);
    for (const Command& subcommand : command.subcommands) check(subcommand);
  }
  EXPECT_GT(seen, 100u);
}

}  // namespace
}  // namespace sluice::commands
