// What the SECKILL commands look up before they decide.
#pragma once

#include <optional>
#include <string_view>

#include <absl/container/inlined_vector.h>

#include "server/commands/context.h"

namespace sluice::commands {

// The item at `key`, or nullptr. nullopt: another type, the error is replied.
std::optional<const engine::Object*> FindItem(Context& ctx, std::string_view key);

// How a client names an order: by its ID, or as REQID and the id of the request that placed it.
struct OrderName {
  engine::StreamId id{};
  std::string_view request;  // empty: by ID
};
// Reads the name at argument `i`, which moves behind it. nullopt: the error is replied.
std::optional<OrderName> ParseOrderName(Context& ctx, size_t& i);

// The number of the order; OrderTable::kNone where the item does not know it, or need not any more.
uint32_t FindOrder(const engine::StockItem& item, const OrderName& name, const Time& now);
// The number of a request that is remembered; RequestTable::kNone for another one. `stale`: it is remembered
// still, and need not be.
struct KnownRequest {
  uint32_t number = engine::RequestTable::kNone;
  bool stale = false;
};
KnownRequest FindRequest(const engine::StockItem& item, std::string_view request, const Time& now);
// The event that makes a stale request a new one.
engine::Event ForgetStale(engine::ObjectId id, const engine::StockItem& item, uint32_t request);

// The parts of an order: itself, or those of its bundle whose items and orders are still there.
struct OrderPart {
  const engine::Object* object;
  uint32_t number;
  const engine::StockItem& item() const { return object->item(); }
  const engine::Order& order() const { return item().orders()[number]; }
};
using OrderParts = absl::InlinedVector<OrderPart, 2>;
OrderParts PartsOf(const engine::Engine& engine, const engine::Object& object, uint32_t order);

// Writes an order's ID; nil for 0-0.
void WriteOrderId(protocol::ReplyWriter& reply, engine::StreamId order);

// What must be forgotten, the oldest first, for `closing` more orders of the item to be closed; nullopt:
// nothing. `most` is the option seckill-closed-orders.
std::optional<engine::ForgetOrders> MakeRoom(const engine::Object& object, uint64_t closing, uint64_t most);

// The stream at `key` and its last ID, or the identity that it will have. nullopt: the key holds something
// else, or the log has no room; the error is replied.
struct SaleStream {
  engine::ObjectId id;
  const engine::Stream* stream;  // nullptr: to be created
};
std::optional<SaleStream> FindSaleStream(Context& ctx, std::string_view key);

}  // namespace sluice::commands
