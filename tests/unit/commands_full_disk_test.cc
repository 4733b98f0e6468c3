// A disk that is full, or that may be used no further: what makes the data more is refused, what hands it out
// and removes it goes on, and nothing is lost either way.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "protocol/request_parser.h"
#include "server/commands/dispatcher.h"
#include "server/config.h"
#include "server/engine/engine.h"
#include "server/engine/journal.h"
#include "storage/memory_file_system.h"
#include "tests/harness/socket_client.h"
#include "tests/harness/test_host.h"

namespace sluice::tests {
namespace {

constexpr std::string_view kRefusal =
    "-DISKFULL no space left for the log: writes are refused until there is\r\n";
constexpr uint64_t kSegmentBytes = 64 << 10;

class FullDiskTest : public testing::Test {
 protected:
  FullDiskTest() { Open(); }

  void Open() {
    journal_.reset();
    engine_ = std::make_unique<engine::Engine>(++lives_);
    storage::LogOptions options;
    options.directory = "/store";
    options.segment_bytes = kSegmentBytes;
    options.commit_path = storage::CommitPath::kInline;
    options.spare_segments = 0;
    storage::RecoveryReport report;
    auto journal = engine::Journal::Open(files_, options, *engine_, &report);
    ASSERT_TRUE(journal.has_value()) << journal.error().message;
    journal_ = std::move(*journal);
    dispatcher_ = std::make_unique<commands::Dispatcher>(*journal_, host_);
    session_ = &host_.Connect(1);
    dispatcher_->SetTime({.unix_us = 1'700'000'000'000'000, .monotonic_ms = 1});
  }

  std::string Ask(const std::vector<std::string>& words) {
    const std::string wire = EncodeRequest(words);
    EXPECT_EQ(parser_.Parse(wire), protocol::RequestParser::Status::kRequest);
    dispatcher_->Execute(*session_, parser_.request());
    session_->output.EndTick(log().tail());
    log().Submit();
    std::string reply = session_->output.bytes();
    session_->output.Consume(reply.size());
    return reply;
  }

  // Adds until an entry is refused; how many were not.
  int AddUntilRefused() {
    for (int added = 0;; ++added) {
      const std::string reply = Ask({"XADD", "s", "*", "f", std::string(500, 'x')});
      if (reply[0] != '$') {
        EXPECT_EQ(reply, kRefusal);
        return added;
      }
      if (added > 10'000) {
        ADD_FAILURE() << "nothing is refused";
        return added;
      }
    }
  }

  // What goes on: hands out everything, acknowledges, removes. True where none of it was refused.
  bool WorkOff() {
    const std::vector<std::vector<std::string>> requests = {
        {"XREADGROUP", "GROUP", "g", "c", "COUNT", "7", "STREAMS", "s", ">"},
        {"XREADGROUP", "GROUP", "g", "c", "COUNT", "7", "STREAMS", "s", "0"},
        {"XAUTOCLAIM", "s", "g", "d", "0", "-", "COUNT", "5"},
        {"XGROUP", "DELCONSUMER", "s", "g", "d"},
        {"XTRIM", "s", "MAXLEN", "10"},
        {"PEXPIRE", "old", "100000"},
        {"DEL", "old"},
    };
    for (const auto& request : requests) {
      if (Ask(request) == kRefusal) return false;
    }
    return true;
  }

  storage::Log& log() { return journal_->log(); }

  uint64_t lives_ = 0;
  storage::MemoryFileSystem files_;
  TestHost host_{DefaultConfig()};
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::Journal> journal_;
  std::unique_ptr<commands::Dispatcher> dispatcher_;
  commands::Session* session_ = nullptr;
  protocol::RequestParser parser_;
};

TEST_F(FullDiskTest, WorkIsHandedOutAndAcknowledgedWhileWritesAreRefused) {
  Ask({"XGROUP", "CREATE", "s", "g", "0", "MKSTREAM"});
  Ask({"SET", "old", "value"});
  files_.SetFreeBytes(2 * kSegmentBytes + 5000);
  const int added = AddUntilRefused();
  EXPECT_GT(added, 2 * 56'000 / 600);
  for (const std::vector<std::string>& refused : {std::vector<std::string>{"SET", "k", "v"},
                                                  {"XGROUP", "CREATE", "s", "h", "0"},
                                                  {"SECKILL.CREATE", "i", "STOCK", "5"}}) {
    EXPECT_EQ(Ask(refused), kRefusal) << refused[0];
  }
  // A transaction may use the reserve if everything in it may.
  Ask({"MULTI"});
  Ask({"XADD", "s", "*", "f", "v"});
  EXPECT_EQ(Ask({"EXEC"}), kRefusal);

  EXPECT_TRUE(WorkOff());
  const uint64_t hash = engine_->StateHash();
  journal_->log().Flush();
  Open();
  EXPECT_EQ(engine_->StateHash(), hash);
  EXPECT_TRUE(WorkOff()) << "after a restart as well";

  // Until the reserve is used up: then this is refused too, and nothing is lost by that.
  int more = 0;
  while (more < 10'000 && WorkOff()) ++more;
  EXPECT_GT(more, 5);
  EXPECT_LT(more, 10'000);
  EXPECT_FALSE(log().failure().has_value());

  files_.SetFreeBytes(storage::MemoryFileSystem::kNever);
  log().Tick(1000);
  EXPECT_EQ(Ask({"XADD", "s", "*", "f", "v"})[0], '$');
  const uint64_t last = engine_->StateHash();
  ASSERT_TRUE(log().Close().has_value());
  Open();
  EXPECT_EQ(engine_->StateHash(), last);
}

TEST_F(FullDiskTest, MaxdiskIsADiskOfThatSize) {
  constexpr uint64_t kMost = 5 * kSegmentBytes + 1000;
  Ask({"XGROUP", "CREATE", "s", "g", "0", "MKSTREAM"});
  log().set_max_disk_bytes(kMost);
  EXPECT_GT(AddUntilRefused(), 4 * 56'000 / 600);
  EXPECT_LE(files_.UsedBytes("/store").value(), kMost);
  EXPECT_GT(files_.UsedBytes("/store").value(), kMost - kSegmentBytes);
  EXPECT_TRUE(WorkOff());
  while (WorkOff()) {
  }
  EXPECT_LE(files_.UsedBytes("/store").value(), kMost) << "the reserve is part of it";

  log().set_max_disk_bytes(kMost + 2 * kSegmentBytes);
  EXPECT_GT(AddUntilRefused(), 50);
  log().set_max_disk_bytes(0);
  EXPECT_EQ(Ask({"XADD", "s", "*", "f", "v"})[0], '$');
  log().set_max_disk_bytes(1);
  AddUntilRefused();
}

// The reserve is there in the first place: growth leaves it alone even where one record would fit.
TEST_F(FullDiskTest, GrowthStopsWhereTheReserveBegins) {
  files_.SetFreeBytes(0);
  AddUntilRefused();
  const uint64_t left = kSegmentBytes - storage::Value(log().tail()) % kSegmentBytes;
  EXPECT_GE(left, kSegmentBytes / 8);
  EXPECT_LT(left, kSegmentBytes / 8 + 2000);
  EXPECT_EQ(Ask({"SET", "k", "v"}), kRefusal);
  EXPECT_EQ(Ask({"DEL", "s"}), ":1\r\n");
}

}  // namespace
}  // namespace sluice::tests
