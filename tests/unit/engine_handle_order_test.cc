#include "server/engine/handle_order.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace sluice::engine {
namespace {

enum class Handle : uint32_t {};

// A cell's number is its place in `keys`.
struct ByKey {
  const std::vector<uint64_t>* keys;
  uint64_t KeyOf(Handle handle) const { return (*keys)[static_cast<uint32_t>(handle)]; }
  static uint64_t KeyOf(uint64_t key) { return key; }
  bool operator()(auto a, auto b) const { return KeyOf(a) < KeyOf(b); }
};

class HandleOrderTest : public ::testing::Test {
 protected:
  Handle Cell(uint64_t key) {
    keys_.push_back(key);
    return Handle{static_cast<uint32_t>(keys_.size() - 1)};
  }
  void Insert(uint64_t key) {
    const Handle handle = Cell(key);
    order_.Insert(handle);
    plain_.emplace(key, handle);
  }
  void Erase(uint64_t key) {
    order_.Erase(plain_.at(key));
    plain_.erase(key);
  }
  void ExpectEqual() {
    ASSERT_EQ(order_.size(), plain_.size());
    auto it = order_.begin();
    for (const auto& [key, handle] : plain_) {
      ASSERT_EQ(*it, handle) << key;
      ++it;
    }
    ASSERT_EQ(it, order_.end());
    ASSERT_EQ(order_.empty(), plain_.empty());
    if (plain_.empty()) return;
    EXPECT_EQ(order_.front(), plain_.begin()->second);
    EXPECT_EQ(order_.back(), plain_.rbegin()->second);
  }
  void ExpectFound(uint64_t key) {
    const auto wanted = plain_.lower_bound(key);
    const auto found = order_.LowerBound(key);
    ASSERT_EQ(found == order_.end(), wanted == plain_.end()) << key;
    if (wanted != plain_.end()) {
      ASSERT_EQ(*found, wanted->second) << key;
    }
    ASSERT_EQ(order_.Find(key) != order_.end(), plain_.contains(key)) << key;
  }

  std::vector<uint64_t> keys_;
  std::map<uint64_t, Handle> plain_;
  HandleOrder<Handle, ByKey> order_{ByKey{&keys_}};
};

// Grows and shrinks through many runs, with all that joins and splits them.
TEST_F(HandleOrderTest, IsWhatAPlainMapIs) {
  std::mt19937_64 random(11);
  for (int phase = 0; phase < 8; ++phase) {
    const uint64_t in_8 = phase % 2 == 0 ? 6 : 2;  // inserts, of 8 steps
    for (int step = 0; step < 4000; ++step) {
      const uint64_t key = random() % 20'000;
      const auto near = plain_.lower_bound(key);
      if (random() % 8 < in_8) {
        if (!plain_.contains(key)) Insert(key);
      } else if (near != plain_.end()) {
        Erase(near->first);
      }
      ExpectFound(random() % 20'001);
    }
    ExpectEqual();
  }
}

TEST_F(HandleOrderTest, ServesAQueue) {
  for (uint64_t key = 0; key < 3000; ++key) {
    const Handle handle = Cell(key);
    order_.Append(handle);
    plain_.emplace(key, handle);
    if (key >= 1000) Erase(key - 1000);
    if (key % 97 == 0) ExpectFound(key - key % 1000);
  }
  ExpectEqual();
  // A queue of a thousand takes the memory of a thousand, whatever has gone through it.
  EXPECT_LE(order_.memory_bytes(), 1000 * sizeof(Handle) + 16 * 24);
  while (!plain_.empty()) Erase(plain_.begin()->first);
  ExpectEqual();
  EXPECT_EQ(order_.memory_bytes(), 0u);
  Insert(5);
  ExpectEqual();
}

TEST_F(HandleOrderTest, IsFreedInPieces) {
  for (uint64_t key = 0; key < 1000; ++key) Insert(key);
  size_t pieces = 3;
  EXPECT_TRUE(order_.FreeSome(pieces));
  EXPECT_EQ(pieces, 0u);
  pieces = 100;
  EXPECT_FALSE(order_.FreeSome(pieces));
  EXPECT_TRUE(order_.empty());
  EXPECT_GE(pieces, 90u);
}

}  // namespace
}  // namespace sluice::engine
