// Calls that wait for what is not in memory: they met with it (storage::ColdReads), showed nothing and
// changed nothing, and run again from their start once it has been brought in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include <absl/container/flat_hash_map.h>

#include "server/commands/kept_request.h"
#include "storage/cold_reads.h"

namespace sluice::commands {

struct Session;

// How often a call is put off. Then it reads in place: the kernel is so short of memory that it drops pages
// before they are read, and waiting has no end.
inline constexpr uint8_t kMostColdWaits = 2;

// What a call waits for that has not been answered. Owned by its session. Where the call blocks, and has
// found something, it stays its session's BlockedCall too, in its place among the others.
struct ColdCall {
  KeptRequest request;  // none where the call blocks
  uint64_t ticket = 0;  // 0: what it waited for has come
  uint8_t waits = 0;    // so far, the present one included
};

// Who waits for which ticket.
class ColdCalls {
 public:
  explicit ColdCalls(storage::ColdReads& reads) : reads_(reads) {}

  size_t size() const { return sessions_.size(); }
  // What `session`'s present call has missed is fetched now; the ticket that it waits for.
  uint64_t Add(Session& session) {
    const uint64_t ticket = reads_.Fetch();
    sessions_.emplace(ticket, &session);
    return ticket;
  }
  // Nobody waits for `ticket` any more; 0: nobody ever did.
  void Remove(uint64_t ticket) {
    if (sessions_.erase(ticket) != 0) reads_.Cancel(ticket);
  }

  bool ready() const { return reads_.has_fetched() || !fetched_.empty(); }
  // A session whose pages have come: it waits no longer. nullptr: there is none.
  Session* Next() {
    if (reads_.has_fetched()) {
      const auto more = reads_.TakeFetched();
      fetched_.insert(fetched_.end(), more.begin(), more.end());
    }
    while (!fetched_.empty()) {
      const auto found = sessions_.find(fetched_.front());
      fetched_.pop_front();
      if (found == sessions_.end()) continue;  // it went away
      Session* session = found->second;
      sessions_.erase(found);
      return session;
    }
    return nullptr;
  }

 private:
  storage::ColdReads& reads_;
  absl::flat_hash_map<uint64_t, Session*> sessions_;
  std::deque<uint64_t> fetched_;
};

}  // namespace sluice::commands
