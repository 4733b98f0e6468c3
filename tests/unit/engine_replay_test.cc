// State is a function of the log: whatever was done, a crash and a reopening give the same state, and so does
// a replay of the same bytes in a second engine. MemoryStage compares the hashes at each crash and reopening
// by itself.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/harness/memory_stage.h"

namespace sluice::tests {
namespace {

class Conversation {
 public:
  explicit Conversation(uint64_t seed) : random_(seed) {}

  std::vector<std::string> Next() {
    switch (random_() % 38) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
      case 5:
        return {"XADD", Key(), "*", "field", std::string(random_() % 200, 'x')};
      case 6:
        return {"XADD", Key(), "MAXLEN", Pick({"=", "~"}), Number(40), "*", "f", "v"};
      case 7:
        return {"XADD", Key(), "NOMKSTREAM", "MINID", Id(), "*", "f", "v"};
      case 8:
        return {"XTRIM", Key(), Pick({"MAXLEN", "MINID"}), Number(50)};
      case 9:
        return {"XDEL", Key(), Id(), Id()};
      case 10:
        return {"XGROUP", "CREATE", Key(), Group(), Pick({"0", "$"}), "MKSTREAM"};
      case 11:
        return {"XGROUP", Pick({"DESTROY", "DESTROY"}), Key(), Group()};
      case 12:
        return {"XGROUP", Pick({"CREATECONSUMER", "DELCONSUMER"}), Key(), Group(), Consumer()};
      case 13:
        return {"XGROUP", "SETID", Key(), Group(), Pick({"0", "$"})};
      case 14:
      case 15:
      case 16:
        return {"XREADGROUP", "GROUP", Group(), Consumer(), "COUNT", Number(20), "STREAMS", Key(), ">"};
      case 17:
        return {"XREADGROUP", "GROUP", Group(), Consumer(), "NOACK", "STREAMS", Key(), Pick({">", "0"})};
      case 18:
        return {"XACK", Key(), Group(), Id(), Id(), Id()};
      case 19:
        return {"XAUTOCLAIM", Key(), Group(), Consumer(), "0", "-", "COUNT", "5"};
      case 20:
        return {"XCLAIM", Key(), Group(),      Consumer(), "0",
                Id(),     Id(),  "RETRYCOUNT", "7",        Pick({"FORCE", "JUSTID"})};
      case 21:
        return {Pick({"DEL", "UNLINK"}), Key()};
      case 22:
        return {"RENAME", Key(), Key()};
      case 23:
        return {"SECKILL.CREATE", "item" + Number(3),
                "STOCK",          "50",
                "STREAM",         Key(),
                "LIMIT",          "3",
                "HOLD",           "20",
                "IDEM",           "50"};
      case 24:
        if (random_() % 4 == 0) return {"SECKILL.CONFIRM", "item" + Number(3), "REQID", Number(9)};
        return {"SECKILL.BUY", "item" + Number(3), "user" + Number(9), "QTY", Pick({"1", "2"}),
                "REQID",       Number(9)};
      case 25:
        return {"PEXPIRE", Key(), Number(40)};
      case 26:
        return {"MULTI"};
      case 27:
        return {Pick({"EXEC", "EXEC", "DISCARD"})};
      case 28:
        return {"COPY", Key(), Key(), Pick({"REPLACE", "REPLACE"})};
      case 29:
        return {Pick({"APPEND", "SETNX"}), "t" + Number(3), Number(1000)};
      case 30:
        return {"SETRANGE", "t" + Number(3), Number(50), Number(1000)};
      case 31:
        if (random_() % 8 != 0) return {"INCREX", "n" + Number(4), "PX", Number(30)};
        return {"SWAPDB", "0", "1"};
      case 32:
        return {"XNACK", Key(), Group(), Pick({"SILENT", "FAIL", "FATAL"}), "IDS", "2", Id(), Id(), "FORCE"};
      case 33:
        return {"XREADGROUP", "GROUP", Group(), Consumer(), "CLAIM", Number(9), "STREAMS", Key(), ">"};
      case 34:
        return {"XADD",   Key(), "IDMP", Consumer(), Number(9), Pick({"ACKED", "DELREF"}),
                "MAXLEN", "9",   "*",    "f",        "v"};
      case 35:
        return {"XACKDEL", Key(), Group(), Pick({"ACKED", "DELREF"}), "IDS", "2", Id(), Id()};
      case 36:
        return {"XCFGSET", Key(), "IDMP-MAXSIZE", "5", "IDMP-DURATION", Pick({"1", "2"})};
      default:
        if (random_() % 20 == 0) return {Pick({"FLUSHDB", "FLUSHALL"})};
        return {Pick({"SET", "INCRBY"}), "n" + Number(4), Number(100)};
    }
  }

  std::mt19937_64& random() { return random_; }

 private:
  std::string Number(uint64_t limit) { return std::to_string(random_() % limit); }
  std::string Pick(std::vector<std::string> words) { return words[random_() % words.size()]; }
  std::string Key() { return "s" + Number(3); }
  std::string Group() { return "g" + Number(2); }
  std::string Consumer() { return "c" + Number(3); }
  // Time begins where the stage's clock does and goes on a millisecond at a time, so small steps hit entries
  // often.
  std::string Id() { return std::to_string(now_ms + random_() % 60) + "-" + Number(3); }

 public:
  uint64_t now_ms = 0;

 private:
  std::mt19937_64 random_;
};

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
