// What time alone does to sales: holds run out, closed orders are forgotten. Decided here, recorded by the
// dispatcher like any other change.
#pragma once

#include "server/commands/host.h"
#include "server/commands/sale_plan.h"
#include "server/engine/engine.h"

namespace sluice::commands {

// Plans the release of up to `most` orders, the first due first, of the item whose hold ends first (there is
// one, and it is due), and of the other parts of their bundles. A message that its stream will not take is
// left out: stock comes back all the same. `closed_orders` is the option of that name. Returns how many
// orders.
size_t PlanRelease(const engine::Engine& engine, const Time& now, size_t most, uint64_t closed_orders,
                   SalePlan& plan);

// Up to `most` closed orders and changes of stock that are stale, of the item that has the first of them
// (there is one, and it is).
struct StaleOrders {
  engine::ForgetOrders event;
  size_t count;
};
StaleOrders FindStale(const engine::Engine& engine, const Time& now, size_t most);

}  // namespace sluice::commands
