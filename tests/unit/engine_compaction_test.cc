// A compaction changes nothing but the disk: whatever could be read before can be read after, from the files
// that it left, in the life that it happened in and in the next.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "random_conversation.h"
#include "server/engine/journal.h"
#include "storage/checkpoint_reader.h"
#include "storage/format.h"
#include "tests/harness/memory_stage.h"

namespace sluice::tests {
namespace {

Config OftenCompacted() {
  Config config = DefaultConfig();
  config.compaction_dead_percent = 10;
  return config;
}

// Two, so that the older one lies behind what was done before.
void MakeCheckpoints(MemoryStage& stage, int count = 2) {
  for (int i = 0; i < count; ++i) {
    stage.Ask("keeper", {"SET", "mark", std::to_string(i)});
    stage.Ask("keeper", {"BGSAVE"});
  }
}

const storage::CompactionStatus& StatusOf(MemoryStage& stage) {
  return stage.journal().compactor().status();
}

void Append(MemoryStage& stage, const std::string& key, int count) {
  for (int i = 0; i < count; ++i) stage.Ask("client", {"XADD", key, "*", "f", std::string(400, 'x')});
}

std::string Text(const Reply& reply) {
  std::string text = reply.text + ",";
  for (const Reply& element : reply.elements) text += Text(element);
  return text + ";";
}

// Every entry of every stream, as a client reads it.
std::vector<std::string> Everything(MemoryStage& stage) {
  std::vector<std::string> all;
  for (int i = 0; i < 8; ++i) {
    const std::string key = "s" + std::to_string(i);
    all.push_back(Text(stage.Ask("reader", {"XRANGE", key, "-", "+"}).reply));
    all.push_back(Text(stage.Ask("reader", {"XREVRANGE", key, "+", "-", "COUNT", "3"}).reply));
  }
  return all;
}

TEST(Compaction, GivesTheDiskBackWhatWasTrimmed) {
  MemoryStage stage{OftenCompacted()};
  Append(stage, "s", 1000);
  const uint64_t segments = stage.journal().log().stats().segments;
  ASSERT_GT(segments, 5u);
  stage.Ask("client", {"XTRIM", "s", "MAXLEN", "10"});
  Append(stage, "other", 200);  // so that what is dead is sealed
  MakeCheckpoints(stage, 6);
  EXPECT_GT(StatusOf(stage).segments_removed, 3u) << "nothing lives in the log's first segments";
  EXPECT_LT(stage.journal().log().stats().segments, segments);
  EXPECT_GT(StatusOf(stage).bytes_freed, 100'000u);
  EXPECT_EQ(StatusOf(stage).last_error, "");
  stage.Crash();
  EXPECT_EQ(stage.Ask("client", {"XLEN", "s"}).reply.text, "10");
  EXPECT_EQ(stage.Ask("client", {"XLEN", "other"}).reply.text, "200");
}

TEST(Compaction, ReadsNoRecordOfASegmentInWhichNothingIsLeft) {
  MemoryStage stage{OftenCompacted()};
  stage.Ask("client", {"XADD", "kept", "*", "f", "v"});
  Append(stage, "s", 1000);
  stage.Ask("client", {"DEL", "s"});
  Append(stage, "other", 200);
  // All that the dead segments hold is damaged now, but for their first blocks.
  for (uint64_t sequence = 2; sequence < 5; ++sequence) {
    const std::string path = "data/" + storage::SegmentName(sequence);
    std::string bytes = stage.files().Contents(path);
    for (size_t at = 2 * storage::kBlockBytes; at < bytes.size(); ++at) bytes[at] ^= 1;
    stage.files().SetContents(path, bytes);
  }
  MakeCheckpoints(stage, 3);
  EXPECT_EQ(StatusOf(stage).last_error, "");
  EXPECT_GT(StatusOf(stage).segments_rewritten, 3u);
  stage.Reopen();
  EXPECT_EQ(stage.Ask("client", {"XLEN", "kept"}).reply.text, "1");
  EXPECT_EQ(stage.Ask("client", {"EXISTS", "s"}).reply.text, "0");
  EXPECT_EQ(stage.Ask("client", {"XLEN", "other"}).reply.text, "200");
}

// Of the newest checkpoint's file all but the header is damaged.
void DamageNewestCheckpoint(MemoryStage& stage) {
  std::vector<std::string> unfinished;
  const uint64_t newest = storage::FindCheckpoints(stage.files(), "data", &unfinished)->back();
  const std::string path = "data/" + storage::CheckpointName(newest);
  std::string bytes = stage.files().Contents(path);
  for (size_t at = storage::CheckpointHeader::kBytes; at < bytes.size(); ++at) bytes[at] ^= 1;
  stage.files().SetContents(path, bytes);
}

TEST(Compaction, ReadsNoCheckpointWhereNothingHasDiedSinceTheLastPass) {
  MemoryStage stage{DefaultConfig()};
  for (int life = 0; life < 2; ++life) {
    Append(stage, "s", 1000);
    // The first passes of a life do not know what died before it.
    MakeCheckpoints(stage, 4);
    for (int i = 0; i < 5; ++i) {
      DamageNewestCheckpoint(stage);
      const uint64_t passes = StatusOf(stage).passes;
      Append(stage, "s", 300);
      MakeCheckpoints(stage, 1);
      EXPECT_EQ(StatusOf(stage).passes, passes + 1);
      EXPECT_EQ(StatusOf(stage).last_error, "");
    }
    MakeCheckpoints(stage, 1);  // two whole ones for the next life
    EXPECT_EQ(StatusOf(stage).last_error, "");
    stage.Crash();
  }
}

TEST(Compaction, LooksAgainOnceSomethingHasDied) {
  const std::vector<std::vector<std::string>> deaths = {
      {"XTRIM", "s", "MAXLEN", "500"},
      {"XDEL", "s", "1-7"},
      {"XADD", "s", "MAXLEN", "3", "*", "f", "v"},
      {"DEL", "s"},
      {"FLUSHDB"},
      {"SET", "s", "other"},
      {"RENAME", "t", "s"},
  };
  for (const auto& death : deaths) {
    SCOPED_TRACE(death[0]);
    MemoryStage stage{DefaultConfig()};
    stage.Ask("client", {"XADD", "t", "*", "f", "v"});
    stage.Ask("client", {"XADD", "s", "1-7", "f", "v"});
    Append(stage, "s", 1000);
    MakeCheckpoints(stage, 5);
    stage.Ask("client", death);
    MakeCheckpoints(stage, 1);
    DamageNewestCheckpoint(stage);
    EXPECT_EQ(StatusOf(stage).last_error, "");
    MakeCheckpoints(stage, 1);
    EXPECT_NE(StatusOf(stage).last_error, "") << "it has read what is damaged";
    // A pass that failed has looked at nothing, so the next one does.
    const uint64_t errors = StatusOf(stage).errors;
    DamageNewestCheckpoint(stage);
    MakeCheckpoints(stage, 1);
    EXPECT_EQ(StatusOf(stage).errors, errors + 1);
  }
}

TEST(Compaction, TakesWhatIsNoMessageThoughNothingHasDied) {
  MemoryStage stage{DefaultConfig()};
  Append(stage, "s", 200);
  MakeCheckpoints(stage, 4);
  const uint64_t rewritten = StatusOf(stage).segments_rewritten;
  for (int i = 0; i < 200; ++i) stage.Ask("client", {"SET", "string", std::string(1000, 'x')});
  Append(stage, "s", 200);
  MakeCheckpoints(stage, 4);
  EXPECT_GT(StatusOf(stage).segments_rewritten, rewritten + 2);
  EXPECT_EQ(stage.Ask("client", {"XLEN", "s"}).reply.text, "400");
}

TEST(Compaction, LooksAgainWhenLessNeedsToBeDead) {
  Config config = DefaultConfig();
  config.compaction_dead_percent = 95;
  MemoryStage stage{config};
  Append(stage, "s", 1000);
  stage.Ask("client", {"XTRIM", "s", "MAXLEN", "5"});
  Append(stage, "other", 200);
  MakeCheckpoints(stage, 4);
  DamageNewestCheckpoint(stage);
  MakeCheckpoints(stage, 1);
  EXPECT_EQ(StatusOf(stage).last_error, "");
  stage.SetDeadPercent(10);
  DamageNewestCheckpoint(stage);
  MakeCheckpoints(stage, 1);
  EXPECT_NE(StatusOf(stage).last_error, "");
}

TEST(Compaction, LeavesAStubOfWhatWasDeletedInTheMiddle) {
  MemoryStage stage{OftenCompacted()};
  for (int i = 1; i <= 600; ++i)
    stage.Ask("client", {"XADD", "s", "1-" + std::to_string(i), "f", std::string(400, 'x')});
  stage.Ask("client", {"XGROUP", "CREATE", "s", "g", "0"});
  for (int i = 1; i <= 600; ++i)
    if (i % 5 != 1) stage.Ask("client", {"XDEL", "s", "1-" + std::to_string(i)});
  Append(stage, "other", 300);
  MakeCheckpoints(stage, 4);
  ASSERT_GT(StatusOf(stage).segments_rewritten, 2u);
  for (int life = 0; life < 3; ++life) {
    EXPECT_EQ(stage.Ask("client", {"XLEN", "s"}).reply.text, "120");
    EXPECT_EQ(stage.Ask("client", {"XRANGE", "s", "1-7", "1-15"}).reply.elements.size(), 1u);
    EXPECT_EQ(stage.Ask("client", {"XRANGE", "s", "-", "+"}).reply.elements.size(), 120u);
    life == 0 ? stage.Crash() : stage.Reopen();
  }
}

TEST(Compaction, OfAStreamThatWasEmptiedNothingComesBack) {
  MemoryStage stage{OftenCompacted()};
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 60; ++i)
      stage.Ask("client", {"XADD", "s", "9-" + std::to_string(i + 1), "f", std::string(300, 'x')});
    stage.Ask("client", {"XTRIM", "s", "MAXLEN", "0"});
    stage.Ask("client", {"XSETID", "s", "0-0"});  // the same IDs again
    Append(stage, "other", 40);
  }
  stage.Ask("client", {"XADD", "s", "9-30", "f", "alive"});
  Append(stage, "other", 300);
  MakeCheckpoints(stage, 4);
  ASSERT_GT(StatusOf(stage).segments_rewritten, 0u);
  for (int life = 0; life < 3; ++life) {
    EXPECT_EQ(stage.Ask("client", {"XLEN", "s"}).reply.text, "1");
    EXPECT_EQ(stage.Ask("client", {"XRANGE", "s", "-", "+"}).reply.elements.size(), 1u);
    life == 0 ? stage.Crash() : stage.Reopen();
  }
}

TEST(Compaction, ChangesNothingThatCanBeRead) {
  uint64_t rewritten = 0;
  uint64_t removed = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Conversation conversation(seed);
    auto& random = conversation.random();
    MemoryStage stage{OftenCompacted()};
    const std::string id = stage.Ask("client", {"XADD", "s0", "*", "f", "v"}).reply.text;
    conversation.now_ms = std::stoull(id.substr(0, id.find('-')));
    for (int step = 0; step < 1500; ++step) {
      stage.Ask("client", conversation.Next());
      if (random() % 3 == 0)
        stage.Ask("client",
                  {"XADD", "s" + std::to_string(random() % 3), "*", "f", std::string(random() % 900, 'x')});
      if (random() % 100 != 0) continue;
      const std::vector<std::string> before = Everything(stage);
      MakeCheckpoints(stage, 1 + static_cast<int>(random() % 3));
      ASSERT_EQ(Everything(stage), before) << "seed " << seed << " step " << step;
      ASSERT_EQ(StatusOf(stage).last_error, "");
      rewritten += StatusOf(stage).segments_rewritten;
      removed += StatusOf(stage).segments_removed;
      if (random() % 2 == 0) continue;
      ASSERT_NO_THROW(random() % 3 == 0 ? stage.Reopen() : stage.Crash())
          << "seed " << seed << " step " << step;
      ASSERT_EQ(Everything(stage), before) << "seed " << seed << " step " << step;
    }
  }
  EXPECT_GT(rewritten, 100u);
  EXPECT_GT(removed, 20u);
}

}  // namespace
}  // namespace sluice::tests
