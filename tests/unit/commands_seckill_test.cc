// What a conversation cannot show: a server too busy for its background, clocks that jump, a disk without
// room, messages to subscribers.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "protocol/request_parser.h"
#include "server/commands/dispatcher.h"
#include "server/engine/journal.h"
#include "storage/memory_file_system.h"
#include "tests/harness/socket_client.h"
#include "tests/harness/test_host.h"

namespace sluice::tests {
namespace {

// A server that never has time for its background.
class BusyServer : public testing::Test {
 protected:
  BusyServer() {
    storage::LogOptions options;
    options.directory = "data";
    options.segment_bytes = 1 << 20;
    options.commit_path = storage::CommitPath::kInline;
    options.direct_io = false;
    options.spare_segments = 0;
    storage::RecoveryReport report;
    journal_ = std::move(*engine::Journal::Open(files_, options, engine_, &report));
    dispatcher_ = std::make_unique<commands::Dispatcher>(*journal_, host_);
    session_ = &host_.Connect(1);
    Advance(0);
  }

  void Advance(uint64_t ms) {
    time_.unix_us += ms * 1000;
    time_.monotonic_ms += ms;
    dispatcher_->SetTime(time_);
  }
  std::string Ask(const std::vector<std::string>& words) {
    Execute(*session_, words);
    return Sent(*session_);
  }

  // Another client listens to what items tell, from now on.
  void Listen() {
    gateway_ = &host_.Connect(1);
    Execute(*gateway_, {"PSUBSCRIBE", "__seckill__:*"});
    Sent(*gateway_);
  }
  // "<channel> <message>" and an end of line for each.
  std::string TakeHeard() {
    const std::string sent = Sent(*gateway_);
    std::string heard;
    for (size_t at = 0; at < sent.size();) {
      // pmessage, pattern, channel, message
      EXPECT_EQ(sent.substr(at, 4), "*4\r\n");
      at += 4;
      for (int part = 0; part < 4; ++part) {
        const size_t begin = sent.find("\r\n", at) + 2;
        const size_t end = sent.find("\r\n", begin);
        if (part >= 2) heard += sent.substr(begin, end - begin) + (part == 2 ? " " : "\n");
        at = end + 2;
      }
    }
    return heard;
  }

  void Execute(commands::Session& session, const std::vector<std::string>& words) {
    const std::string wire = EncodeRequest(words);
    EXPECT_EQ(parser_.Parse(wire), protocol::RequestParser::Status::kRequest);
    dispatcher_->Execute(session, parser_.request());
  }
  // Takes what was sent to the client.
  static std::string Sent(commands::Session& session) {
    std::string all;
    session.output.EndTick({});
    while (const size_t ready = session.output.Releasable({})) {
      all += session.output.front().substr(0, ready);
      session.output.Consume(ready);
    }
    return all;
  }

  storage::MemoryFileSystem files_;
  engine::Engine engine_{1};
  TestHost host_{DefaultConfig()};
  std::unique_ptr<engine::Journal> journal_;
  std::unique_ptr<commands::Dispatcher> dispatcher_;
  protocol::RequestParser parser_;
  commands::Session* session_ = nullptr;
  commands::Session* gateway_ = nullptr;
  commands::Time time_{.unix_us = 1'700'000'000'000'000, .monotonic_ms = 1000};
};

TEST_F(BusyServer, AStaleRequestIsANewOne) {
  Ask({"SECKILL.CREATE", "i", "STOCK", "9", "LIMIT", "0", "IDEM", "1000"});
  Ask({"SECKILL.CREATE", "j", "STOCK", "9", "LIMIT", "0", "IDEM", "1000"});
  EXPECT_EQ(Ask({"SECKILL.BUY", "i", "u", "REQID", "r"}),
            "*5\r\n:0\r\n$15\r\n1700000000000-0\r\n:8\r\n:1\r\n:0\r\n");
  EXPECT_EQ(Ask({"SECKILL.ADDSTOCK", "i", "1", "REQID", "s"}), "*2\r\n:10\r\n:9\r\n");
  EXPECT_EQ(Ask({"SECKILL.ADDSTOCK", "i", "1", "REQID", "t"}), "*2\r\n:11\r\n:10\r\n");
  EXPECT_EQ(Ask({"SECKILL.MBUY", "u", "ITEMS", "2", "i", "1", "j", "1", "REQID", "m"}).substr(0, 8),
            "*4\r\n:0\r\n");
  Advance(1000);
  EXPECT_EQ(Ask({"SECKILL.CONFIRM", "i", "1700000000000-0"}), ":12\r\n");
  EXPECT_EQ(Ask({"SECKILL.ORDER", "i", "REQID", "r"}), "$-1\r\n");
  EXPECT_EQ(Ask({"SECKILL.BUY", "i", "v", "REQID", "r"}),
            "*5\r\n:0\r\n$15\r\n1700000001000-0\r\n:8\r\n:1\r\n:0\r\n");
  // The second of two goes, and the first, which is older, with it.
  EXPECT_EQ(Ask({"SECKILL.ADDSTOCK", "i", "1", "REQID", "t"}), "*2\r\n:12\r\n:9\r\n");
  EXPECT_EQ(Ask({"SECKILL.BUY", "i", "v", "REQID", "s"}).substr(0, 8), "*5\r\n:0\r\n");
  EXPECT_EQ(Ask({"SECKILL.MBUY", "u", "ITEMS", "2", "j", "1", "i", "2", "REQID", "m"}).substr(0, 9),
            "*4\r\n:0\r\n:");
  EXPECT_EQ(Ask({"SECKILL.AUDIT", "i"}).substr(0, 1), "*");
  EXPECT_EQ(Ask({"SECKILL.AUDIT", "j"}).substr(0, 1), "*");
  const uint64_t before = engine_.StateHash();
  while (dispatcher_->RunBackgroundSlice()) {
  }
  EXPECT_EQ(engine_.StateHash(), before) << "what was stale is gone already";
}

// The wall clock jumps: no hold ends for that, and none is lengthened.
TEST_F(BusyServer, HoldsDoNotFollowTheWallClock) {
  host_.ConfigSet(std::vector<std::string_view>{"hold-grace-ms", "0"});
  Ask({"SECKILL.CREATE", "i", "STOCK", "9", "LIMIT", "0", "HOLD", "10000"});
  Ask({"SECKILL.BUY", "i", "u"});
  const auto due = dispatcher_->next_deadline_ms();
  ASSERT_EQ(due, time_.monotonic_ms + 10000);
  time_.unix_us += 3600ull * 1000 * 1000;
  Advance(9999);
  dispatcher_->RunDue();
  EXPECT_EQ(Ask({"SECKILL.USER", "i", "u"}).substr(0, 8), "*2\r\n:1\r\n");
  EXPECT_EQ(dispatcher_->next_deadline_ms(), due);
  time_.unix_us -= 7200ull * 1000 * 1000;
  Advance(1);
  dispatcher_->RunDue();
  EXPECT_EQ(Ask({"SECKILL.USER", "i", "u"}).substr(0, 8), "*2\r\n:0\r\n");
  EXPECT_EQ(dispatcher_->next_deadline_ms(), std::nullopt);
}

// A pause of writes is one of releases too; afterwards they are due at once.
TEST_F(BusyServer, HoldsOutlastAPause) {
  host_.ConfigSet(std::vector<std::string_view>{"hold-grace-ms", "0"});
  Ask({"SECKILL.CREATE", "i", "STOCK", "9", "HOLD", "1000"});
  Ask({"SECKILL.BUY", "i", "u"});
  EXPECT_EQ(Ask({"CLIENT", "PAUSE", "1500", "WRITE"}), "+OK\r\n");
  Advance(1000);
  EXPECT_EQ(dispatcher_->next_deadline_ms(), time_.monotonic_ms + 500);
  dispatcher_->RunDue();
  EXPECT_EQ(Ask({"SECKILL.USER", "i", "u"}).substr(0, 8), "*2\r\n:1\r\n");
  Advance(500);
  while (dispatcher_->next_deadline_ms()) dispatcher_->RunDue();
  EXPECT_EQ(Ask({"SECKILL.USER", "i", "u"}).substr(0, 8), "*2\r\n:0\r\n");
}

// Gateways hear when the last piece goes, and when there is one again, whatever was the cause; and nothing
// else.
TEST_F(BusyServer, TellsWhenNothingIsLeft) {
  host_.ConfigSet(std::vector<std::string_view>{"hold-grace-ms", "0"});
  Listen();
  Ask({"SECKILL.CREATE", "i", "STOCK", "2", "LIMIT", "0", "HOLD", "10000"});
  Ask({"SECKILL.CREATE", "j", "STOCK", "1", "LIMIT", "0", "MAXQTY", "1"});
  Ask({"SECKILL.BUY", "i", "u", "REQID", "a"});
  EXPECT_EQ(TakeHeard(), "");
  Ask({"SECKILL.BUY", "i", "u", "REQID", "b", "HOLD", "5000"});
  EXPECT_EQ(TakeHeard(), "__seckill__:i soldout\n");
  Ask({"SECKILL.TRY", "i", "u"});
  Ask({"SECKILL.BUY", "i", "u", "REQID", "a"});
  EXPECT_EQ(TakeHeard(), "");
  Ask({"SECKILL.CANCEL", "i", "REQID", "a"});
  EXPECT_EQ(TakeHeard(), "__seckill__:i restocked\n");
  Ask({"SECKILL.CONFIRM", "i", "REQID", "a", "REACQUIRE"});
  EXPECT_EQ(TakeHeard(), "__seckill__:i soldout\n");
  Ask({"RENAME", "i", "k"});
  Advance(5000);
  dispatcher_->RunDue();
  EXPECT_EQ(TakeHeard(), "__seckill__:k restocked\n");
  Ask({"SECKILL.ADDSTOCK", "k", "-1"});
  EXPECT_EQ(TakeHeard(), "__seckill__:k soldout\n");
  Ask({"SECKILL.ADDSTOCK", "k", "3", "REQID", "s"});
  Ask({"SECKILL.ADDSTOCK", "k", "3", "REQID", "s"});
  EXPECT_EQ(TakeHeard(), "__seckill__:k restocked\n");
  Ask({"SECKILL.MBUY", "u", "ITEMS", "2", "k", "1", "j", "1"});
  EXPECT_EQ(TakeHeard(), "__seckill__:j soldout\n");
  EXPECT_NE(Ask({"SECKILL.STATS", "j"}).find(":1700000005000\r\n"), std::string::npos);
}

// Thousands that are due at once leave most of each millisecond to others, and wait for a disk that is
// behind.
TEST_F(BusyServer, HoldsThatEndTogetherDoSoInSlices) {
  host_.ConfigSet(std::vector<std::string_view>{"hold-grace-ms", "0"});
  Ask({"SECKILL.CREATE", "i", "STOCK", "9000", "LIMIT", "0", "MAXQTY", "1", "HOLD", "1000", "STREAM", "s"});
  for (int i = 0; i < 4000; ++i) Ask({"SECKILL.TRY", "i", "u" + std::to_string(i)});
  const auto held = [&] { return engine_.Find(0, "i")->item().held(); };
  const auto commit = [&] {
    journal_->log().Submit();
    journal_->log().Reap();
  };
  commit();
  Advance(1000);
  dispatcher_->RunDue();
  EXPECT_EQ(held(), 4000u - 256) << "none ended for a long time: as many as a tick may";
  EXPECT_EQ(dispatcher_->next_deadline_ms(), time_.monotonic_ms + 1);
  dispatcher_->RunDue();
  EXPECT_EQ(held(), 4000u - 256) << "in the same millisecond";
  Advance(1);
  dispatcher_->RunDue();
  EXPECT_EQ(held(), 4000u - 256 - 128);
  // The first slice is not committed: two wait, and no third one comes.
  Advance(5);
  dispatcher_->RunDue();
  EXPECT_EQ(held(), 4000u - 256 - 128);
  commit();
  Advance(1);
  dispatcher_->RunDue();
  EXPECT_EQ(held(), 4000u - 256 - 128 - 256) << "six milliseconds to make up for, of which a tick may do two";
  for (int i = 0; i < 27; ++i) {
    commit();
    Advance(1);
    dispatcher_->RunDue();
  }
  EXPECT_EQ(held(), 0u);
  EXPECT_EQ(dispatcher_->next_deadline_ms(), std::nullopt);
}

// A disk without room stops the sale, and not the end of what is on hold: that goes on from the reserve.
TEST_F(BusyServer, HoldsEndThoughTheDiskIsFull) {
  host_.ConfigSet(std::vector<std::string_view>{"hold-grace-ms", "0"});
  Ask({"SECKILL.CREATE", "i", "STOCK", "90000", "LIMIT", "0", "HOLD", "10000"});
  Ask({"SECKILL.BUY", "i", "u"});
  files_.SetFreeBytes(0);
  const std::string filler(100000, 'x');
  while (Ask({"SET", "k", filler}) == "+OK\r\n") {
  }
  std::string refused;
  for (int i = 0; i < 20000 && !refused.starts_with("-DISKFULL"); ++i)
    refused = Ask({"SECKILL.TRY", "i", "u"});
  EXPECT_TRUE(refused.starts_with("-DISKFULL")) << refused;
  Advance(10000);
  EXPECT_NE(Ask({"SECKILL.USER", "i", "u"}).substr(0, 8), "*2\r\n:0\r\n");
  for (int i = 0; i < 1000 && dispatcher_->next_deadline_ms(); ++i) {
    dispatcher_->RunDue();
    journal_->log().Submit();
    journal_->log().Reap();
    Advance(1);
  }
  EXPECT_EQ(Ask({"SECKILL.USER", "i", "u"}).substr(0, 8), "*2\r\n:0\r\n");
  EXPECT_EQ(Ask({"SECKILL.AUDIT", "i"}).substr(0, 1), "*");
}

}  // namespace
}  // namespace sluice::tests
