// Retention: what goes by itself, how far, and in how small steps.
#include "server/commands/stream_sweep.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/harness/loose_engine.h"
#include "tests/harness/memory_stage.h"

namespace sluice::commands {
namespace {

using engine::ObjectId;
using engine::ObjectType;
using engine::SizeWalk;
using engine::StreamId;
using tests::LooseEngine;
using tests::MemoryStage;

constexpr uint64_t kDayMs = 86'400'000;

Time At(uint64_t ms) {
  return {.unix_us = ms * 1000, .monotonic_ms = ms, .steady_ms = ms};
}

// Applies every trim of one slice; how many there were.
size_t RunSlice(StreamSweep& sweep, LooseEngine& loose, const StreamSweep::Limits& limits, Time now) {
  size_t trims = 0;
  if (!sweep.BeginSlice(loose.engine(), limits, now)) return 0;
  for (; const auto trim = sweep.Next(loose.engine()); ++trims) loose.Apply(*trim);
  return trims;
}

TEST(Retention, TrimsAStreamOfManyRunsInSteps) {
  LooseEngine loose;
  const ObjectId id = loose.Create(ObjectType::kStream, "s");
  // A day between two IDs: each entry is a run of its own.
  for (uint64_t day = 1; day <= 1000; ++day) loose.Append(id, {day * kDayMs, 0});
  const engine::Stream& stream = loose.stream(id);
  EXPECT_EQ(stream.PlanTrimBelow({kDayMs, 0}, 256), std::nullopt);
  EXPECT_EQ(stream.PlanTrimBelow({101 * kDayMs, 0}, 256), (StreamId{101 * kDayMs - 1, UINT64_MAX}));
  EXPECT_EQ(stream.PlanTrimBelow({901 * kDayMs, 0}, 256), (StreamId{256 * kDayMs, 0}));

  StreamSweep sweep;
  const Time now = At(1000 * kDayMs);
  EXPECT_EQ(RunSlice(sweep, loose, {.ms = 99 * kDayMs}, now), 4u);
  EXPECT_EQ(stream.length(), 100u);
  EXPECT_EQ(stream.first_id(), (StreamId{901 * kDayMs, 0}));
  EXPECT_EQ(stream.max_deleted_id(), StreamId{});
}

TEST(Retention, CountsBytesFromTheNewestRunBack) {
  LooseEngine loose;
  const ObjectId id = loose.Create(ObjectType::kStream, "s");
  const uint64_t each = [&] {
    loose.Append(id, {kDayMs, 0}, std::string(100, 'x'));
    return engine::EntryBytes(*loose.stream(id).Find({kDayMs, 0}));
  }();
  EXPECT_EQ(each, 37u + 7 + 6 + 102);
  for (uint64_t day = 2; day <= 10; ++day) {
    for (uint64_t n = 0; n < 4; ++n) loose.Append(id, {day * kDayMs, n}, std::string(100, 'x'));
  }
  const engine::Stream& stream = loose.stream(id);
  SizeWalk walk;
  size_t runs = 2;
  EXPECT_FALSE(stream.MeasureBack(walk, 9 * each, runs));
  EXPECT_EQ(walk.bytes, 8 * each);
  runs = 2;
  EXPECT_TRUE(stream.MeasureBack(walk, 9 * each, runs));
  EXPECT_EQ(runs, 1u);
  EXPECT_EQ(walk.bytes, 12 * each);
  EXPECT_EQ(walk.above, (StreamId{8 * kDayMs, 0}));

  // Of a run from which half was deleted half counts.
  for (uint64_t n = 0; n < 2; ++n) {
    const StreamId deleted[] = {{9 * kDayMs, n}};
    loose.Apply(engine::DeleteEntries{id, deleted});
  }
  walk = {};
  runs = 9;
  EXPECT_TRUE(stream.MeasureBack(walk, 7 * each, runs));
  EXPECT_EQ(walk.bytes, 10 * each);
  // To the front, where there is not so much.
  walk = {};
  runs = 1000;
  EXPECT_TRUE(stream.MeasureBack(walk, UINT64_MAX, runs));
  EXPECT_EQ(walk.bytes, 35 * each);
  EXPECT_EQ(runs, 990u);
}

// However many streams there are, a slice looks at few, and a tenth of a second at few slices.
TEST(Retention, LooksAtFewStreamsAtOnce) {
  LooseEngine loose(16 << 20);
  constexpr size_t kStreams = 30'000;
  for (size_t i = 0; i < kStreams; ++i) {
    const ObjectId id = loose.Create(ObjectType::kStream, "s" + std::to_string(i));
    loose.Append(id, {1, 1});
    loose.Append(id, {kDayMs, 1});
  }
  StreamSweep sweep;
  const StreamSweep::Limits limits{.ms = 1000};
  uint64_t ms = kDayMs;
  size_t trims = 0;
  uint64_t took_ms = 0;
  for (; trims < kStreams; ms += 100, took_ms += 100) {
    size_t in_period = 0;
    do {
      const size_t in_slice = RunSlice(sweep, loose, limits, At(ms));
      ASSERT_LE(in_slice, 512u / 16 + 1);
      in_period += in_slice;
    } while (sweep.has_more());
    ASSERT_GT(in_period, 0u);
    ASSERT_LE(in_period, 10'000u / 16 + 20);
    trims += in_period;
  }
  EXPECT_GE(trims, kStreams);
  // A stream that is looked at and not trimmed costs one step.
  EXPECT_LT(took_ms, 6000u);
}

TEST(Retention, IsNoWorkWhereNothingHasALimit) {
  LooseEngine loose;
  const ObjectId id = loose.Create(ObjectType::kStream, "s");
  loose.Append(id, {1, 1});
  StreamSweep sweep;
  EXPECT_FALSE(sweep.BeginSlice(loose.engine(), {}, At(kDayMs)));
  EXPECT_FALSE(sweep.has_more());
  loose.Apply(engine::SetRetention{id, 1, std::nullopt});
  EXPECT_EQ(RunSlice(sweep, loose, {}, At(kDayMs)), 1u);
  // The next round is a second later.
  loose.Append(id, {1, 2});
  EXPECT_EQ(RunSlice(sweep, loose, {}, At(kDayMs + 999)), 0u);
  EXPECT_EQ(RunSlice(sweep, loose, {}, At(kDayMs + 1000)), 1u);
  loose.Apply(engine::SetRetention{id, std::nullopt, std::nullopt});
  EXPECT_TRUE(loose.engine().swept().empty());
  EXPECT_FALSE(sweep.BeginSlice(loose.engine(), {}, At(2 * kDayMs)));
}

// With the first slot free, and nothing but free slots.
TEST(Retention, PassesOverFreeSlots) {
  LooseEngine loose;
  StreamSweep sweep;
  const StreamSweep::Limits limits{.ms = 1};
  EXPECT_EQ(RunSlice(sweep, loose, limits, At(kDayMs)), 0u);
  const ObjectId gone = loose.Create(ObjectType::kString, "gone");
  loose.Apply(engine::RemoveKey{gone});
  EXPECT_EQ(loose.engine().keys().Find(engine::kNoObject), nullptr);
  EXPECT_EQ(RunSlice(sweep, loose, limits, At(kDayMs + 1000)), 0u);
  const ObjectId string = loose.Create(ObjectType::kString, "string");
  const ObjectId stream = loose.Create(ObjectType::kStream, "stream");
  loose.Append(stream, {1, 1});
  loose.Apply(engine::RemoveKey{string});
  EXPECT_EQ(RunSlice(sweep, loose, limits, At(kDayMs + 2000)), 1u);
}

TEST(Retention, OfAStreamThatIsGoneIsForgotten) {
  LooseEngine loose;
  const ObjectId gone = loose.Create(ObjectType::kStream, "gone");
  loose.Apply(engine::SetRetention{gone, 1, 1});
  loose.Apply(engine::RemoveKey{gone});
  EXPECT_TRUE(loose.engine().swept().empty());
  const ObjectId flushed = loose.Create(ObjectType::kStream, "flushed");
  loose.Apply(engine::SetRetention{flushed, 1, 1});
  // Of one that was flushed once it is out of its slot; until then it is passed over.
  loose.Append(flushed, {1, 1});
  loose.Apply(engine::FlushKeys{engine::kAllDatabases});
  const ObjectId alive = loose.Create(ObjectType::kStream, "alive");
  loose.Apply(engine::SetRetention{alive, 1, 1});
  loose.Append(alive, {1, 1});
  StreamSweep sweep;
  EXPECT_EQ(RunSlice(sweep, loose, {}, At(kDayMs)), 1u);
  while (loose.FreeSome()) {
  }
  EXPECT_EQ(loose.engine().swept().size(), 1u);
}

// What is known of producers goes in parts, the longest known first.
TEST(Retention, ForgetsMessagesOfProducers) {
  LooseEngine loose;
  const ObjectId id = loose.Create(ObjectType::kStream, "s");
  for (uint64_t i = 1; i <= 1000; ++i) {
    const std::string message = std::to_string(i);
    loose.Apply(engine::RememberMessage{id, {1000 + i, 0}, UINT64_MAX, "p", message});
  }
  const engine::ProducerTable& table = *loose.stream(id).idempotence().producers;
  EXPECT_EQ(table.PlanForget(1000, 10), std::nullopt);
  EXPECT_EQ(table.PlanForget(1005, 10), 1005u);
  EXPECT_EQ(table.PlanForget(5000, 10), 1010u);
  // Some that are known longer stand for later entries: they go first all the same.
  loose.Apply(engine::ForgetMessages{id, 1998});
  loose.Apply(engine::RememberMessage{id, {500, 0}, UINT64_MAX, "q", "late"});
  EXPECT_EQ(table.PlanForget(1999, 10), 1999u);
  EXPECT_EQ(table.PlanForget(5000, 3), 2000u);

  StreamSweep sweep;
  EXPECT_EQ(RunSlice(sweep, loose, {.producer_seconds = 100}, At(100'000 + 1998)), 0u);
  EXPECT_EQ(RunSlice(sweep, loose, {.producer_seconds = 100}, At(101'000 + 1999)), 1u);
  EXPECT_EQ(table.messages(), 0u);
  EXPECT_TRUE(loose.engine().swept().empty());
}

// Runs in memory, in sidecars and in a compacted segment count alike: what is left is at least what was asked
// for, and more by less than the run that holds the oldest of it.
TEST(Retention, KeepsSoManyBytesOfALog) {
  constexpr uint64_t kSegment = 64 << 10;
  constexpr uint64_t kLimit = 200'000;
  MemoryStage stage{DefaultConfig()};
  stage.Ask("client", {"XADD", "s", "*", "f", "first"});
  stage.Ask("client", {"XCFGSET", "s", "RETENTION-BYTES", std::to_string(kLimit)});
  const auto kept = [&] {
    uint64_t bytes = 0;
    const engine::Stream& stream = stage.engine().Find(0, "s")->stream();
    stream.Scan(engine::kMinStreamId, engine::kMaxStreamId, [&](StreamId, storage::Place place) {
      bytes += engine::EntryBytes(place);
      return true;
    });
    return bytes;
  };
  for (int i = 0; i < 2000; ++i) {
    stage.Ask("client", {"XADD", "s", "*", "f", std::string(900, 'x')});
    stage.Ask("client", {"XADD", "other", "*", "f", std::string(90, 'x')});
    if (i % 50 == 0) stage.Advance(1000);
    if (i % 400 == 399) stage.Ask("client", {"BGSAVE"});
    if (i == 1000) stage.Crash();
    if (i == 1500) stage.Reopen();
    if (i < 500) continue;
    // A sidecar counts the heads of records too: 24 bytes of about 960.
    ASSERT_GE(kept() + kept() / 30, kLimit) << i;
    ASSERT_LE(kept(), kLimit + 2 * kSegment) << i;
  }
  EXPECT_EQ(stage.Ask("client", {"XLEN", "other"}).reply.text, "2000");
  EXPECT_GT(stage.journal().compactor().status().segments_rewritten, 0u);
}

}  // namespace
}  // namespace sluice::commands
