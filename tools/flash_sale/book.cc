#include "tools/flash_sale/book.h"

#include <algorithm>

namespace sluice::flash_sale {
namespace {

std::string_view FieldText(const redisReply& fields, std::string_view name) {
  const redisReply* field = FieldOf(fields, name);
  return field == nullptr ? std::string_view() : TextOf(*field);
}

bool Before(const BookedOrder& order, OrderId id) {
  return order.id < id;
}

}  // namespace

void Book::Read(Connection& connection, std::string_view stream) {
  std::string from = "-";
  for (;;) {
    const Reply page = connection.Ask({"XRANGE", stream, from, "+", "COUNT", "5000"});
    if (page == nullptr) throw Trouble("the server is gone while its orders are read");
    if (page->type != REDIS_REPLY_ARRAY) throw Trouble("the server's answer to XRANGE is no list");
    for (size_t i = 0; i < page->elements; ++i) Take(*page->element[i]);
    if (page->elements == 0) return;
    from = "(" + std::string(TextOf(ElementOf(*page->element[page->elements - 1], 0)));
  }
}

void Book::Take(const redisReply& entry) {
  ++entries_;
  const std::string entry_id(TextOf(ElementOf(entry, 0)));
  const redisReply& fields = ElementOf(entry, 1);
  const std::string_view event = FieldText(fields, "event");
  const auto id = ParseOrderId(FieldText(fields, "order"));
  if (!id) return Fault("the entry " + entry_id + " tells of no order");
  if (event == "order") return TakeOrder(*id, fields, entry_id);
  if (event != "confirmed" && event != "released")
    return Fault("the entry " + entry_id + " is nothing that a sale writes");
  const auto known = std::lower_bound(orders_.begin(), orders_.end(), *id, Before);
  if (known == orders_.end() || known->id != *id)
    return Fault("the order " + id->text() + " was " + std::string(event) + " and never placed");
  TakeSettled(*known, event == "released");
}

void Book::TakeOrder(OrderId id, const redisReply& fields, const std::string& entry) {
  if (id.text() != entry) return Fault("the entry " + entry + " tells of the order " + id.text());
  if (!orders_.empty() && id <= orders_.back().id)
    return Fault("the order " + id.text() + " stands there twice");
  const std::string_view user_name = FieldText(fields, "user");
  const std::string_view request = FieldText(fields, "reqid");
  BookedOrder order{.id = id,
                    .user = plan_.UserNamed(user_name).value_or(BookedOrder::kNobody),
                    .attempt = plan_.AttemptNamed(request).value_or(BookedOrder::kNobody),
                    .held = FieldText(fields, "state") == "held"};
  orders_.push_back(order);
  const std::string who = "the order " + id.text() + " of '" + std::string(user_name) + "'";
  if (FieldText(fields, "qty") != "1") Fault(who + " is not of one piece");
  if (order.held != (options_.hold_ms != 0)) Fault(who + " is in the wrong state");
  if (order.user == BookedOrder::kNobody) Fault(who + " is nobody's of this sale");
  if (options_.requests &&
      (order.attempt == BookedOrder::kNobody || plan_.UserOf(order.attempt) != order.user))
    Fault(who + " belongs to no request of this sale: '" + std::string(request) + "'");
  if (++taken_ > options_.stock) Fault(who + " is of a piece that was not there");
  if (!order.held) ++sold_;
  if (++pieces_[order.user] > options_.limit && options_.limit != 0) Fault(who + " is above the limit");
}

void Book::TakeSettled(BookedOrder& order, bool released) {
  ++(released ? order.released : order.confirmed);
  if (!order.held || order.released + order.confirmed != 1)
    return Fault("the order " + order.id.text() + " was confirmed or released more than once");
  if (!released) {
    ++sold_;
    return;
  }
  ++released_;
  --taken_;
  const auto owner = pieces_.find(order.user);
  if (--owner->second == 0) pieces_.erase(owner);
}

const BookedOrder* Book::Find(OrderId id) const {
  const auto known = std::lower_bound(orders_.begin(), orders_.end(), id, Before);
  return known == orders_.end() || known->id != id ? nullptr : &*known;
}

void Book::Fault(const std::string& what) {
  constexpr size_t kTold = 3;
  ++fault_count_;
  if (faults_.size() < kTold) faults_.push_back(what);
}

}  // namespace sluice::flash_sale
