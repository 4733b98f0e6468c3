#include "server/engine/producer_table.h"

#include <gtest/gtest.h>

namespace sluice::engine {
namespace {

TEST(ProducerTable, KnowsWhatEachProducerSent) {
  ProducerTable table;
  EXPECT_FALSE(table.oldest());
  table.Remember("a", "1", {10, 0}, 5);
  table.Remember("b", "1", {20, 0}, 5);
  EXPECT_EQ(table.Find("a", "1"), (StreamId{10, 0}));
  EXPECT_EQ(table.Find("b", "1"), (StreamId{20, 0}));
  EXPECT_FALSE(table.Find("b", "2"));
  EXPECT_FALSE(table.Find("c", "1"));
  EXPECT_EQ(table.producers(), 2u);
  EXPECT_EQ(table.oldest(), (StreamId{10, 0}));
}

TEST(ProducerTable, ForgetsAProducersOldestBeyondItsBound) {
  ProducerTable table;
  table.Remember("b", "0", {1, 0}, 2);
  for (uint64_t i = 1; i <= 5; ++i) table.Remember("a", std::to_string(i), {10 + i, 0}, 2);
  EXPECT_FALSE(table.Find("a", "3"));
  EXPECT_TRUE(table.Find("a", "4"));
  EXPECT_TRUE(table.Find("a", "5"));
  EXPECT_TRUE(table.Find("b", "0"));
  EXPECT_EQ(table.messages(), 3u);
}

TEST(ProducerTable, ForgetsWhatIsOldAndProducersWithIt) {
  ProducerTable table;
  table.Remember("a", "1", {10, 0}, 5);
  table.Remember("b", "1", {11, 0}, 5);
  table.Remember("a", "2", {12, 0}, 5);
  table.ForgetThrough(11);
  EXPECT_EQ(table.producers(), 1u);
  EXPECT_EQ(table.messages(), 1u);
  EXPECT_TRUE(table.Find("a", "2"));
  table.ForgetThrough(12);
  EXPECT_EQ(table.producers(), 0u);
}

// XIDMPRECORD may tell of an old entry late: it stands behind younger ones, and is there when its name comes
// again.
TEST(ProducerTable, AMessageThatIsKnownIsReplaced) {
  ProducerTable table;
  table.Remember("a", "young", {20, 0}, 5);
  table.Remember("a", "old", {10, 0}, 5);
  table.ForgetThrough(15);
  EXPECT_TRUE(table.Find("a", "old"));
  table.Remember("a", "old", {30, 0}, 5);
  EXPECT_EQ(table.Find("a", "old"), (StreamId{30, 0}));
  EXPECT_EQ(table.messages(), 2u);
  table.Remember("b", "one", {31, 0}, 5);
  table.Remember("b", "one", {32, 0}, 5);
  EXPECT_EQ(table.Find("b", "one"), (StreamId{32, 0}));
  table.ForgetThrough(100);
  EXPECT_EQ(table.messages(), 0u);
}

}  // namespace
}  // namespace sluice::engine
