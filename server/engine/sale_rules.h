// What a sale may do.
#pragma once

#include <cstdint>
#include <string>

namespace sluice::engine {

// As recorded: never renumber.
enum class SaleEvents : uint8_t {
  kFitting = 0,  // all of an order that was held and whose message has no fields of the buyer's own
  kOrders = 1,   // what was ordered
  kAll = 2,      // and what was confirmed or released
};

// The options of SECKILL.CREATE and SECKILL.CONFIG; see docs/seckill.md. 0 and an empty key: not set.
struct SaleRules {
  uint64_t start_ms = 0;  // unix time
  uint64_t end_ms = 0;
  uint64_t limit = 1;         // pieces a user
  uint64_t max_quantity = 1;  // pieces an order
  uint64_t hold_ms = 0;       // 0: a buy is a sale
  uint64_t rate = 0;          // tries of a user in rate_ms
  uint64_t rate_ms = 0;
  uint64_t max_backlog = 0;  // undone orders in the stream
  uint64_t idem_ms = 0;      // for how long a closed order, and its request id, is remembered
  bool keep_quota = false;   // what is released still counts for its user
  SaleEvents events = SaleEvents::kFitting;
  std::string stream;         // the key of the orders' stream
  std::string event_stream;   // of the other events; empty: `stream`
  std::string backlog_group;  // whose backlog counts; empty: the largest
};

}  // namespace sluice::engine
