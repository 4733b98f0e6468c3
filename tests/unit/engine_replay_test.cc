// State is a function of the log: whatever was done, a crash and a reopening give the same state, and so does
// a replay of the same bytes in a second engine. MemoryStage compares the hashes at each crash and reopening
// by itself.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "random_conversation.h"
#include "tests/harness/memory_stage.h"

namespace sluice::tests {
namespace {

TEST(Replay, GivesTheSameStateAfterAnyConversation) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    Conversation conversation(seed);
    MemoryStage stage{DefaultConfig()};
    // What the clock says is heard from the first entry's ID.
    const auto first = stage.Ask("client", {"XADD", "s0", "*", "f", "v"});
    ASSERT_EQ(first.outcome, Stage::Outcome::kReply);
    const std::string id = first.reply.text;
    conversation.now_ms = std::stoull(id.substr(0, id.find('-')));
    for (int step = 0; step < 200; ++step) {
      stage.Ask("client", conversation.Next());
      if (conversation.random()() % 5 == 0) stage.Advance(1 + conversation.random()() % 10);
      const uint64_t dice = conversation.random()() % 60;
      const uint64_t before = stage.StateHash();
      if (dice == 0) {
        ASSERT_NO_THROW(stage.Crash()) << "seed " << seed << " step " << step;
      }
      if (dice == 1) {
        ASSERT_NO_THROW(stage.Reopen()) << "seed " << seed << " step " << step;
      }
      ASSERT_EQ(stage.StateHash(), before);
    }
  }
}

// The hash must tell states apart, or the test above proves nothing.
TEST(Replay, TheHashSeesEveryKindOfChange) {
  MemoryStage stage{DefaultConfig()};
  uint64_t last = stage.StateHash();
  const std::vector<std::vector<std::string>> changes = {
      {"XADD", "s", "1-1", "f", "v"},
      {"XADD", "s", "2-1", "f", "v"},
      {"XGROUP", "CREATE", "s", "g", "0"},
      {"XGROUP", "CREATECONSUMER", "s", "g", "c"},
      {"XREADGROUP", "GROUP", "g", "c", "COUNT", "1", "STREAMS", "s", ">"},
      {"XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", "0"},
      {"XCLAIM", "s", "g", "d", "0", "1-1"},
      {"XNACK", "s", "g", "FATAL", "IDS", "1", "1-1"},
      {"XACK", "s", "g", "1-1"},
      {"XGROUP", "SETID", "s", "g", "0"},
      {"XGROUP", "DELCONSUMER", "s", "g", "d"},
      {"XDEL", "s", "1-1"},
      {"XSETID", "s", "9-0"},
      {"XADD", "s", "IDMP", "p", "m", "*", "f", "v"},
      {"XADD", "s", "IDMP", "p", "m", "*", "f", "v"},
      {"XCFGSET", "s", "IDMP-DURATION", "7"},
      {"XREADGROUP", "GROUP", "g", "c", "NOACK", "STREAMS", "s", ">"},
      {"XTRIM", "s", "MAXLEN", "1", "ACKED"},
      {"XTRIM", "s", "MAXLEN", "0"},
      {"XGROUP", "DESTROY", "s", "g"},
      {"RENAME", "s", "t"},
      {"SET", "k", "v"},
      {"EXPIRE", "k", "100"},
      {"APPEND", "k", "w"},
      {"SWAPDB", "0", "2"},
      {"SWAPDB", "0", "2"},
      {"DEL", "k"},
      {"SECKILL.CREATE", "i", "STOCK", "5"},
      {"SECKILL.BUY", "i", "u"},
      {"SECKILL.ADDSTOCK", "i", "1"},
      {"SECKILL.ADDSTOCK", "i", "0", "REQID", "a"},
      {"SECKILL.CONFIG", "i", "HOLD", "1000", "LIMIT", "0"},
      {"SECKILL.CONFIG", "i", "MAXBACKLOG", "5", "GROUP", "g"},
      {"SECKILL.BUY", "i", "u", "REQID", "b"},
      {"SECKILL.EXTEND", "i", "REQID", "b", "5000"},
      {"SECKILL.CONFIRM", "i", "REQID", "b"},
      {"SECKILL.CANCEL", "i", "REQID", "b", "FORCE"},
      {"SECKILL.CONFIRM", "i", "REQID", "b", "REACQUIRE"},
      {"SECKILL.CANCEL", "i", "REQID", "b", "FORCE", "NORESTOCK"},
      {"SECKILL.CREATE", "j", "STOCK", "5"},
      {"SECKILL.MBUY", "u", "ITEMS", "2", "i", "1", "j", "1"},
      {"SECKILL.PAUSE", "i"},
      {"SECKILL.PAUSE", "i", "HOLDS"},
      {"SECKILL.RESUME", "i"},
      {"FLUSHALL"},
  };
  for (const auto& change : changes) {
    const Stage::Heard heard = stage.Ask("client", change);
    EXPECT_NE(stage.StateHash(), last) << change[0] << " " << FormatReply(heard.reply);
    last = stage.StateHash();
  }
}

}  // namespace
}  // namespace sluice::tests
