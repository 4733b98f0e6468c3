#include "server/engine/stock_item.h"

#include <algorithm>

#include "server/engine/free_some.h"
#include "storage/check.h"

namespace sluice::engine {

int64_t StockItem::next_deadline() const {
  if (open_.empty() || pause_ == Pause::kSalesAndHolds) return ItemAlarms::kNever;
  return orders_[open_.front()].time_ms + shift_ms_;
}

int64_t StockItem::next_stale() const {
  int64_t first_ms = ItemAlarms::kNever;
  if (!closed_.empty()) first_ms = orders_[closed_.front()].time_ms;
  if (requests_.restocks() != 0) first_ms = std::min(first_ms, requests_.RestockTime(0));
  return first_ms == ItemAlarms::kNever ? first_ms : first_ms + static_cast<int64_t>(rules_.idem_ms);
}

const Bundle* StockItem::BundleOf(uint32_t order) const {
  if (!orders_[order].has(Order::kInBundle)) return nullptr;
  return bundles_.find(order)->second.get();
}

bool StockItem::FreeSome(size_t& pieces) {
  return open_.FreeSome(pieces) || closed_.FreeSome(pieces) || EraseSome(bundles_, pieces) ||
         buyers_.FreeSome(pieces) || requests_.FreeSome(pieces) || orders_.FreeSome(pieces);
}

size_t StockItem::memory_bytes() const {
  return sizeof *this - sizeof buyers_ - sizeof requests_ + buyers_.memory_bytes() + orders_.memory_bytes() +
         requests_.memory_bytes() + open_.memory_bytes() + closed_.memory_bytes() +
         bundles_.size() * (sizeof(Bundle) + 64);
}

void StockItem::Place(const Placing& placing) {
  const BuyerTable::Known known = buyers_.Find(placing.user, placing.user_hash);
  const uint32_t buyer =
      known.number != BuyerTable::kNone ? known.number : buyers_.Add(placing.user, placing.user_hash);
  buyers_.AddPieces(buyer, placing.quantity);

  const uint32_t number = orders_.Add(placing.id);
  Order& order = orders_.Change(number);
  order.buyer = buyer;
  order.quantity = placing.quantity;
  order.flags = placing.flags;
  order.request = RequestTable::kNone;
  if (!placing.request.empty()) order.request = requests_.AddOrder(placing.request, number);
  Chain(number);

  available_ -= placing.quantity;
  last_order_ = placing.id;
  ++orders_placed_;
  if (placing.deadline_ms != 0) {
    held_ += placing.quantity;
    order.state = OrderState::kHeld;
    order.time_ms = static_cast<int64_t>(placing.deadline_ms) - shift_ms_;
    open_.Insert(number);
    orders_.CountOpen(number, true);
  } else {
    sold_ += placing.quantity;
    order.state = OrderState::kSold;
    Close(number, placing.now_ms);
  }
}

void StockItem::Bind(StreamId order, std::shared_ptr<const Bundle> bundle) {
  const uint32_t number = orders_.Find(order);
  orders_.Change(number).flags |= Order::kInBundle;
  bundles_.emplace(number, std::move(bundle));
}

// From held to anything, or (a sale that is taken back) from sold to cancelled.
void StockItem::Settle(StreamId id, const Settling& settling) {
  const uint32_t number = orders_.Find(id);
  Order& order = orders_.Change(number);
  const uint32_t quantity = order.quantity;
  if (order.open()) {
    open_.Erase(number);
    orders_.CountOpen(number, false);
    held_ -= quantity;
  } else {
    closed_.Erase(number);
    sold_ -= quantity;
  }
  order.state = settling.state;
  if (settling.state == OrderState::kSold) {
    sold_ += quantity;
  } else {
    if (settling.restocks) {
      available_ += quantity;
    } else {
      total_ -= quantity;
    }
    if (settling.keeps_quota) {
      order.flags |= Order::kQuotaKept;
      kept_ += quantity;
    } else {
      buyers_.TakePieces(order.buyer, quantity);
    }
  }
  Close(number, settling.now_ms);
}

// A released order takes its pieces again, and is sold.
void StockItem::Reacquire(StreamId id, uint64_t now_ms) {
  const uint32_t number = orders_.Find(id);
  Order& order = orders_.Change(number);
  closed_.Erase(number);
  order.state = OrderState::kSold;
  available_ -= order.quantity;
  sold_ += order.quantity;
  if (order.has(Order::kQuotaKept)) {
    order.flags = static_cast<uint8_t>(order.flags & ~Order::kQuotaKept);
    kept_ -= order.quantity;
  } else {
    buyers_.AddPieces(order.buyer, order.quantity);
  }
  Close(number, now_ms);
}

void StockItem::Extend(StreamId id, uint64_t deadline_ms) {
  const uint32_t number = orders_.Find(id);
  Order& order = orders_.Change(number);
  open_.Erase(number);
  order.time_ms = static_cast<int64_t>(deadline_ms) - shift_ms_;
  open_.Insert(number);
}

void StockItem::SetPause(Pause pause, uint64_t now_ms) {
  const auto now = static_cast<int64_t>(now_ms);
  // The time that holds stood still is given to all of them at once. A clock that was set back while the
  // server was down takes none.
  if (pause_ == Pause::kSalesAndHolds && pause != pause_) shift_ms_ += std::max<int64_t>(now - paused_ms_, 0);
  if (pause == Pause::kSalesAndHolds && pause != pause_) paused_ms_ = now;
  pause_ = pause;
}

void StockItem::ForgetThrough(int64_t time_ms, StreamId id) {
  while (!closed_.empty()) {
    const Order& first = orders_[closed_.front()];
    if (first.time_ms > time_ms || (first.time_ms == time_ms && first.id > id)) return;
    Forget(closed_.front());
  }
}

void StockItem::Forget(uint32_t number) {
  const Order order = orders_[number];
  closed_.Erase(number);
  Unchain(order);
  if (order.request != RequestTable::kNone) requests_.Forget(order.request);
  orders_.Forget(number);  // first: a dump that shows the order looks for its bundle
  if (order.has(Order::kInBundle)) bundles_.erase(number);
  const bool idle = buyers_.PiecesOf(order.buyer) == 0;
  if (idle && buyers_.first_order(order.buyer) == OrderTable::kNone) buyers_.Forget(order.buyer);
}

void StockItem::Close(uint32_t number, uint64_t now_ms) {
  Order& order = orders_.Change(number);
  order.time_ms = static_cast<int64_t>(now_ms);
  closed_.Insert(number);
}

// A buyer's orders are a list, the newest first.
void StockItem::Chain(uint32_t number) {
  Order& order = orders_.Change(number);
  const uint32_t next = buyers_.first_order(order.buyer);
  order.previous = OrderTable::kNone;
  order.next = next;
  if (next != OrderTable::kNone) orders_.Change(next).previous = number;
  buyers_.set_first_order(order.buyer, number);
}

void StockItem::Unchain(const Order& order) {
  if (order.next != OrderTable::kNone) orders_.Change(order.next).previous = order.previous;
  if (order.previous != OrderTable::kNone) {
    orders_.Change(order.previous).next = order.next;
  } else {
    buyers_.set_first_order(order.buyer, order.next);
  }
}

}  // namespace sluice::engine
