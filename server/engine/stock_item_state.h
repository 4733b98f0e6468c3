// How a stock item stands in a checkpoint: written and read.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "server/engine/state_dump.h"
#include "server/engine/state_record.h"
#include "server/engine/stock_item.h"

namespace sluice::engine {

// Writes an item's own record and begins the dumps of its tables. `item` lives until those have ended.
void DumpStockItem(ObjectId id, StockItem& item, StateDump& dump);

// Fills one item from its records. Each call says false where a record does not fit those before it.
class StockItemLoad {
 public:
  explicit StockItemLoad(StockItem& item) : item_(item) {}

  bool Take(const ItemState& record);
  bool Take(const BuyerState& record);
  bool Take(const OrderStateRecord& record);
  bool Take(const RequestState& record);
  bool Take(const RestockState& record);
  // All has come: orders, which come in any order and name their buyers and requests by numbers, take their
  // places. False where something is missing, or does not fit the rest.
  bool Finish();

 private:
  struct LoadedOrder {
    int64_t time_ms;
    uint32_t buyer;
    uint32_t quantity;
    uint32_t request;
    OrderState state;
    uint8_t flags;
    std::vector<ObjectId> bundle;
    std::string bundle_stream;
  };

  bool Place(StreamId id, const LoadedOrder& order);

  StockItem& item_;
  bool begun_ = false;
  ItemState expected_{};                            // counts; its views are not read
  absl::flat_hash_map<uint32_t, uint32_t> buyers_;  // what is a buyer's number here, by the one in the file
  absl::flat_hash_map<uint32_t, std::string> requests_;
  std::map<StreamId, LoadedOrder> orders_;
  uint32_t restocks_ = 0;
};

}  // namespace sluice::engine
