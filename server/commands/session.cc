#include "server/commands/session.h"

#include "server/commands/blocked_call.h"
#include "server/commands/cold_calls.h"
#include "server/commands/subscriptions.h"

namespace sluice::commands {

Session::Session(uint64_t session_id) : id(session_id) {}
Session::~Session() = default;

size_t Session::memory_bytes() const {
  size_t bytes = sizeof *this + query_buffer + output.size() + writing_bytes;
  if (transaction) bytes += transaction->bytes;
  if (postponed) bytes += postponed->size();
  if (blocked) bytes += sizeof *blocked + blocked->request.memory_bytes();
  if (cold) bytes += sizeof *cold + cold->request.memory_bytes();
  // A node in each of two tables, and the name where it is its only subscriber.
  constexpr size_t kSubscriptionBytes = 128;
  if (subscriptions) bytes += subscriptions->all() * kSubscriptionBytes + subscriptions->name_bytes;
  return bytes;
}

}  // namespace sluice::commands
