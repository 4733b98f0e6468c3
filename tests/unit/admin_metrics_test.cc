// /metrics: what is told of keys, how it is written, and who waits for whom.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>
#include <string>
#include <thread>

#include "server/admin/key_walk.h"
#include "server/admin/metrics_board.h"
#include "server/admin/metrics_snapshot.h"
#include "server/admin/metrics_text.h"
#include "tests/harness/memory_stage.h"

namespace sluice::admin {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(MetricsText, LabelsAreEscaped) {
  EXPECT_EQ(LabelValue("orders"), "orders");
  EXPECT_EQ(LabelValue("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
  EXPECT_EQ(LabelValue("gr\xc3\xbc\xc3\x9f \xe7\xa7\x92 \xf0\x9f\x98\x80"),
            "gr\xc3\xbc\xc3\x9f \xe7\xa7\x92 \xf0\x9f\x98\x80");
  EXPECT_EQ(LabelValue(std::string("\0\x1f\x7f", 3)), "\\\\x00\\\\x1f\\\\x7f");
  // Not UTF-8: cut, overlong, a surrogate, beyond the last.
  EXPECT_EQ(LabelValue("\xff\xc3"), "\\\\xff\\\\xc3");
  EXPECT_EQ(LabelValue("\xc0\xaf"), "\\\\xc0\\\\xaf");
  EXPECT_EQ(LabelValue("\xed\xa0\x80"), "\\\\xed\\\\xa0\\\\x80");
  EXPECT_EQ(LabelValue("\xf4\x90\x80\x80"), "\\\\xf4\\\\x90\\\\x80\\\\x80");
}

TEST(MetricsText, FamiliesAndSamples) {
  MetricsText text;
  text.Gauge("a", "What a is.");
  text.Sample(uint64_t{1});
  text.Sample(0.25, {{"x", "1"}, {"y", "\n"}});
  text.Histogram("b", "What b is.");
  text.Sample(UINT64_MAX, {{"le", "+Inf"}}, "_bucket");
  EXPECT_EQ(text.text(),
            "# HELP a What a is.\n# TYPE a gauge\na 1\na{x=\"1\",y=\"\\n\"} 0.25\n"
            "# HELP b What b is.\n# TYPE b histogram\nb_bucket{le=\"+Inf\"} 18446744073709551615\n");
}

// Every line of the text is a comment of a family that is new, or a sample of the last one with a value. A
// sample stands there once. What `promtool check metrics` demands.
void ExpectSound(const std::string& text) {
  std::istringstream lines(text);
  std::set<std::string> families;
  std::set<std::string> samples;
  std::string family;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first;
    std::string second;
    std::string third;
    words >> first >> second >> third;
    if (first == "#" && second == "HELP") {
      family = third;
      EXPECT_TRUE(families.insert(family).second) << line;
      continue;
    }
    if (first == "#") {
      EXPECT_EQ(second, "TYPE") << line;
      EXPECT_EQ(third, family) << line;
      continue;
    }
    const size_t name_end = line.find_first_of("{ ");
    const std::string name = line.substr(0, name_end);
    EXPECT_TRUE(name == family || name == family + "_bucket" || name == family + "_sum" ||
                name == family + "_count")
        << line;
    const size_t value = line.rfind(' ');
    EXPECT_TRUE(samples.insert(line.substr(0, value)).second) << line;
    size_t used = 0;
    EXPECT_GE(std::stod(line.substr(value + 1), &used), 0) << line;
    EXPECT_EQ(used, line.size() - value - 1) << line;
  }
  EXPECT_GT(samples.size(), 20u);
}

TEST(MetricsSnapshot, IsRenderedSoundly) {
  MetricsSnapshot snapshot;
  snapshot.taken_ms = 5000;
  snapshot.commits.durations.Add(0);
  snapshot.commits.durations.Add(1);
  snapshot.commits.durations.Add(100);
  snapshot.commits.durations.Add(UINT32_MAX);
  auto keys = std::make_shared<KeyFigures>();
  keys->taken_ms = 3500;
  keys->left_out = 3;
  keys->streams = {{.db = 0, .key = "a\"b", .length = 7}, {.db = 1, .key = "a\"b", .length = 8}};
  keys->groups = {
      {.db = 0, .key = "s", .group = "g", .lag = 1, .pending = 2, .oldest_pending_ms = 1500},
      {.db = 0, .key = "s", .group = "idle", .lag = 0, .pending = 0, .oldest_pending_ms = std::nullopt}};
  keys->items = {{.db = 0,
                  .key = "phone",
                  .total = 10,
                  .available = 5,
                  .held = 2,
                  .sold = 3,
                  .orders = 4,
                  .tries = {4, 9}}};
  snapshot.by_key = keys;
  const std::string text = RenderMetrics(snapshot);
  ExpectSound(text);
  EXPECT_THAT(text, HasSubstr("\nsluice_stream_length{db=\"1\",key=\"a\\\"b\"} 8\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_group_oldest_pending_seconds{db=\"0\",key=\"s\",group=\"g\"} 1.5\n"));
  EXPECT_THAT(text, Not(HasSubstr("oldest_pending_seconds{db=\"0\",key=\"s\",group=\"idle\"}")));
  EXPECT_THAT(text, HasSubstr("\nsluice_item_held{db=\"0\",key=\"phone\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_item_tries_total{db=\"0\",key=\"phone\",answer=\"sold-out\"} 9\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_metrics_age_seconds 1.5\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_metrics_left_out 3\n"));
  // Buckets add up: under 1 us, under 2 us, ... ; the longest only in the last.
  EXPECT_THAT(text, HasSubstr("_bucket{le=\"1e-06\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("_bucket{le=\"2e-06\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("_bucket{le=\"6.4e-05\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("_bucket{le=\"0.000128\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("_bucket{le=\"8.388608\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("_bucket{le=\"+Inf\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("sluice_commit_duration_seconds_count 4\n"));

  snapshot.by_key = nullptr;
  ExpectSound(RenderMetrics(snapshot));
}

KeyFigures Walk(const tests::MemoryStage& stage, uint64_t max_series) {
  KeyWalk walk(stage.engine(), max_series);
  while (!walk.Slice(stage.unix_ms())) {
  }
  return std::move(*walk.Take());
}

TEST(KeyWalk, TellsOfStreamsGroupsAndItems) {
  tests::MemoryStage stage(DefaultConfig());
  const auto ask = [&](const std::vector<std::string>& words) {
    EXPECT_EQ(stage.Ask("a", words).outcome, tests::Stage::Outcome::kReply);
  };
  ask({"SET", "text", "no matter"});
  for (int i = 1; i <= 5; ++i) ask({"XADD", "s", std::to_string(i) + "-0", "f", "v"});
  ask({"XGROUP", "CREATE", "s", "g", "0"});
  ask({"XGROUP", "CREATE", "s", "idle", "$"});
  ask({"XREADGROUP", "GROUP", "g", "c", "COUNT", "1", "STREAMS", "s", ">"});
  stage.Advance(700);
  ask({"XREADGROUP", "GROUP", "g", "c", "COUNT", "2", "STREAMS", "s", ">"});
  stage.Advance(300);
  ask({"SECKILL.CREATE", "phone", "STOCK", "10"});
  ask({"SECKILL.BUY", "phone", "alice"});
  ask({"SECKILL.BUY", "phone", "alice"});
  ask({"SELECT", "3"});
  ask({"XADD", "dying", "1-0", "f", "v"});
  ask({"PEXPIRE", "dying", "10"});
  ask({"XADD", "other", "1-0", "f", "v"});
  stage.Advance(100);

  const KeyFigures keys = Walk(stage, 100);
  ASSERT_EQ(keys.streams.size(), 2u) << "what is dead and not removed yet does not count";
  EXPECT_EQ(keys.streams[0].key, "s");
  EXPECT_EQ(keys.streams[0].length, 5u);
  EXPECT_EQ(keys.streams[1].db, 3);
  ASSERT_EQ(keys.groups.size(), 2u);
  EXPECT_EQ(keys.groups[0].group, "g");
  EXPECT_EQ(keys.groups[0].lag, 2u);
  EXPECT_EQ(keys.groups[0].pending, 3u);
  EXPECT_EQ(keys.groups[0].oldest_pending_ms, 1100u);
  EXPECT_EQ(keys.groups[1].lag, 0u);
  EXPECT_EQ(keys.groups[1].oldest_pending_ms, std::nullopt);
  ASSERT_EQ(keys.items.size(), 1u);
  EXPECT_EQ(keys.items[0].total, 10u);
  EXPECT_EQ(keys.items[0].available, 9u);
  EXPECT_EQ(keys.items[0].sold, 1u);
  EXPECT_EQ(keys.items[0].orders, 1u);
  EXPECT_EQ(keys.items[0].tries, (std::array<uint64_t, 11>{1, 0, 1}));  // ok, limit
  EXPECT_EQ(keys.left_out, 0u);
}

TEST(KeyWalk, IsBounded) {
  tests::MemoryStage stage(DefaultConfig());
  for (int i = 0; i < 10; ++i) {
    const std::string key = "s" + std::to_string(i);
    stage.Ask("a", {"XADD", key, "1-0", "f", "v"});
    stage.Ask("a", {"XGROUP", "CREATE", key, "g", "0"});
    stage.Ask("a", {"XGROUP", "CREATE", key, "h", "0"});
  }
  stage.Ask("a", {"XADD", std::string(1000, 'k'), "1-0", "f", "v"});
  const auto told = [](const KeyFigures& keys) { return keys.streams.size() + keys.groups.size(); };
  for (const uint64_t room : {0u, 1u, 2u, 7u, 29u, 30u, 1000u}) {
    const KeyFigures keys = Walk(stage, room);
    EXPECT_EQ(told(keys), std::min<uint64_t>(room, 30));
    EXPECT_EQ(told(keys) + keys.left_out, 31u) << "the long name is never told";
  }
}

TEST(MetricsBoard, WhoAsksWaitsForTheLoop) {
  MetricsBoard board;
  EXPECT_FALSE(board.wanted());
  EXPECT_TRUE(board.healthy());
  EXPECT_FALSE(board.ready());
  board.SetReady(true);
  EXPECT_TRUE(board.ready());
  std::shared_ptr<const MetricsSnapshot> got;
  std::thread asker([&] { got = board.Ask(); });
  while (!board.wanted()) std::this_thread::yield();
  const auto snapshot = std::make_shared<const MetricsSnapshot>();
  while (!board.Publish(snapshot)) std::this_thread::yield();
  asker.join();
  EXPECT_EQ(got, snapshot);
  EXPECT_FALSE(board.wanted());
  // Within a second the same one does, and the loop is not asked.
  EXPECT_EQ(board.Ask(), snapshot);
  EXPECT_FALSE(board.wanted());
}

}  // namespace
}  // namespace sluice::admin
