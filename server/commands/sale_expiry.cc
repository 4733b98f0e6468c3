#include "server/commands/sale_expiry.h"

#include <algorithm>

namespace sluice::commands {

using engine::Object;
using engine::StockItem;

size_t PlanRelease(const engine::Engine& engine, const Time& now, size_t most, uint64_t closed_orders,
                   SalePlan& plan) {
  const Object& object = *engine.keys().Find(engine.deadlines().item());
  const StockItem& item = object.item();
  std::vector<OrderPart> alone;
  std::vector<OrderParts> bundles;
  item.ForEachOpen([&](uint32_t number) {
    const engine::Order& order = item.orders()[number];
    if (item.DeadlineOf(order) > static_cast<int64_t>(now.steady_ms)) return false;
    if (order.has(engine::Order::kInBundle)) {
      bundles.push_back(PartsOf(engine, object, number));
    } else {
      alone.push_back({&object, number});
    }
    return alone.size() + bundles.size() < most;
  });
  // How many orders each item closes.
  std::vector<std::pair<const Object*, uint64_t>> closing = {{&object, alone.size()}};
  for (const OrderParts& parts : bundles) {
    for (const OrderPart& part : parts) {
      const auto known = std::find_if(closing.begin(), closing.end(),
                                      [&](const auto& entry) { return entry.first == part.object; });
      if (known == closing.end()) {
        closing.emplace_back(part.object, 1);
      } else {
        ++known->second;
      }
    }
  }
  for (const auto& [item_object, orders] : closing) {
    if (const auto room = MakeRoom(*item_object, orders, closed_orders)) plan.Add(*room);
  }
  const auto release = [&](std::span<const OrderPart> parts) {
    // Without a message that cannot be, it never fails.
    static_cast<void>(
        plan.Settle(parts, engine::OrderState::kExpired, 0, "timeout", SalePlan::Messages::kMay));
  };
  release(alone);
  for (const OrderParts& parts : bundles) release(parts);
  return alone.size() + bundles.size();
}

StaleOrders FindStale(const engine::Engine& engine, const Time& now, size_t most) {
  const engine::ObjectId id = engine.stale().item();
  const StockItem& item = engine.keys().Find(id)->item();
  StaleOrders found{.event = {.item = id, .closed_ms = 0, .order = {}, .restocks = 0}, .count = 0};
  item.ForEachClosed([&](uint32_t number) {
    const engine::Order& order = item.orders()[number];
    if (!item.IsStale(order, now.steady_ms)) return false;
    found.event.closed_ms = static_cast<uint64_t>(order.time_ms);
    found.event.order = order.id;
    return ++found.count < most;
  });
  const engine::RequestTable& requests = item.requests();
  while (found.count < most && found.event.restocks < requests.restocks() &&
         item.IsStale(requests.RestockTime(found.event.restocks), now.steady_ms)) {
    ++found.event.restocks;
    ++found.count;
  }
  return found;
}

}  // namespace sluice::commands
