// How long a stream keeps its entries by itself.
#pragma once

#include <cstdint>
#include <optional>

#include "server/engine/stream_id.h"

namespace sluice::engine {

// A stream's own limits; nullopt: the server's option holds. 0: there is none.
struct Retention {
  std::optional<uint64_t> ms;     // the age, by the milliseconds of its ID, beyond which an entry goes
  std::optional<uint64_t> bytes;  // of the log that its newest entries take; what is older goes

  bool any() const { return ms || bytes; }
  friend bool operator==(const Retention&, const Retention&) = default;
};

// How far back a stream's bytes have been counted.
struct SizeWalk {
  std::optional<StreamId> above;  // entries from here on are counted; nullopt: none
  uint64_t bytes = 0;             // that they take in the log, about
};

}  // namespace sluice::engine
