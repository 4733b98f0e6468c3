#include "server/engine/decimal.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace sluice::engine {
namespace {

std::string TextOf(uint64_t value) {
  char room[kDecimalRoom];
  return {room, WriteDecimal(room, value)};
}

TEST(Decimal, AroundEveryPowerOfTen) {
  EXPECT_EQ(TextOf(0), "0");
  for (uint64_t power = 1;; power *= 10) {
    for (uint64_t value : {power - 1, power, power + 1}) EXPECT_EQ(TextOf(value), std::to_string(value));
    if (power > UINT64_MAX / 10) break;
  }
  EXPECT_EQ(TextOf(UINT64_MAX), "18446744073709551615");
}

TEST(Decimal, OfEveryLength) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t value = random() >> (random() % 64);
    ASSERT_EQ(TextOf(value), std::to_string(value));
  }
}

// Every pair and quarter of digits that the split can meet.
TEST(Decimal, EveryQuarter) {
  for (uint32_t quarter = 0; quarter < 10'000; ++quarter) {
    for (uint32_t value : {quarter, quarter * 10'000, quarter * 10'001}) {
      ASSERT_EQ(TextOf(value), std::to_string(value));
    }
  }
}

}  // namespace
}  // namespace sluice::engine
