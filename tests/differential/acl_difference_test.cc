// What Debian's redis-server 7.0 and Sluice know of their commands (categories, keys, what is done with
// them), and what they make of the same ACL rules.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "server/commands/command_table.h"
#include "tests/differential/stream_talk.h"
#include "tests/harness/memory_stage.h"
#include "tests/harness/redis_process.h"
#include "tests/harness/socket_client.h"

namespace sluice::tests {
namespace {

// What we say of a command and Redis 7.0 says otherwise, on purpose.
const std::set<std::string_view> kOtherCategories = {
    "debug",        // one command there, a container here
    "pubsub|help",  // @pubsub here as its neighbours, only @slow there
};
// Their shard channels have key positions, for a cluster to route by.
const std::set<std::string_view> kOfShards = {"spublish", "ssubscribe", "sunsubscribe"};

class AclDifference : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(RedisProcess::Installed()) << "redis-server is missing; tools/test installs it";
    redis_.emplace(Words{});
    ASSERT_TRUE(client_.Connect(redis_->port()));
  }

  Reply Theirs(const Words& words) {
    client_.Send(words);
    return client_.Receive(static_cast<int>(std::chrono::milliseconds(kPatience).count())).reply;
  }
  Reply Ours(const Words& words) { return stage_.Ask("", words).reply; }

  std::optional<RedisProcess> redis_;
  SocketClient client_;
  MemoryStage stage_{DefaultConfig()};
};

std::set<std::string> TextsOf(const Reply& reply) {
  std::set<std::string> texts;
  for (const Reply& element : reply.elements) texts.insert(element.text);
  return texts;
}

// A key specification without its "notes".
Reply WithoutNotes(Reply spec) {
  if (!spec.elements.empty() && spec.elements[0].text == "notes") {
    spec.elements.erase(spec.elements.begin(), spec.elements.begin() + 2);
  }
  return spec;
}

TEST_F(AclDifference, CategoriesAndKeysOfEveryCommandThatBothHave) {
  size_t compared = 0;
  const auto compare = [&](const commands::Command& command) {
    const std::string name(command.name);
    const Reply theirs = Theirs({"COMMAND", "INFO", name}).elements.at(0);
    if (theirs.elements.empty()) return;  // newer than 7.0, or our own
    const Reply ours = Ours({"COMMAND", "INFO", name}).elements.at(0);
    SCOPED_TRACE(name);
    ++compared;
    if (!kOtherCategories.contains(command.name)) {
      EXPECT_EQ(TextsOf(ours.elements.at(6)), TextsOf(theirs.elements.at(6)));
    }
    if (kOfShards.contains(command.name)) return;
    for (size_t i : {3u, 4u, 5u}) EXPECT_EQ(ours.elements.at(i).text, theirs.elements.at(i).text) << i;
    ASSERT_EQ(ours.elements.at(8).elements.size(), theirs.elements.at(8).elements.size());
    for (size_t i = 0; i < ours.elements.at(8).elements.size(); ++i) {
      const Reply their_spec = WithoutNotes(theirs.elements.at(8).elements[i]);
      const Reply& our_spec = ours.elements.at(8).elements[i];
      EXPECT_EQ(TextsOf(our_spec.elements.at(1)), TextsOf(their_spec.elements.at(1)));
      EXPECT_EQ(FormatReply(our_spec.elements.at(3)), FormatReply(their_spec.elements.at(3)));
      EXPECT_EQ(FormatReply(our_spec.elements.at(5)), FormatReply(their_spec.elements.at(5)));
    }
  };
  for (const commands::Command& command : commands::CommandTable()) {
    compare(command);
    for (const commands::Command& subcommand : command.subcommands) compare(subcommand);
  }
  EXPECT_GT(compared, 90u);
}

TEST_F(AclDifference, KeysAsTheyAreUsed) {
  const Words kRequests[] = {
      {"SET", "k", "v"},
      {"SET", "k", "v", "GET"},
      {"SET", "k", "GET"},
      {"SET", "k", "v", "EX", "9", "get"},
      {"RENAME", "a", "b"},
      {"COPY", "a", "b"},
      {"MSET", "a", "1", "b", "2"},
      {"DEL", "a", "b"},
      {"EXISTS", "a", "b"},
      {"XREAD", "STREAMS", "a", "b", "0", "0"},
      {"XREADGROUP", "GROUP", "g", "c", "STREAMS", "a", ">"},
      {"XGROUP", "CREATE", "s", "g", "0"},
      {"XADD", "s", "*", "f", "v"},
      {"GETDEL", "k"},
  };
  for (Words words : kRequests) {
    words.insert(words.begin(), {"COMMAND", "GETKEYSANDFLAGS"});
    EXPECT_EQ(FormatReply(Ours(words)), FormatReply(Theirs(words))) << words[2];
  }
}

// Random rules, good and bad: each is taken by both or by none, with the same words, and means the same.
TEST_F(AclDifference, RandomRules) {
  const std::vector<std::string> kRules = {"on",
                                           "off",
                                           "nopass",
                                           "resetpass",
                                           ">p",
                                           ">q",
                                           "<p",
                                           "<q",
                                           "allkeys",
                                           "resetkeys",
                                           "~a*",
                                           "~b",
                                           "~*",
                                           "%R~a*",
                                           "%W~a*",
                                           "%R~c",
                                           "%RW~d",
                                           "%X~d",
                                           "allchannels",
                                           "resetchannels",
                                           "&ch",
                                           "&*",
                                           "&x?",
                                           "allcommands",
                                           "nocommands",
                                           "+get",
                                           "-get",
                                           "+@read",
                                           "-@read",
                                           "+@stream",
                                           "-@write",
                                           "+@nosuch",
                                           "+nosuch",
                                           "+xgroup",
                                           "-xgroup|create",
                                           "+xgroup|create",
                                           "+config|get",
                                           "-config",
                                           "(+get ~z*)",
                                           "(%W~a* +@write)",
                                           "(+@all",
                                           "()",
                                           "clearselectors",
                                           "reset",
                                           "foo",
                                           "+select|0",
                                           "+xadd|s",
                                           "-xadd|s",
                                           "+xinfo|stream|x",
                                           "#abc",
                                           "%",
                                           "(+nosuch)",
                                           "(on)",
                                           "-@fast",
                                           "+@all",
                                           "-@all",
                                           "-@dangerous",
                                           "+set",
                                           "-set"};
  const Words kProbes[] = {{"GET", "a1"},
                           {"GET", "c"},
                           {"SET", "a1", "v"},
                           {"SET", "z1", "v"},
                           {"GET", "z1"},
                           {"SELECT", "0"},
                           {"SELECT", "1"},
                           {"XADD", "s", "*", "f", "v"},
                           {"XADD", "d", "*", "f", "v"},
                           {"XGROUP", "CREATE", "a", "g", "0"},
                           {"XGROUP", "DESTROY", "a", "g"},
                           {"CONFIG", "GET", "x"},
                           {"CONFIG", "SET", "x", "y"},
                           {"XREADGROUP", "GROUP", "g", "c", "STREAMS", "a", ">"},
                           {"DEL", "a1", "b"},
                           {"RENAME", "a1", "d"},
                           {"COPY", "c", "d"},
                           {"MSET", "a1", "1", "d", "2"},
                           {"STRLEN", "d"},
                           {"FLUSHALL"},
                           {"KEYS", "*"},
                           {"INFO"},
                           {"PING"},
                           {"AUTH", "x"},
                           {"CLIENT", "LIST"},
                           {"CLIENT", "ID"},
                           {"EXISTS", "a1"}};
  uint64_t state = 20231114;
  const auto random = [&](size_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<size_t>(state >> 33) % below;
  };
  for (int round = 0; round < 1500 && !HasFailure(); ++round) {
    Words set = {"ACL", "SETUSER", "u"};
    if (random(4) == 0) set.push_back("reset");
    for (size_t i = 0, count = 1 + random(5); i < count; ++i) set.push_back(kRules[random(kRules.size())]);
    std::string said;
    for (const std::string& word : set) said += word + " ";
    ASSERT_EQ(FormatReply(Ours(set)), FormatReply(Theirs(set))) << said;
    for (const Words& probe : kProbes) {
      Words dry = {"ACL", "DRYRUN", "u"};
      dry.insert(dry.end(), probe.begin(), probe.end());
      ASSERT_EQ(FormatReply(Ours(dry)), FormatReply(Theirs(dry)))
          << round << ": " << said << "\n"
          << FormatReply(Theirs({"ACL", "GETUSER", "u"}));
    }
    // Passwords, keys and channels are told in the same way.
    const Reply ours = Ours({"ACL", "GETUSER", "u"});
    const Reply theirs = Theirs({"ACL", "GETUSER", "u"});
    for (size_t i : {1u, 3u, 7u, 9u}) {
      ASSERT_EQ(FormatReply(ours.elements.at(i)), FormatReply(theirs.elements.at(i))) << said;
    }
  }
}

}  // namespace
}  // namespace sluice::tests
