#include "server/engine/order_table.h"

#include <gtest/gtest.h>

#include <iterator>
#include <map>
#include <random>

namespace sluice::engine {
namespace {

uint32_t Place(OrderTable& orders, StreamId id) {
  const uint32_t number = orders.Add(id);
  orders.Change(number).state = OrderState::kSold;
  return number;
}

TEST(OrderTable, FindsByIdAndInOrder) {
  OrderTable orders;
  EXPECT_EQ(orders.Find({1, 0}), OrderTable::kNone);
  EXPECT_EQ(orders.FirstOpen(), OrderTable::kNone);
  const uint32_t first = Place(orders, {5, 0});
  const uint32_t second = Place(orders, {5, 7});
  EXPECT_EQ(orders.Find({5, 0}), first);
  EXPECT_EQ(orders.Find({5, 7}), second);
  for (StreamId absent : {StreamId{4, 9}, StreamId{5, 1}, StreamId{5, 8}, StreamId{9, 0}})
    EXPECT_EQ(orders.Find(absent), OrderTable::kNone);
  orders.Forget(first);
  EXPECT_EQ(orders.Find({5, 0}), OrderTable::kNone);
  EXPECT_EQ(orders.Find({5, 7}), second);
}

// Orders are forgotten in any order; what is left is found, in order, and the rest gives its memory back.
TEST(OrderTable, AgreesWithAMap) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    OrderTable orders;
    std::map<StreamId, uint32_t> model;
    StreamId id{1, 0};
    size_t most = 0;
    const uint64_t keeps = 2 + random() % 3000;
    for (int step = 0; step < 20000; ++step) {
      if (model.size() < keeps && random() % 8 != 0) {
        id = {id.ms + random() % 2, id.seq + 1 + random() % 3};
        model[id] = Place(orders, id);
        orders.Change(model[id]).quantity = static_cast<uint32_t>(step);
        if (random() % 16 == 0) {
          orders.Change(model[id]).state = OrderState::kHeld;
          orders.CountOpen(model[id], true);
        }
      } else if (!model.empty()) {
        auto it = model.begin();
        std::advance(it, static_cast<ptrdiff_t>(random() % std::min<size_t>(model.size(), 100)));
        if (orders[it->second].open()) {
          if (random() % 8 != 0) continue;
          orders.CountOpen(it->second, false);
        }
        orders.Forget(it->second);
        ASSERT_EQ(orders.Find(it->first), OrderTable::kNone);
        model.erase(it);
      }
      most = std::max(most, model.size());
    }
    ASSERT_EQ(orders.size(), model.size());
    auto expected = model.begin();
    uint32_t first_open = OrderTable::kNone;
    orders.ForEach([&](uint32_t number, const Order& order) {
      ASSERT_NE(expected, model.end());
      EXPECT_EQ(order.id, expected->first);
      EXPECT_EQ(number, expected->second);
      EXPECT_EQ(orders.Find(order.id), number);
      if (order.open() && first_open == OrderTable::kNone) first_open = number;
      ++expected;
    });
    EXPECT_EQ(expected, model.end());
    EXPECT_EQ(orders.FirstOpen(), first_open);
    while (!model.empty()) {
      if (orders[model.begin()->second].open()) orders.CountOpen(model.begin()->second, false);
      orders.Forget(model.begin()->second);
      model.erase(model.begin());
    }
    EXPECT_LT(orders.memory_bytes(), 64 * sizeof(Order) + 16 * most + 2048) << "seed " << seed;
  }
}

}  // namespace
}  // namespace sluice::engine
