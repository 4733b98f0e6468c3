// What was delivered and not acknowledged.
#pragma once

#include <cstdint>
#include <optional>

#include <absl/container/btree_map.h>

#include "server/engine/stream_id.h"

namespace sluice::engine {

// One pending entry of a group.
struct Pending {
  uint64_t delivered_ms = 0;  // unix time of the last delivery
  uint64_t deliveries = 0;
  uint32_t consumer = 0;  // by number within the group
};

// Ordered by ID, so that ranges (XPENDING, XAUTOCLAIM) are walks.
using PendingList = absl::btree_map<StreamId, Pending>;

}  // namespace sluice::engine
