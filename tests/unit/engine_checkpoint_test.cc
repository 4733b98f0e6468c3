// A checkpoint is the state at one moment, whatever changes while it is made: what is opened from it and the
// log behind it is what there was. MemoryStage compares the hashes at each crash and reopening by itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "random_conversation.h"
#include "server/engine/checkpoint_load.h"
#include "server/engine/field_codec.h"
#include "server/engine/journal.h"
#include "server/engine/state_record.h"
#include "storage/checkpoint_reader.h"
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
      if (random() % 15 == 0) {
        ASSERT_NO_THROW(stage.Crash()) << "seed " << seed << " step " << step;
      }
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

// Which records stand in a block, by type.
std::set<uint8_t> TypesIn(std::string_view block) {
  std::set<uint8_t> types;
  std::vector<engine::StreamId> ids;
  std::vector<engine::ObjectId> objects;
  for (engine::FieldReader reader{block, &ids, &objects}; !reader.in.empty();) {
    uint8_t type = 0;
    reader(type);
    engine::StateRecord record;
    EXPECT_TRUE(engine::ReadAs(type, reader, record) && reader.ok);
    types.insert(type);
  }
  return types;
}

TEST(Checkpoint, ACompactionIsShownTheBlocksThatTellOfMessages) {
  MemoryStage stage{DefaultConfig()};
  const auto buy = [&](const std::string& item) {
    stage.Ask("client", {"SECKILL.CREATE", item, "STOCK", "100000"});
    for (int i = 0; i < 3000; ++i) stage.Ask("client", {"SECKILL.BUY", item, "user:" + std::to_string(i)});
  };
  const auto append = [&](const std::string& stream) {
    for (const char* id : {"1-1", "2-1", "3-1"}) stage.Ask("client", {"XADD", stream, id, "f", "v"});
  };
  append("first");
  buy("i");
  append("second");
  stage.Ask("client", {"XDEL", "second", "2-1"});
  buy("j");
  append("last");
  stage.Reopen();
  const auto& loaded = stage.journal().loaded();
  const auto blocks = [&](storage::CheckpointReader::Part part) {
    auto reader = storage::CheckpointReader::Open(stage.files(), "data", loaded.sequence,
                                                  stage.journal().log().log_id());
    EXPECT_TRUE(reader.has_value());
    std::vector<std::string> taken;
    const auto take = [&](std::string_view block) -> storage::Result<void> {
      taken.emplace_back(block);
      return {};
    };
    uint64_t records = 0;
    if (auto read = reader->Read(take, &records, part); !read) taken = {read.error().message};
    return taken;
  };
  const std::vector<std::string> all = blocks(storage::CheckpointReader::Part::kAll);
  const std::vector<std::string> telling = blocks(storage::CheckpointReader::Part::kMessages);
  EXPECT_GT(all.size(), 2 * telling.size());
  std::set<uint8_t> shown;
  for (const std::string& block : all) {
    const std::set<uint8_t> types = TypesIn(block);
    const bool tells =
        types.contains(engine::StreamState::kType) || types.contains(engine::DeletedPart::kType);
    EXPECT_EQ(std::find(telling.begin(), telling.end(), block) != telling.end(), tells);
    if (tells) shown.insert(types.begin(), types.end());
  }
  EXPECT_TRUE(shown.contains(engine::StreamState::kType) && shown.contains(engine::DeletedPart::kType));
  // What is passed over is verified all the same.
  const std::string path = loaded.path;
  std::string bytes = stage.files().Contents(path);
  bytes[bytes.find("user:2999")] ^= 1;
  stage.files().SetContents(path, bytes);
  EXPECT_NE(blocks(storage::CheckpointReader::Part::kMessages).at(0).find("checksum does not match"),
            std::string::npos);
}

}  // namespace
}  // namespace sluice::tests
