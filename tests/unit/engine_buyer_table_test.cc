#include "server/engine/buyer_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace sluice::engine {
namespace {

uint32_t Bought(BuyerTable& buyers, std::string_view user, uint32_t pieces) {
  const BuyerTable::Known known = buyers.Find(user);
  const uint32_t number = known.number == BuyerTable::kNone ? buyers.Add(user, known.hash) : known.number;
  buyers.AddPieces(number, pieces);
  return number;
}

TEST(BuyerTable, CountsByUser) {
  BuyerTable buyers(1);
  EXPECT_EQ(buyers.Find("a").number, BuyerTable::kNone);
  Bought(buyers, "a", 2);
  Bought(buyers, "", 5);
  Bought(buyers, "a", 1);
  EXPECT_EQ(buyers.Find("a").pieces, 3u);
  EXPECT_EQ(buyers.Find("").pieces, 5u);
  EXPECT_EQ(buyers.Find("b").pieces, 0u);
  EXPECT_EQ(buyers.size(), 2u);
  EXPECT_EQ(buyers.holders(), 2u);
}

TEST(BuyerTable, NamesOfAnyLengthAreKept) {
  BuyerTable buyers(1);
  const std::string names[] = {std::string(15, 'a'), std::string(16, 'b'), std::string(17, 'c'),
                               std::string(200000, 'd'), std::string("\0x", 2)};
  for (const std::string& name : names) EXPECT_EQ(buyers.NameOf(Bought(buyers, name, 1)), name);
  for (const std::string& name : names) EXPECT_EQ(buyers.Find(name).pieces, 1u);
  EXPECT_GE(buyers.memory_bytes(), 200017u);
}

TEST(BuyerTable, MorePiecesThanFourBytesCount) {
  BuyerTable buyers(1);
  const uint32_t number = Bought(buyers, "u", UINT32_MAX);
  buyers.AddPieces(number, UINT32_MAX);
  EXPECT_EQ(buyers.PiecesOf(number), 2ull * UINT32_MAX);
}

// A number is a buyer's own as long as it is known, and somebody else's after that.
TEST(BuyerTable, ForgetsAndTakesInAgain) {
  std::mt19937_64 random(1);
  BuyerTable buyers(7);
  std::map<std::string, std::pair<uint32_t, uint64_t>> model;
  for (int step = 0; step < 20000; ++step) {
    const std::string user = std::string(random() % 3 * 12, 'u') + std::to_string(random() % 300);
    const auto known = model.find(user);
    if (known == model.end()) {
      const auto pieces = static_cast<uint32_t>(1 + random() % 9);
      model[user] = {Bought(buyers, user, pieces), pieces};
    } else if (random() % 2 == 0) {
      buyers.TakePieces(known->second.first, static_cast<uint32_t>(known->second.second));
      buyers.Forget(known->second.first);
      model.erase(known);
    }
    ASSERT_EQ(buyers.size(), model.size());
    ASSERT_EQ(buyers.holders(), model.size());
  }
  for (const auto& [user, expected] : model) {
    const BuyerTable::Known known = buyers.Find(user);
    EXPECT_EQ(known.number, expected.first);
    EXPECT_EQ(known.pieces, expected.second);
  }
  EXPECT_LE(buyers.numbers(), 900u);
}

}  // namespace
}  // namespace sluice::engine
