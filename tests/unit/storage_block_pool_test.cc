#include "storage/block_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <random>
#include <set>
#include <vector>

#include "storage/pages.h"

namespace sluice::storage {
namespace {

constexpr size_t kBlock = 500;
constexpr size_t kBlocks = 3 * kHugePageBytes / kBlock;  // some chunks of them

TEST(BlockPool, BlocksAreTheirOwners) {
  BlockPool pool(kBlock);
  std::mt19937_64 random(1);
  std::vector<std::pair<char*, char>> taken;
  for (size_t i = 0; i < 4 * kBlocks; ++i) {
    // Twice as many are taken as given back, and then the other way round.
    const bool takes = taken.empty() || random() % 3 < (i < 2 * kBlocks ? 2 : 1);
    if (takes) {
      char* block = static_cast<char*>(pool.Take());
      const char mark = static_cast<char>(random());
      std::memset(block, mark, kBlock);
      taken.emplace_back(block, mark);
      continue;
    }
    std::swap(taken[random() % taken.size()], taken.back());
    const auto [block, mark] = taken.back();
    ASSERT_EQ(std::count(block, block + kBlock, mark), static_cast<std::ptrdiff_t>(kBlock)) << "step " << i;
    pool.GiveBack(block);
    taken.pop_back();
  }
  for (const auto& [block, mark] : taken) {
    ASSERT_EQ(std::count(block, block + kBlock, mark), static_cast<std::ptrdiff_t>(kBlock));
    pool.GiveBack(block);
  }
}

TEST(BlockPool, AllOfItIsThereAgainOnceItWasGivenBack) {
  BlockPool pool(kBlock);
  for (int round = 0; round < 3; ++round) {
    std::set<void*> blocks;
    for (size_t i = 0; i < kBlocks; ++i) ASSERT_TRUE(blocks.insert(pool.Take()).second);
    for (void* block : blocks) pool.GiveBack(block);
  }
}

TEST(BlockPool, ABlockMayBeAsLargeAsAChunkWithoutItsHead) {
  BlockPool pool(kHugePageBytes - 64);
  char* one = static_cast<char*>(pool.Take());
  char* other = static_cast<char*>(pool.Take());
  std::memset(one, 1, kHugePageBytes - 64);
  std::memset(other, 2, kHugePageBytes - 64);
  EXPECT_EQ(one[0], 1);
  EXPECT_EQ(one[kHugePageBytes - 65], 1);
  pool.GiveBack(one);
  pool.GiveBack(other);
  pool.GiveBack(pool.Take());
}

}  // namespace
}  // namespace sluice::storage
