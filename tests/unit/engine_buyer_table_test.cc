#include "server/engine/buyer_table.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::engine {
namespace {

TEST(BuyerTable, CountsByUser) {
  BuyerTable buyers(1);
  EXPECT_EQ(buyers.CountOf("a"), 0u);
  buyers.Add("a", 2);
  buyers.Add("", 5);
  buyers.Add("a", 1);
  EXPECT_EQ(buyers.CountOf("a"), 3u);
  EXPECT_EQ(buyers.CountOf(""), 5u);
  EXPECT_EQ(buyers.size(), 2u);
}

TEST(BuyerTable, KeepsNamesLongerThanABlock) {
  BuyerTable buyers(1);
  const std::string large(200000, 'x');
  buyers.Add("small", 1);
  buyers.Add(large, 1);
  buyers.Add("after", 1);
  EXPECT_EQ(buyers.CountOf(large), 1u);
  EXPECT_EQ(buyers.CountOf("after"), 1u);
  EXPECT_EQ(buyers.NameAt(1), large);
}

// docs: at most 80 bytes an accepted buyer with a name of up to 16 bytes.
TEST(BuyerTable, CostsAtMostEightyBytesABuyer) {
  constexpr size_t kBuyers = 500000;
  BuyerTable buyers(1);
  for (size_t i = 0; i < kBuyers; ++i) {
    std::string name = std::to_string(i);
    name.insert(0, 16 - name.size(), 'u');
    buyers.Add(name, 1);
  }
  EXPECT_EQ(buyers.size(), kBuyers);
  EXPECT_LE(buyers.memory_bytes(), kBuyers * 80);
}

}  // namespace
}  // namespace sluice::engine
