#include "server/engine/stock_item.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <string>

#include "server/engine/engine.h"

namespace sluice::engine {
namespace {

// An engine with one item, to which events happen that nobody records.
class Sale {
 public:
  explicit Sale(uint64_t stock) {
    Apply(CreateKey{id_, 0, ObjectType::kStockItem, "item"});
    Apply(AddStock{id_, static_cast<int64_t>(stock)});
  }
  void Apply(const Event& event) { engine_.Apply(event, {}); }
  void Place(StreamId order, uint64_t deadline_ms, std::string_view user) {
    Apply(PlaceOrder{id_, order, order.ms, deadline_ms, 1, 0, user, {}});
  }
  const StockItem& item() const { return engine_.keys().Find(id_)->item(); }
  const Engine& engine() const { return engine_; }
  ObjectId id() const { return id_; }

 private:
  Engine engine_{1};
  ObjectId id_ = engine_.keys().NextId();
};

// What malloc has handed out, and what an index of the buyers has straight from the kernel. Under a sanitizer
// malloc does not tell: only the index counts there.
size_t Allocated(const Sale& sale) {
  StepIndex index;
  for (uint32_t i = 0; i < sale.item().buyers().size(); ++i) index.Insert(i * 0x9E3779B97F4A7C15u, i);
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd + index.memory_bytes();
}

TEST(StockItem, AMillionBuyersStayWithinTheirBytes) {
  // The index has just grown: it costs most then.
  constexpr uint64_t kBuyers = 393300;
  Sale sale(kBuyers);
  const size_t before = Allocated(sale);
  std::vector<StreamId> orders;
  orders.reserve(kBuyers);
  const size_t orders_bytes = kBuyers * sizeof(StreamId) + 4096;
  for (uint64_t i = 0; i < kBuyers; ++i) {
    std::string user = std::to_string(i);
    user.insert(0, 16 - user.size(), 'u');
    orders.push_back({1000 + i / 50, i % 50});
    sale.Place(orders.back(), 900000 + i / 50, user);
  }
  EXPECT_EQ(sale.item().held(), kBuyers);
  EXPECT_LE(sale.item().memory_bytes(), kBuyers * 160);
  EXPECT_GE(sale.item().memory_bytes(), kBuyers * 100);
  EXPECT_LE(Allocated(sale), before + orders_bytes + kBuyers * 160);

  sale.Apply(SettleOrders{sale.id(), OrderState::kSold, 0, 900000, orders});
  EXPECT_LE(Allocated(sale), before + orders_bytes + kBuyers * 160);
  sale.Apply(ForgetOrders{sale.id(), 900000, kMaxStreamId, 0});
  EXPECT_EQ(sale.item().orders().size(), 0u);
  EXPECT_EQ(sale.item().buyers().holders(), kBuyers);
  EXPECT_LE(sale.item().memory_bytes(), kBuyers * 80);
  EXPECT_LE(Allocated(sale), before + orders_bytes + kBuyers * 80);
}

// Users whose orders were released and forgotten leave nothing behind.
TEST(StockItem, PassersByAreForgotten) {
  Sale sale(1);
  size_t settled = 0;
  for (uint64_t i = 0; i < 100000; ++i) {
    const StreamId order{1000 + i, 0};
    sale.Place(order, 2000 + i, "user" + std::to_string(i));
    sale.Apply(SettleOrders{sale.id(), OrderState::kExpired, 0, 2000 + i, std::span(&order, 1)});
    sale.Apply(ForgetOrder{sale.id(), order});
    if (i == 100) settled = sale.item().memory_bytes();
  }
  EXPECT_EQ(sale.item().buyers().size(), 0u);
  EXPECT_EQ(sale.item().available(), 1u);
  EXPECT_LE(sale.item().memory_bytes(), settled + 1024);
}

TEST(StockItem, AlarmsFollowTheFirstHold) {
  Sale sale(10);
  const ItemAlarms& deadlines = sale.engine().deadlines();
  EXPECT_TRUE(deadlines.empty());
  sale.Place({1000, 0}, 6000, "a");
  sale.Place({1000, 1}, 5000, "b");
  EXPECT_EQ(deadlines.time_ms(), 5000);
  sale.Apply(ExtendOrder{sale.id(), {1000, 1}, 7000});
  EXPECT_EQ(deadlines.time_ms(), 6000);
  // Holds stand still, and go on with what they had left.
  sale.Apply(PauseSale{sale.id(), Pause::kSalesAndHolds, 2000});
  EXPECT_TRUE(deadlines.empty());
  sale.Apply(PauseSale{sale.id(), Pause::kNone, 2500});
  EXPECT_EQ(deadlines.time_ms(), 6500);
  const StreamId first{1000, 0};
  sale.Apply(SettleOrders{sale.id(), OrderState::kSold, 0, 3000, std::span(&first, 1)});
  EXPECT_EQ(deadlines.time_ms(), 7500);
  sale.Apply(RemoveKey{sale.id()});
  EXPECT_TRUE(deadlines.empty());
  EXPECT_TRUE(sale.engine().stale().empty());
}

// A clock that was set back while the server was down takes no time from a hold.
TEST(StockItem, APauseNeverShortensAHold) {
  Sale sale(10);
  sale.Place({1000, 0}, 6000, "a");
  sale.Apply(PauseSale{sale.id(), Pause::kSalesAndHolds, 2000});
  sale.Apply(PauseSale{sale.id(), Pause::kNone, 500});
  EXPECT_EQ(sale.engine().deadlines().time_ms(), 6000);
}

}  // namespace
}  // namespace sluice::engine
