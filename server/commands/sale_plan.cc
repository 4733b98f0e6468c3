#include "server/commands/sale_plan.h"

#include <algorithm>

namespace sluice::commands {
namespace {

using engine::Object;
using engine::Order;
using engine::StreamId;

// Whether an item tells what becomes of an order.
bool Tells(const engine::SaleRules& rules, const Order& order) {
  switch (rules.events) {
    case engine::SaleEvents::kAll:
      return true;
    case engine::SaleEvents::kOrders:
      return false;
    case engine::SaleEvents::kFitting:
      break;
  }
  return order.has(Order::kWasHeld) && !order.has(Order::kOwnFields);
}

}  // namespace

SalePlan::Tail* SalePlan::FindTail(uint8_t db, std::string_view key) {
  for (Tail& tail : tails_) {
    if (tail.db == db && tail.key == key) return &tail;
  }
  const Object* object = engine_.Find(db, key);
  if (object != nullptr && object->type() != engine::ObjectType::kStream) return nullptr;
  const bool dead = object != nullptr && object->IsDue(now_.unix_ms());
  if (object != nullptr && !dead)
    return &tails_.emplace_back(Tail{db, key, object->id, object->stream().last_id()});
  // A dead key makes room, and what comes next takes its slot.
  const engine::ObjectId id =
      dead ? engine_.keys().NextIdWithout(object->id) : engine_.keys().NextId(created_++);
  if (dead) Add(engine::RemoveKey{object->id});
  Add(engine::CreateKey{id, db, engine::ObjectType::kStream, key});
  return &tails_.emplace_back(Tail{db, key, id, {}});
}

bool SalePlan::Append(uint8_t db, std::string_view key, uint32_t pairs, std::string_view fields,
                      const StreamId* id) {
  Tail* tail = FindTail(db, key);
  if (tail == nullptr) return false;
  const auto next = engine::Next(tail->last);
  if (!next) return false;
  tail->last = id != nullptr ? *id : std::max(*next, StreamId{now_.unix_ms(), 0});
  Add(engine::AppendEntry{
      .body_offset = 0, .stream = tail->stream, .id = tail->last, .pairs = pairs, .fields = fields});
  return true;
}

void SalePlan::Touch(const Object& object) {
  for (const auto& [id, available] : touched_) {
    if (id == object.id) return;
  }
  touched_.emplace_back(object.id, object.item().available());
}

bool SalePlan::Tell(const OrderPart& part, bool released, std::string_view reason) {
  const engine::SaleRules& rules = part.item().rules();
  if (!Tells(rules, part.order())) return true;
  const engine::Bundle* bundle = part.item().BundleOf(part.number);
  std::string_view key = rules.event_stream.empty() ? rules.stream : rules.event_stream;
  if (key.empty() && bundle != nullptr) key = bundle->stream;
  if (key.empty()) return true;
  OrderMessage& message = messages_.emplace_back();
  message.Field("event", released ? std::string_view("released") : std::string_view("confirmed"));
  if (released) message.Field("reason", reason);
  message.Order(part.object->key, part.item(), part.order());
  return Append(engine_.keys().DatabaseOf(*part.object), key, message.pairs(), message.fields(), nullptr);
}

bool SalePlan::Settle(std::span<const OrderPart> parts, engine::OrderState state, uint8_t flags,
                      std::string_view reason, Messages messages) {
  const bool released = state != engine::OrderState::kSold;
  for (size_t i = 0; i < parts.size();) {
    // Neighbours of one item are one event.
    const Object& object = *parts[i].object;
    std::vector<StreamId>& orders = NewIds();
    for (; i < parts.size() && parts[i].object == &object; ++i) {
      if (!Tell(parts[i], released, reason) && messages == Messages::kMust) return false;
      orders.push_back(parts[i].order().id);
    }
    Touch(object);
    const bool keeps_quota = released && object.item().rules().keep_quota;
    const auto own = static_cast<uint8_t>(flags | (keeps_quota ? engine::SettleOrders::kKeepQuota : 0));
    Add(engine::SettleOrders{object.id, state, own, now_.steady_ms, orders});
  }
  return true;
}

bool SalePlan::Reacquire(std::span<const OrderPart> parts) {
  for (const OrderPart& part : parts) {
    if (!Tell(part, false, {})) return false;
    Touch(*part.object);
    Add(engine::ReacquireOrder{part.object->id, part.order().id, now_.steady_ms});
  }
  return true;
}

}  // namespace sluice::commands
