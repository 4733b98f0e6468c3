#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "server/commands/command_table.h"
#include "server/commands/command_times.h"
#include "server/commands/diagnostics.h"

namespace sluice::commands {
namespace {

TEST(TimeHistogram, KnowsATimeToAnEighth) {
  for (const uint64_t cycles : std::vector<uint64_t>{0, 1, 7, 8, 9, 100, 12345, 1ull << 40, UINT64_MAX / 2}) {
    TimeHistogram histogram;
    histogram.Add(cycles, 3);
    EXPECT_EQ(histogram.total(), 3u);
    const uint64_t found = histogram.Percentile(1);
    EXPECT_GE(found, cycles);
    EXPECT_LE(found, cycles + cycles / 8) << cycles;
  }
}

TEST(TimeHistogram, Percentiles) {
  TimeHistogram histogram;
  histogram.Add(10, 900);
  histogram.Add(1000, 99);
  histogram.Add(100000, 1);
  EXPECT_EQ(histogram.Percentile(0.5), 10u);
  EXPECT_NEAR(static_cast<double>(histogram.Percentile(0.99)), 1000, 125);
  EXPECT_NEAR(static_cast<double>(histogram.Percentile(1)), 100000, 12500);
}

TEST(CommandTimes, EveryRowHasItsNumber) {
  CommandTimes times;
  std::vector<bool> seen(times.rows().size());
  ForEachCommand([&](const Command& command) {
    ASSERT_LT(command.number, seen.size());
    EXPECT_FALSE(seen[command.number]) << command.name;
    seen[command.number] = true;
    EXPECT_EQ(times.rows()[command.number].command->name, command.name);
  });
  EXPECT_EQ(std::count(seen.begin(), seen.end(), false), 0);
}

// Small commands share a stretch; none is lost or counted twice, whichever way the stretch ends.
TEST(CommandTimes, StretchesCountEveryCall) {
  CommandTimes times;
  const Command& get = *FindCommand("get");
  const Command& set = *FindCommand("set");
  for (int i = 0; i < 20; ++i) ASSERT_FALSE(times.Enter(get, false));
  for (int i = 0; i < 3; ++i) ASSERT_FALSE(times.Enter(set, false));
  times.Close();
  times.Close();
  EXPECT_EQ(times.rows()[get.number].calls, 20u);
  EXPECT_EQ(times.rows()[get.number].histogram->total(), 20u);
  EXPECT_EQ(times.rows()[set.number].calls, 3u);
}

TEST(CommandTimes, WhatIsLargeOrPreciseIsTimedAlone) {
  CommandTimes times;
  const Command& get = *FindCommand("get");
  EXPECT_FALSE(times.Enter(get, false));
  EXPECT_TRUE(times.Enter(get, true));
  const uint64_t began = times.StartAlone();
  times.StopAlone(get, began);
  EXPECT_EQ(times.rows()[get.number].calls, 2u);
  times.set_precise(true);
  EXPECT_TRUE(times.Enter(get, false));
}

TEST(CommandTimes, TellsOfWhatIsSlow) {
  CommandTimes times;
  const Command& get = *FindCommand("get");
  times.set_notice(1'000'000);
  const uint64_t now = Stopwatch::Cycles();
  times.StopAlone(get, now - Stopwatch::CyclesIn(5'000'000));
  ASSERT_TRUE(times.slow());
  const CommandTimes::Slow slow = times.TakeSlow();
  EXPECT_EQ(slow.command->name, "get");
  EXPECT_EQ(slow.calls, 1u);
  EXPECT_GE(slow.cycles, Stopwatch::CyclesIn(4'900'000));
  EXPECT_FALSE(times.slow());
  // Its mean is high now: from here on its calls are timed one by one.
  EXPECT_TRUE(times.Enter(get, false));
  times.Reset();
  EXPECT_FALSE(times.Enter(get, false));
}

TEST(ErrorCounts, AreBounded) {
  ErrorCounts counts;
  counts.Add("-ERR no such key\r\n");
  counts.Add("-ERR syntax error\r\n");
  counts.Add("-WORD\r\n");
  EXPECT_EQ(counts.all().at("ERR"), 2u);
  EXPECT_EQ(counts.all().at("WORD"), 1u);
  for (int i = 0; i < 1000; ++i) counts.Add("-CODE" + std::to_string(i) + " x\r\n");
  EXPECT_EQ(counts.all().size(), 129u);
  EXPECT_EQ(counts.all().at("OTHER"), 1000u - 126u);
}

TEST(LatencyEvents, OneSampleASecondAndSoManyOfThem) {
  LatencyEvents events;
  events.Add("command", 100, 5);
  events.Add("command", 100, 9);
  events.Add("command", 100, 7);
  ASSERT_EQ(events.Find("command")->samples.size(), 1u);
  EXPECT_EQ(events.Find("command")->samples[0].ms, 9u);
  for (uint64_t second = 101; second < 400; ++second) events.Add("command", second, 1);
  EXPECT_EQ(events.Find("command")->samples.size(), 160u);
  EXPECT_EQ(events.Find("command")->worst_ms, 9u);
  EXPECT_TRUE(events.Forget("command"));
  EXPECT_EQ(events.Find("command"), nullptr);
}

}  // namespace
}  // namespace sluice::commands
