// A call that waits for a stream to grow.
#pragma once

#include <algorithm>
#include <cstdint>

#include <absl/container/inlined_vector.h>

#include "server/commands/kept_request.h"
#include "server/commands/session.h"
#include "server/commands/wait_queue.h"

namespace sluice::commands {

struct Command;

// Owned by its session; known to the wait table under each of its keys until it is answered or given up.
// Its memory counts, for every client may have one: commands_wait_table_test holds it under 300 bytes with
// its request and all that the table keeps of it.
class BlockedCall {
 public:
  static constexpr uint64_t kNever = UINT64_MAX;

  Session* session = nullptr;
  const Command* command = nullptr;
  KeptRequest request;
  uint64_t deadline_ms = kNever;  // monotonic
  uint64_t retry_ms = kNever;     // monotonic: when it may find something though no key changes
  absl::InlinedVector<WaitTicket, 1> tickets;
  uint8_t db = 0;       // the database that it was sent to
  bool claims = false;  // asked even where the caller before it found nothing

  // When something is to be done about it by itself.
  uint64_t due_ms() const { return std::min(deadline_ms, retry_ms); }
};

}  // namespace sluice::commands
