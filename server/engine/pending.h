// One entry that was delivered and not acknowledged.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <tuple>

#include "server/engine/stream_id.h"

namespace sluice::engine {

// In place of a consumer: the entry was given back (XNACK), and whoever claims it first may have it.
inline constexpr uint32_t kNobody = UINT32_MAX;

struct Pending {
  StreamId id;
  uint64_t delivered_ms = 0;  // unix time of the last delivery; 0 where it is nobody's
  uint64_t deliveries = 0;
  uint32_t consumer = 0;  // by number within the group, or kNobody

  bool owned() const { return consumer != kNobody; }
};

// As a checkpoint holds it.
struct DumpedPending {
  StreamId id;
  uint64_t since = 0;  // unix time of the delivery; of nobody's: its turn
  uint64_t deliveries = 0;
  uint32_t consumer = 0;
};
using PendingDump = std::function<void(std::span<const DumpedPending>)>;

}  // namespace sluice::engine
