// Requests -> replies: looks the command up, lets its handler decide, records, applies, and serves who
// waited.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "protocol/request.h"
#include "server/commands/host.h"
#include "server/commands/session.h"
#include "server/engine/journal.h"

namespace sluice::commands {

struct ServerStatistics;

// One thread. All of `journal` and `host` outlive it.
class Dispatcher {
 public:
  Dispatcher(engine::Journal& journal, Host& host);
  ~Dispatcher();

  // The present time, once a tick (the wall clock may jump; Time.unix_us handed on to handlers never runs
  // back).
  void SetTime(Time now);

  // Executes one request of `session`. Afterwards exactly one of these holds: its reply stands in
  // session.output (or there is none, by CLIENT REPLY); session.waits(), and the reply comes later, with
  // Host::Wake. The request's views are not kept.
  void Execute(Session& session, const protocol::Request& request);

  // Brings into the processor's cache what the requests at the front of `input` will look up, where that is
  // worth while; `session` is to execute them next. Returns for how many of them it need not be asked again,
  // at least 1.
  size_t LookAhead(const Session& session, std::string_view input) const;

  // True where `request` would change state if executed: what a connection holds back while too much is
  // uncommitted.
  bool IsWrite(const protocol::Request& request) const;

  // `session` has no more to execute just now, or not in this tick: closes the measurement of its last
  // requests. `last` is the last of them; nullptr: its bytes are gone.
  void EndTurn(Session& session, const protocol::Request* last);

  // Takes over changed Settings.
  void ReadSettings();

  // Does what is due: runs calls again whose pages have come (Journal::cold_reads() tells when by its
  // notification), answers blocked calls whose time is over, and those that time alone has something for
  // (CLAIM); ends holds whose time is over, a bounded number of them, so that some may stay due; executes
  // what CLIENT PAUSE held back, once its time is over. Call it at or after next_deadline_ms().
  void RunDue();
  // When the first blocked call or hold is due, or the pause ends, in Time.monotonic_ms; nullopt: none.
  std::optional<uint64_t> next_deadline_ms() const;

  // `session` is going away: forgets its blocked call, its channels and all else. Safe at any time, also
  // inside Host::Wake.
  void Drop(Session& session);

  // What was executed since the start, or the last CONFIG RESETSTAT.
  const ServerStatistics& statistics() const;

  // A slice (at most about 200 us) of deferred work: memory of dropped keys and of sealed indexes, closed
  // orders to forget, what streams lose by
  // themselves, a checkpoint. False where nothing is left.
  bool RunBackgroundSlice();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::commands
