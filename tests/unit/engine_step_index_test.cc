#include "server/engine/step_index.h"

#include <gtest/gtest.h>

#include <random>
#include <unordered_map>
#include <vector>

namespace sluice::engine {
namespace {

// A table of numbers: the key of slot i is keys[i].
class NumberTable {
 public:
  // Hashes of very few bits collide all the time, in tag and in place.
  explicit NumberTable(uint64_t mask) : mask_(mask) {}

  uint64_t Hash(uint64_t key) const { return (key * 0x9E3779B97F4A7C15ull) & mask_; }
  std::optional<uint32_t> Find(uint64_t key) const {
    return index_.Find(Hash(key), [&](uint32_t slot) { return keys_[slot] == key; });
  }
  void Insert(uint64_t key) {
    keys_.push_back(key);
    index_.Insert(Hash(key), static_cast<uint32_t>(keys_.size() - 1));
  }
  void Erase(uint64_t key) { index_.Erase(Hash(key), *Find(key)); }
  size_t size() const { return index_.size(); }
  size_t memory_bytes() const { return index_.memory_bytes(); }

 private:
  uint64_t mask_;
  std::vector<uint64_t> keys_;
  StepIndex index_;
};

TEST(StepIndex, EmptyFindsNothing) {
  NumberTable table(~0ull);
  EXPECT_FALSE(table.Find(1));
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.memory_bytes(), 0u);
}

TEST(StepIndex, AgreesWithAMapUnderRandomChanges) {
  for (uint64_t mask : {~0ull, 0xFF00000000ull, 0x300000000ull}) {
    std::mt19937_64 random(mask);
    NumberTable table(mask);
    std::unordered_map<uint64_t, bool> model;
    const uint64_t keys = mask == ~0ull ? 20000 : 600;
    for (int i = 0; i < 60000; ++i) {
      const uint64_t key = random() % keys;
      if (model.erase(key) != 0) {
        table.Erase(key);
      } else {
        model[key] = true;
        table.Insert(key);
      }
      const uint64_t probe = random() % keys;
      ASSERT_EQ(table.Find(probe).has_value(), model.contains(probe)) << "step " << i << " mask " << mask;
      ASSERT_EQ(table.size(), model.size());
    }
    for (uint64_t key = 0; key < keys; ++key) EXPECT_EQ(table.Find(key).has_value(), model.contains(key));
  }
}

TEST(StepIndex, ChurnDoesNotGrowIt) {
  NumberTable table(~0ull);
  for (uint64_t key = 0; key < 100; ++key) table.Insert(key);
  for (uint64_t key = 100; key < 200000; ++key) {
    table.Erase(key - 100);
    table.Insert(key);
  }
  EXPECT_EQ(table.size(), 100u);
  EXPECT_LE(table.memory_bytes(), 1024 * sizeof(uint64_t));
}

// A table is prepared for growth while it fills, and what it needs then may change: entries go before it
// grows.
TEST(StepIndex, GrowsAsItMustThoughItWasPreparedForMore) {
  NumberTable table(~0ull);
  uint64_t next = 0;
  uint64_t first = 0;
  for (int round = 0; round < 40; ++round) {
    for (int i = 0; i < 12000; ++i) table.Insert(next++);
    // 16,384 cells are in use up to three quarters with these, and would grow to twice as many.
    for (; first + 4000 < next; ++first) table.Erase(first);
    for (uint64_t key = first; key < next; key += 13) ASSERT_TRUE(table.Find(key)) << round;
    ASSERT_FALSE(table.Find(first - 1));
    ASSERT_EQ(table.size(), 4000u);
    ASSERT_LE(table.memory_bytes(), 5 * 32768 * sizeof(uint64_t)) << round;
  }
}

TEST(StepIndex, GivesBackWhatItGrewOutOf) {
  NumberTable table(~0ull);
  for (uint64_t key = 0; key < 1000000; ++key) table.Insert(key);
  for (uint64_t key = 0; key < 1000000; key += 997) EXPECT_TRUE(table.Find(key));
  EXPECT_EQ(table.memory_bytes(), (2ull << 20) * sizeof(uint64_t)) << "what it grew out of was given back";
}

}  // namespace
}  // namespace sluice::engine
