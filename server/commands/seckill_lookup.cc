#include "server/commands/seckill_lookup.h"

#include <algorithm>

#include "server/commands/arguments.h"
#include "server/commands/seckill_options.h"

namespace sluice::commands {

using engine::Object;
using engine::ObjectType;
using engine::OrderTable;
using engine::RequestTable;
using engine::StockItem;

std::optional<const Object*> FindItem(Context& ctx, std::string_view key) {
  const Object* object = ctx.Find(key);
  if (object == nullptr || object->type() == ObjectType::kStockItem) return object;
  ctx.reply.Error(errors::kWrongType);
  return std::nullopt;
}

std::optional<OrderName> ParseOrderName(Context& ctx, size_t& i) {
  OrderName name;
  if (IsWord(ctx.arg(i), "REQID")) {
    if (i + 1 >= ctx.argc()) return ctx.reply.Error(errors::kSyntax), std::nullopt;
    name.request = ParseRequestId(ctx, i + 1);
    if (name.request.empty()) return std::nullopt;
    i += 2;
    return name;
  }
  const auto id = ParseStreamId(ctx.arg(i++));
  if (!id) return ctx.reply.Error("Invalid order ID"), std::nullopt;
  name.id = *id;
  return name;
}

uint32_t FindOrder(const StockItem& item, const OrderName& name, const Time& now) {
  uint32_t number = OrderTable::kNone;
  if (name.request.empty()) {
    number = item.orders().Find(name.id);
  } else if (const uint32_t request = item.requests().Find(name.request); request != RequestTable::kNone) {
    number = item.requests()[request].order;
  }
  if (number == OrderTable::kNone || item.IsStale(item.orders()[number], now.steady_ms))
    return OrderTable::kNone;
  return number;
}

KnownRequest FindRequest(const StockItem& item, std::string_view request, const Time& now) {
  const RequestTable& requests = item.requests();
  const uint32_t number = requests.Find(request);
  if (number == RequestTable::kNone) return {};
  if (const uint32_t order = requests[number].order; order != OrderTable::kNone)
    return {number, item.IsStale(item.orders()[order], now.steady_ms)};
  for (size_t n = 0; n < requests.restocks(); ++n) {
    if (requests.RestockNumber(n) == number)
      return {number, item.IsStale(requests.RestockTime(n), now.steady_ms)};
  }
  return {number, false};
}

engine::Event ForgetStale(engine::ObjectId id, const StockItem& item, uint32_t request) {
  const RequestTable& requests = item.requests();
  if (const uint32_t order = requests[request].order; order != OrderTable::kNone)
    return engine::ForgetOrder{id, item.orders()[order].id};
  // Those that are older are stale too.
  uint32_t count = 1;
  while (requests.RestockNumber(count - 1) != request) ++count;
  return engine::ForgetOrders{.item = id, .closed_ms = 0, .order = {}, .restocks = count};
}

OrderParts PartsOf(const engine::Engine& engine, const Object& object, uint32_t order) {
  const engine::Bundle* bundle = object.item().BundleOf(order);
  if (bundle == nullptr) return {{&object, order}};
  const engine::StreamId id = object.item().orders()[order].id;
  OrderParts parts;
  for (engine::ObjectId member : bundle->items) {
    const Object* part = engine.keys().Find(member);
    if (part == nullptr) continue;
    const uint32_t number = part->item().orders().Find(id);
    if (number != OrderTable::kNone) parts.push_back({part, number});
  }
  return parts;
}

void WriteOrderId(protocol::ReplyWriter& reply, engine::StreamId order) {
  if (order == engine::StreamId{}) return reply.Null();
  const engine::StreamIdText text(order);
  reply.Bulk(text.view());
}

std::optional<engine::ForgetOrders> MakeRoom(const Object& object, uint64_t closing, uint64_t most) {
  constexpr uint64_t kExtra = 1024;  // where the bound was lowered, the rest goes step by step
  const StockItem& item = object.item();
  const uint64_t closed = item.closed_orders();
  if (closed + closing <= most) return std::nullopt;
  uint64_t left = std::min({closed + closing - most, closed, closing + kExtra});
  if (left == 0) return std::nullopt;
  engine::ForgetOrders forgotten{.item = object.id, .closed_ms = 0, .order = {}, .restocks = 0};
  item.ForEachClosed([&](uint32_t number) {
    const engine::Order& order = item.orders()[number];
    forgotten.closed_ms = static_cast<uint64_t>(order.time_ms);
    forgotten.order = order.id;
    return --left > 0;
  });
  return forgotten;
}

std::optional<SaleStream> FindSaleStream(Context& ctx, std::string_view key) {
  // Only the command's own keys were rid of dead ones.
  const Object* object = ctx.engine.Find(ctx.session.db, key);
  if (object != nullptr && object->IsDue(ctx.now.unix_ms())) {
    if (!ctx.Record({engine::RemoveKey{object->id}})) return std::nullopt;
    object = nullptr;
  }
  if (object == nullptr) return SaleStream{ctx.engine.keys().NextId(), nullptr};
  if (object->type() != ObjectType::kStream) return ctx.reply.Error(errors::kWrongType), std::nullopt;
  return SaleStream{object->id, &object->stream()};
}

}  // namespace sluice::commands
