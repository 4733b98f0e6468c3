// The rules of a buy, in the order in which they are asked.
#pragma once

#include "server/commands/context.h"
#include "server/commands/seckill_code.h"
#include "server/engine/stock_item.h"

namespace sluice::commands {

// The first rule that refuses `quantity` more pieces to a user: pause, window, rate, limit, stock. Charges
// the user's rate where it comes that far.
SaleCode CheckTry(Context& ctx, const engine::Object& object, const engine::BuyerTable::Known& user,
                  uint64_t quantity);

// The user's limit alone, for `quantity` more than `pieces`.
inline bool IsWithinLimit(const engine::SaleRules& rules, uint64_t pieces, uint64_t quantity) {
  // As differences, since a quantity may be as large as a number can be.
  return rules.limit == 0 || (pieces < rules.limit && quantity <= rules.limit - pieces);
}

// What is undone in the orders' stream: of the group that the rules name, or of the one with the most.
// `stream`: nullptr where it does not exist.
bool IsBacklogged(const engine::SaleRules& rules, const engine::Stream* stream);

// For how long an order is held, from the item's HOLD and the buy's, which may only shorten it. 0: it is
// sold.
uint64_t HoldOf(const engine::SaleRules& rules, const std::optional<uint64_t>& asked_ms);

inline constexpr std::string_view kNoHoldToShorten =
    "HOLD can only shorten the item's hold, and there is none";

}  // namespace sluice::commands
