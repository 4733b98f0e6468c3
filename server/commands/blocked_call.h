// A call that waits for a stream to grow.
#pragma once

#include <algorithm>
#include <cstdint>
#include <list>
#include <optional>
#include <string>

#include <absl/container/inlined_vector.h>

#include "server/commands/session.h"

namespace sluice::commands {

struct Command;
class BlockedCall;

// Those who wait for one key, as readers of one consumer group or without one; in the order in which they
// came.
struct WaitQueue {
  uint8_t db;
  std::string key;
  std::string group;
  bool grouped;
  std::list<BlockedCall*> calls;
  size_t claiming = 0;  // calls that claim
};

// Owned by its session; known to the wait table under each of its keys until it is answered or given up.
class BlockedCall {
 public:
  struct Ticket {
    WaitQueue* queue;
    std::list<BlockedCall*>::iterator place;
  };

  Session* session = nullptr;
  const Command* command = nullptr;
  std::string wire;                     // the request
  uint8_t db = 0;                       // the database that it was sent to
  std::optional<uint64_t> deadline_ms;  // monotonic; nullopt: for ever
  std::optional<uint64_t> retry_ms;     // monotonic: when it may find something though no key changes
  bool claims = false;                  // asked even where the caller before it found nothing
  absl::InlinedVector<Ticket, 1> tickets;

  // When something is to be done about it by itself.
  std::optional<uint64_t> due_ms() const {
    if (!deadline_ms || !retry_ms) return deadline_ms ? deadline_ms : retry_ms;
    return std::min(*deadline_ms, *retry_ms);
  }
};

}  // namespace sluice::commands
