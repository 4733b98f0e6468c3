#include "server/engine/stock_item_state.h"

#include <memory>
#include <utility>

namespace sluice::engine {

// Reads and writes what only the Applier may otherwise.
struct StockItemAccess {
  static ItemState StateOf(ObjectId id, const StockItem& item) {
    const SaleRules& rules = item.rules_;
    return {.item = id,
            .total = item.total_,
            .available = item.available_,
            .held = item.held_,
            .sold = item.sold_,
            .kept = item.kept_,
            .orders_placed = item.orders_placed_,
            .last_order = item.last_order_,
            .pause = item.pause_,
            .paused_ms = static_cast<uint64_t>(item.paused_ms_),
            .shift_ms = static_cast<uint64_t>(item.shift_ms_),
            .start_ms = rules.start_ms,
            .end_ms = rules.end_ms,
            .limit = rules.limit,
            .max_quantity = rules.max_quantity,
            .hold_ms = rules.hold_ms,
            .rate = rules.rate,
            .rate_ms = rules.rate_ms,
            .max_backlog = rules.max_backlog,
            .idem_ms = rules.idem_ms,
            .keep_quota = rules.keep_quota,
            .events = rules.events,
            .buyers = static_cast<uint32_t>(item.buyers_.size()),
            .orders = static_cast<uint32_t>(item.orders_.size()),
            .requests = static_cast<uint32_t>(item.requests_.size() - item.requests_.restocks()),
            .restocks = static_cast<uint32_t>(item.requests_.restocks()),
            .stream = rules.stream,
            .event_stream = rules.event_stream,
            .backlog_group = rules.backlog_group};
  }
  static void Set(const ItemState& state, StockItem& item) {
    item.total_ = state.total;
    item.available_ = state.available;
    item.held_ = state.held;
    item.sold_ = state.sold;
    item.kept_ = state.kept;
    item.orders_placed_ = state.orders_placed;
    item.last_order_ = state.last_order;
    item.pause_ = state.pause;
    item.paused_ms_ = static_cast<int64_t>(state.paused_ms);
    item.shift_ms_ = static_cast<int64_t>(state.shift_ms);
    item.rules_ = {.start_ms = state.start_ms,
                   .end_ms = state.end_ms,
                   .limit = state.limit,
                   .max_quantity = state.max_quantity,
                   .hold_ms = state.hold_ms,
                   .rate = state.rate,
                   .rate_ms = state.rate_ms,
                   .max_backlog = state.max_backlog,
                   .idem_ms = state.idem_ms,
                   .keep_quota = state.keep_quota != 0,
                   .events = state.events,
                   .stream = std::string(state.stream),
                   .event_stream = std::string(state.event_stream),
                   .backlog_group = std::string(state.backlog_group)};
  }
  static BuyerTable& Buyers(StockItem& item) { return item.buyers_; }
  static OrderTable& Orders(StockItem& item) { return item.orders_; }
  static RequestTable& Requests(StockItem& item) { return item.requests_; }
  static const Bundle* BundleOf(const StockItem& item, uint32_t order) {
    const auto found = item.bundles_.find(order);
    return found == item.bundles_.end() ? nullptr : found->second.get();
  }
  // An order that came from a checkpoint, all but its place in the table filled in.
  static void Restore(StockItem& item, const Order& loaded, std::string_view request,
                      std::shared_ptr<const Bundle> bundle) {
    const uint32_t number = item.orders_.Add(loaded.id);
    item.orders_.Change(number) = loaded;
    if (!request.empty()) item.orders_.Change(number).request = item.requests_.AddOrder(request, number);
    item.Chain(number);
    if (loaded.open()) {
      item.open_.Insert(number);
      item.orders_.CountOpen(number, true);
    } else {
      item.closed_.Insert(number);
    }
    if (bundle) item.bundles_.emplace(number, std::move(bundle));
  }
};

namespace {

void DumpOrders(ObjectId id, StockItem& item, StateDump& dump) {
  OrderTable& orders = StockItemAccess::Orders(item);
  orders.BeginDump([id, &item, &dump](uint32_t number, const Order& order) {
    const Bundle* bundle = order.has(Order::kInBundle) ? StockItemAccess::BundleOf(item, number) : nullptr;
    OrderStateRecord record{.item = id,
                            .order = order.id,
                            .time_ms = static_cast<uint64_t>(order.time_ms),
                            .buyer = order.buyer,
                            .quantity = order.quantity,
                            .request = order.request,
                            .state = order.state,
                            .flags = order.flags,
                            .bundle = {},
                            .bundle_stream = {}};
    if (bundle != nullptr) record.bundle = bundle->items, record.bundle_stream = bundle->stream;
    dump.Put(record);
  });
  dump.AddPart([&orders] { return orders.ContinueDump(); });
}

}  // namespace

void DumpStockItem(ObjectId id, StockItem& item, StateDump& dump) {
  dump.Put(StockItemAccess::StateOf(id, item));
  RequestTable& requests = StockItemAccess::Requests(item);
  for (size_t n = 0; n < requests.restocks(); ++n) {
    const uint32_t number = requests.RestockNumber(n);
    dump.Put(RestockState{.item = id,
                          .time_ms = static_cast<uint64_t>(requests.RestockTime(n)),
                          .delta = requests[number].delta,
                          .id = requests.IdOf(number)});
  }
  BuyerTable& buyers = StockItemAccess::Buyers(item);
  buyers.BeginDump([id, &dump](uint32_t number, std::string_view name, uint64_t pieces) {
    dump.Put(BuyerState{.item = id, .number = number, .pieces = pieces, .name = name});
  });
  dump.AddPart([&buyers] { return buyers.ContinueDump(); });
  requests.BeginDump([id, &dump](uint32_t number, std::string_view request) {
    dump.Put(RequestState{.item = id, .number = number, .id = request});
  });
  dump.AddPart([&requests] { return requests.ContinueDump(); });
  DumpOrders(id, item, dump);
}

bool StockItemLoad::Take(const ItemState& record) {
  if (begun_ || record.pause > Pause::kSalesAndHolds || record.events > SaleEvents::kAll) return false;
  begun_ = true;
  expected_ = record;
  StockItemAccess::Set(record, item_);
  return true;
}

bool StockItemLoad::Take(const BuyerState& record) {
  BuyerTable& buyers = StockItemAccess::Buyers(item_);
  if (!begun_ || record.name.empty() || buyers_.contains(record.number)) return false;
  const uint64_t hash = buyers.HashOf(record.name);
  if (buyers.Find(record.name, hash).number != BuyerTable::kNone || record.pieces == UINT64_MAX) return false;
  const uint32_t number = buyers.Add(record.name, hash);
  for (uint64_t left = record.pieces; left != 0;) {
    const auto some = static_cast<uint32_t>(std::min<uint64_t>(left, UINT32_MAX));
    buyers.AddPieces(number, some);
    left -= some;
    if (left >= uint64_t{UINT32_MAX} * 1024) return false;  // nobody could have bought that
  }
  buyers_[record.number] = number;
  return true;
}

bool StockItemLoad::Take(const OrderStateRecord& record) {
  if (!begun_ || record.state == OrderState::kForgotten || record.state > OrderState::kCancelled)
    return false;
  LoadedOrder order{.time_ms = static_cast<int64_t>(record.time_ms),
                    .buyer = record.buyer,
                    .quantity = record.quantity,
                    .request = record.request,
                    .state = record.state,
                    .flags = record.flags,
                    .bundle = {record.bundle.begin(), record.bundle.end()},
                    .bundle_stream = std::string(record.bundle_stream)};
  if (((record.flags & Order::kInBundle) != 0) == order.bundle.empty()) return false;
  return orders_.emplace(record.order, std::move(order)).second;
}

bool StockItemLoad::Take(const RequestState& record) {
  if (!begun_ || record.id.empty()) return false;
  return requests_.emplace(record.number, std::string(record.id)).second;
}

bool StockItemLoad::Take(const RestockState& record) {
  RequestTable& requests = StockItemAccess::Requests(item_);
  if (!begun_ || record.id.empty() || requests.Find(record.id) != RequestTable::kNone) return false;
  requests.AddRestock(record.id, record.delta, static_cast<int64_t>(record.time_ms));
  ++restocks_;
  return true;
}

bool StockItemLoad::Place(StreamId id, const LoadedOrder& order) {
  const auto buyer = buyers_.find(order.buyer);
  if (buyer == buyers_.end()) return false;
  std::string request;
  if (order.request != RequestTable::kNone) {
    const auto found = requests_.find(order.request);
    if (found == requests_.end()) return false;
    request = std::move(found->second);
    requests_.erase(found);
    if (StockItemAccess::Requests(item_).Find(request) != RequestTable::kNone) return false;
  }
  std::shared_ptr<const Bundle> bundle;
  if (!order.bundle.empty()) bundle = std::make_shared<Bundle>(Bundle{order.bundle, order.bundle_stream});
  const Order placed{.id = id,
                     .time_ms = order.time_ms,
                     .buyer = buyer->second,
                     .quantity = order.quantity,
                     .request = RequestTable::kNone,
                     .state = order.state,
                     .flags = order.flags};
  StockItemAccess::Restore(item_, placed, request, std::move(bundle));
  return true;
}

bool StockItemLoad::Finish() {
  if (!begun_ || buyers_.size() != expected_.buyers || orders_.size() != expected_.orders ||
      requests_.size() != expected_.requests || restocks_ != expected_.restocks) {
    return false;
  }
  for (const auto& [id, order] : orders_) {
    if (id > expected_.last_order || !Place(id, order)) return false;
  }
  return requests_.empty();
}

}  // namespace sluice::engine
