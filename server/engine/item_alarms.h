// Which item has something due first.
#pragma once

#include <cstdint>
#include <utility>

#include <absl/container/btree_set.h>

#include "server/engine/object_id.h"

namespace sluice::engine {

// One time an item, the earliest in front. Holds the items that have something to wait for, not what they
// wait for: an item with a million holds is one entry.
class ItemAlarms {
 public:
  static constexpr int64_t kNever = INT64_MAX;

  bool empty() const { return alarms_.empty(); }
  // The earliest; there is one.
  int64_t time_ms() const { return alarms_.begin()->first; }
  ObjectId item() const { return alarms_.begin()->second; }

  void PopFirst() { alarms_.erase(alarms_.begin()); }

  // Moves the item's alarm from where it was set to `to`; kNever: none.
  void Move(ObjectId item, int64_t& set, int64_t to) {
    if (set == to) return;
    if (set != kNever) alarms_.erase({set, item});
    if (to != kNever) alarms_.insert({to, item});
    set = to;
  }

 private:
  absl::btree_set<std::pair<int64_t, ObjectId>> alarms_;
};

}  // namespace sluice::engine
