// An item of a flash sale: limited stock, sold once.
#pragma once

#include <cstdint>
#include <string>

#include "server/engine/buyer_table.h"
#include "server/engine/stream_id.h"

namespace sluice::engine {

// What a sale may do; see SECKILL.CREATE in docs/commands.md.
struct SaleRules {
  std::string stream;     // the key of the orders' stream; empty: no order messages
  uint64_t start_ms = 0;  // unix time; 0: no window
  uint64_t end_ms = 0;
  uint64_t limit = 1;         // pieces a user; 0: no limit
  uint64_t max_quantity = 1;  // pieces an order; 0: no limit
};

// At every moment total = available + held + sold.
class StockItem {
 public:
  explicit StockItem(uint64_t hash_seed) : buyers_(hash_seed) {}

  uint64_t total() const { return total_; }
  uint64_t available() const { return available_; }
  uint64_t held() const { return held_; }
  uint64_t sold() const { return sold_; }
  const SaleRules& rules() const { return rules_; }
  const BuyerTable& buyers() const { return buyers_; }
  // The last order's ID; 0-0 before the first.
  StreamId last_order() const { return last_order_; }
  uint64_t orders() const { return orders_; }

  size_t memory_bytes() const { return sizeof *this + buyers_.memory_bytes(); }

 private:
  friend class Applier;
  friend struct StockItemAccess;  // of checkpoints

  uint64_t total_ = 0;
  uint64_t available_ = 0;
  uint64_t held_ = 0;
  uint64_t sold_ = 0;
  uint64_t orders_ = 0;
  StreamId last_order_{};
  SaleRules rules_;
  BuyerTable buyers_;
};

}  // namespace sluice::engine
