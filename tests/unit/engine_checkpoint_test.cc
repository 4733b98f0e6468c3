// A checkpoint is the state at one moment, whatever changes while it is made: what is opened from it and the
// log behind it is what there was. MemoryStage compares the hashes at each crash and reopening by itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "random_conversation.h"
#include "server/engine/checkpoint_load.h"
#include "server/engine/journal.h"
#include "storage/checkpoint_format.h"
#include "storage/memory_file_system.h"
#include "tests/harness/memory_stage.h"

namespace sluice::tests {
namespace {

// The command generator's clock begins where the stage's does.
void Begin(MemoryStage& stage, Conversation& conversation) {
  const std::string id = stage.Ask("client", {"XADD", "s0", "*", "f", "v"}).reply.text;
  conversation.now_ms = std::stoull(id.substr(0, id.find('-')));
}

// Slices of a few records, one a request: everything changes in the middle of its own dump.
TEST(Checkpoint, ShowsTheMomentOfItsBeginning) {
  uint64_t opened_from_one = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    Conversation conversation(seed);
    auto& random = conversation.random();
    MemoryStage stage(DefaultConfig(),
                      {.checkpoint_slice_bytes = 1 + random() % 600, .one_slice_a_tick = true});
    Begin(stage, conversation);
    for (int step = 0; step < 400; ++step) {
      stage.Ask("client", conversation.Next());
      if (random() % 5 == 0) stage.Advance(1 + random() % 10);
      if (random() % 20 == 0) stage.Ask("keeper", {"BGSAVE"});
      if (random() % 60 != 0) continue;
      ASSERT_NO_THROW(random() % 4 == 0 ? stage.Reopen() : stage.Crash())
          << "seed " << seed << " step " << step;
      opened_from_one += stage.journal().loaded().path.empty() ? 0 : 1;
      ASSERT_TRUE(stage.journal().loaded().passed_over.empty()) << stage.journal().loaded().passed_over[0];
    }
  }
  EXPECT_GT(opened_from_one, 1000u);
}

TEST(Checkpoint, AfterACleanStopNothingIsReplayed) {
  MemoryStage stage{DefaultConfig()};
  for (int i = 0; i < 500; ++i) stage.Ask("client", {"XADD", "s", "*", "f", std::string(300, 'x')});
  stage.Reopen();
  EXPECT_EQ(stage.journal().loaded().replayed, 0u);
  EXPECT_EQ(stage.Ask("client", {"XLEN", "s"}).reply.text, "500");
  // And another one that changes nothing needs no checkpoint of its own.
  const uint64_t next = stage.journal().loaded().next_sequence;
  stage.Reopen();
  EXPECT_EQ(stage.journal().loaded().next_sequence, next);
}

TEST(Checkpoint, IsMadeByItselfAfterSoMuchLog) {
  Config config = DefaultConfig();
  config.checkpoint_log_bytes = 100'000;
  MemoryStage stage(config);
  for (int i = 0; i < 1000; ++i) stage.Ask("client", {"SET", "k", std::string(1000, 'x')});
  const uint64_t made = stage.journal().checkpointer().status().made;
  EXPECT_GE(made, 9u);
  EXPECT_LE(made, 11u);
  EXPECT_LT(stage.journal().checkpointer().log_bytes(), 110'000u);
  config.checkpoint_log_bytes = 0;
  MemoryStage never(config);
  for (int i = 0; i < 1000; ++i) never.Ask("client", {"SET", "k", std::string(1000, 'x')});
  EXPECT_EQ(never.journal().checkpointer().status().made, 0u);
}

// Values that take many slices, replaced, written into and removed in their midst.
TEST(Checkpoint, LongStringsChangeWhileTheyAreShown) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    std::mt19937_64 random(seed);
    MemoryStage stage(DefaultConfig(), {.checkpoint_slice_bytes = 20'000, .one_slice_a_tick = true});
    for (int step = 0; step < 60; ++step) {
      const std::string key = "k" + std::to_string(random() % 3);
      const std::string value(random() % 300'000, static_cast<char>('a' + random() % 26));
      const uint64_t dice = random() % 10;
      if (dice < 3) stage.Ask("client", {"SET", key, value});
      if (dice == 3) stage.Ask("client", {"APPEND", key, value.substr(0, 1000)});
      if (dice == 4)
        stage.Ask("client", {"SETRANGE", key, std::to_string(random() % 200'000), value.substr(0, 500)});
      if (dice == 5) stage.Ask("client", {"DEL", key});
      if (dice == 6) stage.Ask("client", {"RENAME", key, "k0"});
      if (dice > 6) stage.Ask("client", {"BGSAVE"});
      if (random() % 15 == 0) ASSERT_NO_THROW(stage.Crash()) << "seed " << seed << " step " << step;
    }
  }
}

TEST(Checkpoint, ManyObjectsEndWithoutBeingWrittenAtThatMoment) {
  MemoryStage stage(DefaultConfig(), {.checkpoint_slice_bytes = 2000, .one_slice_a_tick = true});
  for (int i = 0; i < 2000; ++i) stage.Ask("client", {"SET", "key" + std::to_string(i), "value"});
  stage.Ask("client", {"BGSAVE"});
  stage.Ask("client", {"FLUSHALL"});
  EXPECT_TRUE(stage.journal().checkpointer().status().under_way);
  int ticks = 0;
  while (stage.journal().checkpointer().status().under_way && ++ticks < 1000) stage.Ask("client", {"PING"});
  EXPECT_GT(ticks, 50);
  EXPECT_EQ(stage.journal().checkpointer().status().made, 1u);
  EXPECT_GT(stage.journal().checkpointer().status().last_bytes, 2000u * 30);
  ASSERT_NO_THROW(stage.Crash());
  EXPECT_EQ(stage.Ask("client", {"DBSIZE"}).reply.text, "0");
}

TEST(Checkpoint, TwoAreKeptAndADamagedOneIsPassedOver) {
  MemoryStage stage{DefaultConfig()};
  for (int i = 0; i < 5; ++i) {
    stage.Ask("client", {"XADD", "s", "*", "n", std::to_string(i)});
    stage.Ask("client", {"BGSAVE"});
    stage.Ask("client", {"PING"});
  }
  auto names = stage.files().List("data");
  ASSERT_TRUE(names);
  std::vector<std::string> checkpoints;
  for (const std::string& name : *names) {
    if (name.starts_with("checkpoint-")) checkpoints.push_back(name);
  }
  EXPECT_EQ(checkpoints, (std::vector<std::string>{"checkpoint-000000000004", "checkpoint-000000000005"}));
  const std::string newest = "data/" + checkpoints.back();
  std::string bytes = stage.files().Contents(newest);
  bytes[bytes.size() / 2] ^= 1;
  stage.files().SetContents(newest, bytes);
  ASSERT_NO_THROW(stage.Crash());
  EXPECT_EQ(stage.journal().loaded().path, "data/" + checkpoints.front());
  ASSERT_EQ(stage.journal().loaded().passed_over.size(), 1u);
  EXPECT_NE(stage.journal().loaded().passed_over[0].find(newest), std::string::npos);
  // With neither, everything is replayed.
  for (const std::string& name : checkpoints) stage.files().SetContents("data/" + name, "");
  ASSERT_NO_THROW(stage.Crash());
  EXPECT_TRUE(stage.journal().loaded().path.empty());
  EXPECT_EQ(stage.journal().loaded().passed_over.size(), 2u);
}

// Every byte of a checkpoint's file counts: with any of them changed, or with any end cut off, it is not
// taken.
TEST(Checkpoint, NoDamageGoesUnnoticed) {
  MemoryStage stage{DefaultConfig()};
  stage.Ask("client", {"SET", "k", "v"});
  stage.Ask("client", {"XADD", "s", "1-1", "f", "v"});
  stage.Ask("client", {"XADD", "s", "2-1", "f", "v"});
  stage.Ask("client", {"XADD", "s", "3-1", "f", "v"});
  stage.Ask("client", {"XDEL", "s", "2-1"});
  stage.Ask("client", {"XGROUP", "CREATE", "s", "g", "0"});
  stage.Ask("client", {"XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">"});
  stage.Ask("client", {"SECKILL.CREATE", "i", "STOCK", "5"});
  stage.Ask("client", {"SECKILL.BUY", "i", "u"});
  stage.Reopen();
  const std::string path = stage.journal().loaded().path;
  ASSERT_FALSE(path.empty());
  const std::string whole = stage.files().Contents(path);
  const auto load = [&](const std::string& bytes) {
    stage.files().SetContents(path, bytes);
    engine::Engine engine(1);
    return engine::LoadNewestCheckpoint(stage.files(), "data", engine);
  };
  ASSERT_EQ(load(whole)->path, path);
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << at % 8));
    const auto loaded = load(damaged);
    EXPECT_TRUE(!loaded || loaded->path.empty()) << "flipped at " << at;
    const auto cut = load(whole.substr(0, at));
    EXPECT_TRUE(!cut || cut->path.empty()) << "cut at " << at;
  }
  EXPECT_TRUE(load(whole + 'x')->path.empty());
}

// The disk loses power, fails or is full at any moment of a checkpoint's making, under every durability: a
// store can always be opened, holds what was promised and nothing that was never there.
class PowerLoss {
 public:
  explicit PowerLoss(uint64_t seed) : random_(seed) {}

  void Run() {
    for (int life = 0; life < 4; ++life) {
      Open();
      if (testing::Test::HasFatalFailure()) return;
      Live();
      End();
    }
    Open();
  }
  uint64_t begun_with_one() const { return begun_with_one_; }

 private:
  bool OneIn(uint64_t n) { return random_() % n == 0; }

  void Open() {
    durability_ = static_cast<storage::Durability>(random_() % 3);
    engine_ = std::make_unique<engine::Engine>(random_());
    storage::LogOptions options;
    options.directory = "data";
    options.segment_bytes = 64 << 10;
    options.durability = durability_;
    options.commit_path = storage::CommitPath::kInline;
    options.direct_io = false;
    options.spare_segments = 0;
    storage::RecoveryReport report;
    auto journal = engine::Journal::Open(
        files_, options, *engine_, &report,
        {.log_bytes = 3000, .bytes_per_second = 0, .slice_bytes = 300, .background = false},
        {.dead_percent = 30, .bytes_per_second = 0, .background = false});
    ASSERT_TRUE(journal.has_value()) << journal.error().message;
    journal_ = std::move(*journal);
    begun_with_one_ += journal_->loaded().path.empty() ? 0 : 1;
    const auto found =
        std::find(hashes_.begin() + static_cast<ptrdiff_t>(promised_), hashes_.end(), engine_->StateHash());
    if (hashes_.empty()) {
      hashes_.push_back(engine_->StateHash());
    } else {
      ASSERT_NE(found, hashes_.end()) << "a state that never was, or less than was promised";
      hashes_.erase(found + 1, hashes_.end());
    }
    ends_.assign(hashes_.size(), storage::Lsn{});
    promised_ = hashes_.size() - 1;
  }

  void Live() {
    if (OneIn(3)) files_.FailWrites(random_() % 60);
    if (OneIn(4)) files_.FailSyncs(random_() % 30);
    if (OneIn(6)) files_.SetFreeBytes(random_() % 200'000);
    for (uint64_t steps = random_() % 150; steps > 0 && !journal_->log().failure(); --steps) {
      Record();
      if (OneIn(3)) journal_->checkpointer().RunSlice(1);
      if (OneIn(4)) journal_->log().Submit();
      if (OneIn(8)) journal_->log().Tick(now_ms_ += random_() % 700);
      if (OneIn(30)) journal_->checkpointer().Request(engine::CheckpointReason::kSave);
    }
  }

  void Record() {
    const engine::Keyspace& keys = engine_->keys();
    const std::string name = "k" + std::to_string(random_() % 20);
    const std::string value(random_() % 200, static_cast<char>('a' + random_() % 26));
    std::vector<engine::Event> events;
    if (const engine::Object* object = keys.Find(0, name)) {
      events.push_back(OneIn(3) ? engine::Event(engine::RemoveKey{object->id})
                                : engine::SetString{object->id, value});
    } else {
      const engine::ObjectId id = keys.NextId();
      events.push_back(engine::CreateKey{id, 0, engine::ObjectType::kString, name});
      events.push_back(engine::SetString{id, value});
    }
    if (!journal_->Record(events)) return;
    hashes_.push_back(engine_->StateHash());
    ends_.push_back(journal_->log().tail());
  }

  size_t Below(storage::Lsn lsn) const {
    size_t count = promised_;
    while (count + 1 < ends_.size() && ends_[count + 1] <= lsn) ++count;
    return count;
  }

  void End() {
    if (OneIn(4) && journal_->Close(OneIn(2), 1)) {
      promised_ = hashes_.size() - 1;
    } else if (OneIn(2)) {  // killed
      promised_ = Below(journal_->log().committed());
    } else {
      promised_ = Below(journal_->log().stable());
      files_.Crash(random_());
    }
    journal_.reset();
    engine_.reset();
    files_.FailWrites(storage::MemoryFileSystem::kNever);
    files_.FailSyncs(storage::MemoryFileSystem::kNever);
    files_.SetFreeBytes(storage::MemoryFileSystem::kNever);
  }

  std::mt19937_64 random_;
  storage::MemoryFileSystem files_;
  storage::Durability durability_ = storage::Durability::kAlways;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::Journal> journal_;
  std::vector<uint64_t> hashes_;    // of the state after each record; the first: of what was opened
  std::vector<storage::Lsn> ends_;  // where each record ends; 0 for those of earlier lives
  size_t promised_ = 0;             // the one that must be there
  uint64_t now_ms_ = 0;
  uint64_t begun_with_one_ = 0;
};

TEST(Checkpoint, SurvivesPowerLossAtEveryStep) {
  uint64_t begun_with_one = 0;
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    PowerLoss life(seed);
    life.Run();
    begun_with_one += life.begun_with_one();
    if (HasFailure()) return;
  }
  EXPECT_GT(begun_with_one, 3000u);
}

}  // namespace
}  // namespace sluice::tests
