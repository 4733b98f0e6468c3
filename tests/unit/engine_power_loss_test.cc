// Random lives of a whole server but for its sockets: commands, dispatcher, engine and log, over a disk that
// loses power, tears writes and fails. After each life the state must be the one that the server had at one
// of its commits, not older than the last that a client was told of. The state's hash says so of everything
// in it: entries, groups, pending lists, stock, strings.
#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "lying_file_system.h"
#include "protocol/request_parser.h"
#include "server/commands/dispatcher.h"
#include "server/config.h"
#include "server/engine/engine.h"
#include "server/engine/journal.h"
#include "storage/memory_file_system.h"
#include "tests/harness/seeds.h"
#include "tests/harness/socket_client.h"
#include "tests/harness/test_host.h"

namespace sluice::tests {
namespace {

using storage::Lsn;

constexpr uint64_t kSeeds = Seeds(10'000);
constexpr uint64_t kStartUnixUs = 1'700'000'000'000'000;

enum class Bug { kNone, kReplyBeforeCommit, kIgnoredSyncError };

// What clients of a shop's server ask for. Each request is one record at most, so that every state at the end
// of one is a state that a recovery may find.
class Shop {
 public:
  explicit Shop(std::mt19937_64& random) : random_(random) {}

  std::vector<std::string> Next(uint64_t now_ms) {
    now_ms_ = now_ms;
    switch (random_() % 24) {
      default:
        return {"XADD", Key(), "*", "field", std::string(random_() % 300, 'x')};
      case 8:
        return {"XADD", Key(), "MAXLEN", "=", Number(9), "*", "f", "v"};
      case 9:
        return {"XTRIM", Key(), "MAXLEN", Number(9)};
      case 10:
        return {"XDEL", Key(), Id(), Id()};
      case 11:
        return {"XGROUP", "CREATE", Key(), Group(), "0", "MKSTREAM"};
      case 12:
      case 13:
      case 14:
        return {"XREADGROUP", "GROUP", Group(), Consumer(), "COUNT", Number(5), "STREAMS", Key(), ">"};
      case 15:
      case 16:
        return {"XACK", Key(), Group(), Id(), Id()};
      case 17:
        return {"XCLAIM", Key(), Group(), Consumer(), "0", Id(), Id(), "FORCE"};
      case 18:
        return {"SECKILL.CREATE", "item", "STOCK", "30", "STREAM", Key()};
      case 19:
      case 20:
      case 21:
        return {"SECKILL.BUY", "item", "user" + Number(40)};
      case 22:
        return {"INCRBY", "n", Number(100)};
      case 23:
        if (random_() % 4 != 0) return {"XAUTOCLAIM", Key(), Group(), Consumer(), "0", "-"};
        return {"DEL", random_() % 2 == 0 ? Key() : "item"};
    }
  }

 private:
  std::string Number(uint64_t limit) { return std::to_string(random_() % limit); }
  std::string Key() { return "s" + Number(2); }
  std::string Group() { return "g" + Number(2); }
  std::string Consumer() { return "c" + Number(2); }
  std::string Id() { return std::to_string(now_ms_ - random_() % 8) + "-" + Number(2); }

  std::mt19937_64& random_;
  uint64_t now_ms_ = 0;
};

class Simulation {
 public:
  Simulation(uint64_t seed, Bug bug)
      : bug_(bug),
        random_(seed),
        shop_(random_),
        files_(memory_, bug == Bug::kIgnoredSyncError ? storage::Lie::kSyncErrors : storage::Lie::kNone) {}

  void Run() {
    const uint64_t lives = 2 + random_() % 3;
    for (uint64_t life = 0; life < lives; ++life) {
      Open();
      Live();
      End();
    }
    Open();
  }

 private:
  void Open() {
    engine_ = std::make_unique<engine::Engine>(random_());
    storage::LogOptions options;
    options.directory = "/store";
    options.segment_bytes = 64 << 10;
    options.commit_path = storage::CommitPath::kInline;
    options.spare_segments = 0;
    options.new_log_id = 7;
    storage::RecoveryReport report;
    auto journal = engine::Journal::Open(files_, options, *engine_, &report);
    if (!journal) throw std::runtime_error("it does not open: " + journal.error().message);
    journal_ = std::move(*journal);
    const Lsn end = journal_->log().tail();
    if (end < promised_) throw std::runtime_error("what a client was told is gone");
    // The state at the last commit that is still there. (Empty batches move the end a little further.)
    const auto state = std::prev(states_.upper_bound(end));
    if (engine_->StateHash() != state->second)
      throw std::runtime_error("the state is none that there has been");
    states_ = {{Lsn{0}, empty_}, {end, state->second}};
    promised_ = end;
    host_ = std::make_unique<TestHost>(DefaultConfig());
    dispatcher_ = std::make_unique<commands::Dispatcher>(*journal_, *host_);
    session_ = &host_->Connect(1);
  }

  void Live() {
    if (random_() % 3 == 0) memory_.FailWrites(random_() % 15);
    if (random_() % 3 == 0) memory_.FailSyncs(random_() % 15);
    storage::Log& log = journal_->log();
    const uint64_t steps = random_() % 50;
    for (uint64_t step = 0; step < steps && !log.failure(); ++step) {
      now_us_ += 1000;
      dispatcher_->SetTime({.unix_us = now_us_, .monotonic_ms = now_us_ / 1000});
      Ask(shop_.Next(now_us_ / 1000));
      if (random_() % 3 == 0) log.Submit();
      if (random_() % 16 == 0) log.Tick(now_us_ / 1000 + 200 * step);
    }
  }

  void Ask(const std::vector<std::string>& words) {
    const std::string wire = EncodeRequest(words);
    if (parser_.Parse(wire) != protocol::RequestParser::Status::kRequest)
      throw std::logic_error("not a request");
    dispatcher_->Execute(*session_, parser_.request());
    session_->output.EndTick(journal_->log().tail());
    session_->output.Consume(session_->output.size());
    states_[journal_->log().tail()] = engine_->StateHash();
  }

  void End() {
    storage::Log& log = journal_->log();
    promised_ = std::max(promised_, bug_ == Bug::kReplyBeforeCommit ? log.tail() : log.committed());
    const uint64_t how = random_() % 4;
    if (how == 0 && log.Close()) promised_ = std::max(promised_, std::prev(states_.end())->first);
    if (how != 1) memory_.Crash(random_());  // else killed: what the disk has, stays
    dispatcher_->Drop(*session_);
    dispatcher_.reset();
    host_.reset();
    journal_.reset();
    memory_.FailWrites(storage::MemoryFileSystem::kNever);
    memory_.FailSyncs(storage::MemoryFileSystem::kNever);
  }

  const Bug bug_;
  std::mt19937_64 random_;
  Shop shop_;
  storage::MemoryFileSystem memory_;
  storage::LyingFileSystem files_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::Journal> journal_;
  std::unique_ptr<TestHost> host_;
  std::unique_ptr<commands::Dispatcher> dispatcher_;
  commands::Session* session_ = nullptr;
  protocol::RequestParser parser_;
  uint64_t now_us_ = kStartUnixUs;

  const uint64_t empty_ = engine::Engine(0).StateHash();
  std::map<Lsn, uint64_t> states_{{Lsn{0}, empty_}};  // the state's hash where the log was so long
  Lsn promised_{};                                    // clients know of what stands before it
};

// The first seed that goes wrong, and how.
std::optional<std::string> WhatIsWrong(Bug bug) {
  return FirstWrong(kSeeds, [bug](uint64_t seed) { Simulation(seed, bug).Run(); });
}

TEST(ServerPowerLoss, TheStateIsOneThatTheServerHadAndNoneThatWasForgotten) {
  const auto wrong = WhatIsWrong(Bug::kNone);
  EXPECT_FALSE(wrong.has_value()) << *wrong;
}

TEST(ServerPowerLoss, FindsPlantedBugs) {
  for (const Bug bug : {Bug::kReplyBeforeCommit, Bug::kIgnoredSyncError}) {
    const auto caught = WhatIsWrong(bug);
    ASSERT_TRUE(caught.has_value()) << static_cast<int>(bug);
    std::cout << "caught by " << *caught << '\n';
  }
}

}  // namespace
}  // namespace sluice::tests
