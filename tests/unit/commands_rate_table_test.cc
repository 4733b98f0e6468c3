#include "server/commands/rate_table.h"

#include <gtest/gtest.h>

namespace sluice::commands {
namespace {

TEST(RateTable, GivesABurstAndThenOneAtATime) {
  RateTable rates(100);
  uint64_t now_ms = 1000;
  // 3 in 3 seconds: three at once, then one a second.
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(rates.Take(7, 3, 3000, now_ms));
  EXPECT_FALSE(rates.Take(7, 3, 3000, now_ms));
  now_ms += 999;
  EXPECT_FALSE(rates.Take(7, 3, 3000, now_ms));
  now_ms += 1;
  EXPECT_TRUE(rates.Take(7, 3, 3000, now_ms));
  EXPECT_FALSE(rates.Take(7, 3, 3000, now_ms));
  // What was refused cost nothing, and a rest fills the bucket, not more.
  now_ms += 60000;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(rates.Take(7, 3, 3000, now_ms));
  EXPECT_FALSE(rates.Take(7, 3, 3000, now_ms));
}

TEST(RateTable, UsersDoNotShare) {
  RateTable rates(1000);
  for (uint64_t user = 1; user <= 100; ++user) {
    const uint64_t hash = user * 0x9E3779B97F4A7C15u;
    EXPECT_TRUE(rates.Take(hash, 1, 1000, 1000));
    EXPECT_FALSE(rates.Take(hash, 1, 1000, 1000));
  }
}

TEST(RateTable, RatesFasterThanTheClockCount) {
  RateTable rates(4);
  uint64_t taken = 0;
  for (uint64_t ms = 1; ms <= 1000; ++ms) {
    for (int i = 0; i < 20; ++i) taken += rates.Take(1, 5000, 1000, ms);
  }
  EXPECT_GE(taken, 9990u);  // the burst, and as many again in the second
  EXPECT_LE(taken, 10000u);
}

// Where more users come than have room, those that could try again soonest make it.
TEST(RateTable, IsBounded) {
  RateTable rates(4);
  EXPECT_TRUE(rates.Take(1, 1, 1000000, 1));
  for (uint64_t user = 2; user <= 4; ++user) EXPECT_TRUE(rates.Take(user, 1, 10, 1));
  EXPECT_TRUE(rates.Take(5, 1, 10, 1));
  EXPECT_FALSE(rates.Take(1, 1, 1000000, 1));
}

}  // namespace
}  // namespace sluice::commands
