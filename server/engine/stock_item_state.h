// How a stock item stands in a checkpoint: written and read.
#pragma once

#include "server/engine/state_dump.h"
#include "server/engine/state_record.h"
#include "server/engine/stock_item.h"

namespace sluice::engine {

// Writes an item's own record and begins the dump of its buyers. `item` lives until that has ended.
void DumpStockItem(ObjectId id, StockItem& item, StateDump& dump);

// Fills one item from its records. Each call says false where a record does not fit those before it.
class StockItemLoad {
 public:
  // No more buyers can come than `most_buyers`.
  StockItemLoad(StockItem& item, uint64_t most_buyers) : item_(item), most_buyers_(most_buyers) {}

  bool Take(const ItemState& record);
  bool Take(const BuyersPart& record);
  // All has come; false where something is missing.
  bool Finish() const { return begun_ && restored_ == buyers_; }

 private:
  StockItem& item_;
  const uint64_t most_buyers_;
  bool begun_ = false;
  uint64_t buyers_ = 0;
  uint64_t restored_ = 0;
};

}  // namespace sluice::engine
