// What a request id that is known answers.
#pragma once

#include "server/commands/seckill_code.h"
#include "server/engine/stock_item.h"

namespace sluice::commands {

// How an order stands, as a replay tells it.
inline SaleCode StandingOf(engine::OrderState state) {
  switch (state) {
    case engine::OrderState::kExpired:
      return SaleCode::kExpired;
    case engine::OrderState::kCancelled:
      return SaleCode::kCancelled;
    case engine::OrderState::kHeld:
    case engine::OrderState::kSold:
    case engine::OrderState::kForgotten:
      break;
  }
  return SaleCode::kOk;
}

struct Replay {
  SaleCode code = SaleCode::kRequestMismatch;
  engine::StreamId order{};  // 0-0: a mismatch
};

// The answer to a buy of that quantity by that buyer under a known request.
inline Replay ReplayOf(const engine::StockItem& item, uint32_t request, uint32_t buyer, uint64_t quantity) {
  const uint32_t number = item.requests()[request].order;
  if (number == engine::OrderTable::kNone) return {};
  const engine::Order& order = item.orders()[number];
  if (order.buyer != buyer || order.quantity != quantity || order.has(engine::Order::kInBundle)) return {};
  return {StandingOf(order.state), order.id};
}

}  // namespace sluice::commands
