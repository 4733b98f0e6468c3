// An item of a flash sale: limited stock, sold once.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/btree_map.h>

#include "server/engine/buyer_table.h"
#include "server/engine/handle_order.h"
#include "server/engine/item_alarms.h"
#include "server/engine/object_id.h"
#include "server/engine/order_table.h"
#include "server/engine/request_table.h"
#include "server/engine/sale_rules.h"
#include "server/engine/stream_id.h"

namespace sluice::engine {

// As recorded: never renumber.
enum class Pause : uint8_t { kNone = 0, kSales = 1, kSalesAndHolds = 2 };

// An order of several items: each of them has an order of this ID, and all end alike.
struct Bundle {
  std::vector<ObjectId> items;
  std::string stream;  // where its message went; empty: nowhere
};

// What was tried since the server started. Volatile on purpose: a refusal must not cost a commit.
struct SaleStatistics {
  static constexpr size_t kCodes = 11;  // that a try can be answered with, and as an earlier one was
  std::array<uint64_t, kCodes> tries{};
  uint64_t sold_out_ms = 0;  // unix time at which nothing was left; 0: not since the start
};

// At every moment total = available + held + sold.
//
// An order is open while it is held; sold, expired or cancelled it is closed, and forgotten later. Open
// orders are kept by deadline, closed ones by when they were closed; in times of the same millisecond by ID.
// Times are milliseconds of the server's steady clock (commands' Time.steady_ms).
class StockItem {
 public:
  explicit StockItem(uint64_t hash_seed) : buyers_(hash_seed), requests_(hash_seed) {}
  StockItem(const StockItem&) = delete;
  StockItem& operator=(const StockItem&) = delete;

  uint64_t total() const { return total_; }
  uint64_t available() const { return available_; }
  uint64_t held() const { return held_; }
  uint64_t sold() const { return sold_; }
  // Pieces that count for users though their orders were released (KEEPQUOTA).
  uint64_t kept() const { return kept_; }
  const SaleRules& rules() const { return rules_; }
  Pause pause() const { return pause_; }
  const BuyerTable& buyers() const { return buyers_; }
  const OrderTable& orders() const { return orders_; }
  const RequestTable& requests() const { return requests_; }
  // The last order's ID; 0-0 before the first.
  StreamId last_order() const { return last_order_; }
  uint64_t orders_placed() const { return orders_placed_; }
  const SaleStatistics& statistics() const { return statistics_; }

  size_t open_orders() const { return open_.size(); }
  size_t closed_orders() const { return closed_.size(); }
  // Visits the numbers of open orders, the one whose hold ends first first, of closed ones, the one that was
  // closed first first, while `visit` returns true.
  template <typename Visit>
  void ForEachOpen(Visit&& visit) const {
    Walk(open_, visit);
  }
  template <typename Visit>
  void ForEachClosed(Visit&& visit) const {
    Walk(closed_, visit);
  }

  // The open order that was placed first; nullptr: none is open.
  const Order* oldest_open() const {
    const uint32_t number = orders_.FirstOpen();
    return number == OrderTable::kNone ? nullptr : &orders_[number];
  }
  // Visits a buyer's orders, the newest first.
  template <typename Visit>
  void ForEachOrderOf(uint32_t buyer, Visit&& visit) const {
    for (uint32_t i = buyers_.first_order(buyer); i != OrderTable::kNone; i = orders_[i].next)
      visit(orders_[i]);
  }

  // The item's own time, in which its deadlines run: it stands still while holds are paused.
  int64_t TimeAt(uint64_t steady_ms) const {
    return pause_ == Pause::kSalesAndHolds ? paused_ms_ : static_cast<int64_t>(steady_ms);
  }
  // When the hold of an open order ends, if holds are not paused until then.
  int64_t DeadlineOf(const Order& order) const { return order.time_ms + shift_ms_; }
  // Closed so long ago that it counts as forgotten, though nobody has recorded it yet.
  bool IsStale(const Order& order, uint64_t steady_ms) const {
    return !order.open() && IsStale(order.time_ms, steady_ms);
  }
  bool IsStale(int64_t time_ms, uint64_t steady_ms) const {
    return time_ms + static_cast<int64_t>(rules_.idem_ms) <= static_cast<int64_t>(steady_ms);
  }
  // When the next hold ends, and when the next closed order or change of stock is stale; kNever: none does.
  int64_t next_deadline() const;
  int64_t next_stale() const;

  // The bundle that an order is part of; nullptr: of none.
  const Bundle* BundleOf(uint32_t order) const;

  size_t memory_bytes() const;
  // Of an item that nobody needs any more: as FreeSome() of dropped.h.
  bool FreeSome(size_t& pieces);

 private:
  friend class Applier;           // the only one who changes it
  friend struct StockItemAccess;  // of checkpoints
  friend class StateHasher;
  friend class Engine;  // its statistics

  // Orders by their time, and those of one moment by their IDs.
  struct Sooner {
    const OrderTable* orders;
    bool operator()(uint32_t a, uint32_t b) const {
      const Order& one = (*orders)[a];
      const Order& other = (*orders)[b];
      return one.time_ms != other.time_ms ? one.time_ms < other.time_ms : one.id < other.id;
    }
  };
  using Moments = HandleOrder<uint32_t, Sooner>;

  template <typename Visit>
  static void Walk(const Moments& moments, Visit& visit) {
    for (auto it = moments.begin(); it != moments.end(); ++it) {
      if (!visit(*it)) return;
    }
  }

  // What happens to orders: each of these is what one event says, and is told that it fits.
  struct Placing {
    StreamId id;
    uint64_t now_ms;
    uint64_t deadline_ms;  // 0: it is sold
    uint32_t quantity;
    uint8_t flags;
    std::string_view user;
    uint64_t user_hash;
    std::string_view request;  // empty: none
  };
  void Place(const Placing& placing);
  void Bind(StreamId order, std::shared_ptr<const Bundle> bundle);
  struct Settling {
    OrderState state;  // what becomes of it: not held
    bool keeps_quota;  // the rest is for releases only
    bool restocks;
    uint64_t now_ms;
  };
  void Settle(StreamId id, const Settling& settling);
  void Reacquire(StreamId id, uint64_t now_ms);
  void Extend(StreamId id, uint64_t deadline_ms);
  void SetPause(Pause pause, uint64_t now_ms);
  // Forgets closed orders up to that one, in the order in which they were closed.
  void ForgetThrough(int64_t time_ms, StreamId id);
  void Forget(uint32_t number);

  void Restock(int64_t delta) {
    total_ += static_cast<uint64_t>(delta);
    available_ += static_cast<uint64_t>(delta);
  }
  void Close(uint32_t number, uint64_t now_ms);
  void Chain(uint32_t number);
  void Unchain(const Order& order);

  uint64_t total_ = 0;
  uint64_t available_ = 0;
  uint64_t held_ = 0;
  uint64_t sold_ = 0;
  uint64_t kept_ = 0;
  uint64_t orders_placed_ = 0;
  StreamId last_order_{};
  Pause pause_ = Pause::kNone;
  int64_t paused_ms_ = 0;  // since when, with kSalesAndHolds
  int64_t shift_ms_ = 0;   // how long holds have been paused in all: deadlines are kept without it
  SaleRules rules_;
  BuyerTable buyers_;
  OrderTable orders_;
  RequestTable requests_;
  Moments open_{Sooner{&orders_}};
  Moments closed_{Sooner{&orders_}};
  absl::btree_map<uint32_t, std::shared_ptr<const Bundle>> bundles_;  // by order

  SaleStatistics statistics_;
  int64_t deadline_alarm_ms_ = ItemAlarms::kNever;  // as set in the engine's alarms
  int64_t stale_alarm_ms_ = ItemAlarms::kNever;
};

}  // namespace sluice::engine
