#include "server/engine/stock_item_state.h"

#include <cstring>
#include <string>

namespace sluice::engine {

// Reads and writes what only the Applier may otherwise.
struct StockItemAccess {
  static BuyerTable& BuyersOf(StockItem& item) { return item.buyers_; }
  static void Set(const ItemState& state, StockItem& item) {
    item.total_ = state.total;
    item.available_ = state.available;
    item.held_ = state.held;
    item.sold_ = state.sold;
    item.orders_ = state.orders;
    item.last_order_ = state.last_order;
    item.rules_ = {std::string(state.stream), state.start_ms, state.end_ms, state.limit, state.max_quantity};
    item.buyers_.BeginRestore(state.buyers);
  }
};

namespace {

constexpr size_t kBuyerHead = 2 * sizeof(uint32_t);

void Append(std::string& to, uint32_t number) {
  to.append(reinterpret_cast<const char*>(&number), sizeof number);
}

}  // namespace

void DumpStockItem(ObjectId id, StockItem& item, StateDump& dump) {
  const SaleRules& rules = item.rules();
  BuyerTable& buyers = StockItemAccess::BuyersOf(item);
  dump.Put(ItemState{.item = id,
                     .total = item.total(),
                     .available = item.available(),
                     .held = item.held(),
                     .sold = item.sold(),
                     .orders = item.orders(),
                     .last_order = item.last_order(),
                     .start_ms = rules.start_ms,
                     .end_ms = rules.end_ms,
                     .limit = rules.limit,
                     .max_quantity = rules.max_quantity,
                     .buyers = static_cast<uint32_t>(buyers.size()),
                     .stream = rules.stream});
  if (buyers.size() == 0) return;
  buyers.BeginDump([id, &dump](uint32_t first, std::span<const BuyerTable::Buyer> shown) {
    std::string bytes;
    for (const BuyerTable::Buyer& buyer : shown) {
      Append(bytes, buyer.count);
      Append(bytes, buyer.name_bytes);
      bytes += buyer.Name();
    }
    dump.Put(BuyersPart{.item = id, .first = first, .buyers = bytes});
  });
  dump.AddPart([&buyers] { return buyers.ContinueDump(); });
}

bool StockItemLoad::Take(const ItemState& record) {
  if (begun_ || record.buyers > most_buyers_) return false;
  begun_ = true;
  buyers_ = record.buyers;
  StockItemAccess::Set(record, item_);
  return true;
}

bool StockItemLoad::Take(const BuyersPart& record) {
  std::string_view in = record.buyers;
  for (uint32_t number = record.first; !in.empty(); ++number) {
    uint32_t head[2];
    if (in.size() < kBuyerHead) return false;
    std::memcpy(head, in.data(), kBuyerHead);
    in.remove_prefix(kBuyerHead);
    if (in.size() < head[1]) return false;
    if (!StockItemAccess::BuyersOf(item_).Restore(number, in.substr(0, head[1]), head[0])) return false;
    in.remove_prefix(head[1]);
    ++restored_;
  }
  return true;
}

}  // namespace sluice::engine
