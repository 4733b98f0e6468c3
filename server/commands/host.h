// What commands ask of the process around them. server/net implements it; so does the tests' harness.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "server/commands/session.h"

namespace sluice::commands {
namespace acl {
class Users;
}

// Time as it comes in with a tick. Handlers use nothing else.
struct Time {
  uint64_t unix_us = 0;       // wall clock, never running back while the server runs
  uint64_t monotonic_ms = 0;  // for deadlines
  // For deadlines that are recorded: the unix time at the start and what has passed since, whatever became of
  // the wall clock meanwhile. The dispatcher works it out.
  uint64_t steady_ms = 0;
  uint64_t unix_ms() const { return unix_us / 1000; }
  // What the wall clock will show at that steady time, if nobody sets it.
  uint64_t UnixOf(uint64_t at_steady_ms) const { return at_steady_ms - steady_ms + unix_ms(); }
};

// How long the loop's ticks took, since the start or CONFIG RESETSTAT: what a request may have to wait for
// others. Percentiles are known to 12 %.
struct TickTimes {
  uint64_t count = 0;
  double sum_us = 0;
  double p50_us = 0;
  double p99_us = 0;
  double p999_us = 0;
  double longest_us = 0;
};

// Facts for INFO that only the process knows.
struct HostFacts {
  std::string run_id;  // 40 hex characters
  std::string executable;
  std::string config_file;       // absolute; empty where none was given
  std::string multiplexing_api;  // "epoll"
  int64_t process_id = 0;
  uint16_t tcp_port = 0;
  uint64_t started_unix_ms = 0;
  uint64_t max_clients = 0;
  uint64_t connected_clients = 0;
  uint64_t connections_received = 0;
  uint64_t connections_rejected = 0;
  uint64_t input_bytes = 0;
  uint64_t output_bytes = 0;
  uint64_t input_bytes_per_second = 0;
  uint64_t output_bytes_per_second = 0;
  uint64_t query_buffer_closed = 0;  // clients closed at a limit
  uint64_t output_buffer_closed = 0;
  uint64_t protocol_errors = 0;
  uint64_t clients_evicted = 0;    // at maxmemory-clients
  uint64_t startup_allocated = 0;  // bytes of memory in use before the store was opened
  TickTimes ticks;
  std::string recovery;  // one line: what was recovered and how long it took
};

// Options that commands read. The host keeps them true when CONFIG SET changes one.
struct Settings {
  std::string requirepass;  // the default user's, where the ACL file does not name him
  std::string acl_file;     // empty: there is none
  uint64_t databases = 16;
  uint64_t stream_node_max_entries = 100;
  uint64_t stream_idmp_duration = 100;  // seconds
  uint64_t stream_idmp_maxsize = 100;
  uint64_t retention_ms = 0;                 // of streams without their own; 0: for ever
  uint64_t retention_bytes = 0;              // likewise; 0: no limit
  uint64_t max_memory = 0;                   // bytes; 0: no limit
  uint64_t seckill_closed_orders = 1000000;  // remembered of an item
  uint64_t seckill_rate_users = 1000000;     // whose tries are counted
  uint64_t hold_grace_ms = 60000;            // after the start, before any hold ends
  uint64_t max_bulk_bytes = 64 << 20;
  uint64_t max_transaction_bytes = 64 << 20;  // of requests between MULTI and EXEC
  bool debug_commands = false;                // enable-debug-command
  uint64_t notify_keyspace_events = 0;        // classes: see keyspace_events.h
  uint64_t max_subscriptions = 100000;        // of one client
  int64_t slowlog_slower_than_us = 10000;     // below 0: nothing is slow
  uint64_t slowlog_max_entries = 128;
  uint64_t latency_threshold_ms = 0;  // 0: latencies are not watched
  bool latency_tracking = true;       // keep a histogram of each command
};

class Host {
 public:
  virtual ~Host() = default;

  virtual const Settings& settings() const = 0;
  virtual HostFacts Facts() const = 0;

  virtual acl::Users& users() = 0;
  // The ACL file's text, and its replacement as a whole, durable: it is the old one or the new one. The error
  // text where that cannot be done.
  virtual tl::expected<std::string, std::string> ReadAclFile() = 0;
  virtual std::optional<std::string> WriteAclFile(std::string_view text) = 0;
  // Bytes that nobody can guess.
  virtual void FillRandom(std::span<char> bytes) = 0;

  // `session` was written to outside of its own request (a blocked call was answered): send its output when
  // it is committed, and go on with its further requests. May be called in the middle of another session's
  // request.
  virtual void Wake(Session& session) = 0;

  // Every connected session, oldest first.
  virtual void ForEachSession(const std::function<void(Session&)>& visit) = 0;
  // Closes `session`'s connection: at once, or, where it is the `caller`, after its reply. The session dies
  // later, not inside this call.
  virtual void Kill(Session& session, const Session& caller) = 0;

  // Writes a line to the server's log (DEBUG LOG).
  virtual void Log(std::string_view line) = 0;
  // CONFIG RESETSTAT, as far as the process counts.
  virtual void ResetStatistics() = 0;

  // Stops the server in good order once the present tick is over: everything durable, and, with `checkpoint`,
  // the next start quick; exit status 0.
  virtual void Shutdown(bool checkpoint) = 0;
  // Sleeps on the loop's thread (DEBUG SLEEP).
  virtual void Sleep(double seconds) = 0;

  // Name and value of every option that matches one of `patterns` (globs, any case), each once, in the file's
  // order.
  virtual std::vector<std::pair<std::string, std::string>> ConfigGet(
      std::span<const std::string_view> patterns) const = 0;
  // Sets all of name, value, name, value ... or none; the error text (without code) where it refuses.
  virtual std::optional<std::string> ConfigSet(std::span<const std::string_view> names_and_values) = 0;
  // Writes what CONFIG SET changed into the conf file; the error text (without code) where it cannot.
  virtual std::optional<std::string> ConfigRewrite() = 0;
};

}  // namespace sluice::commands
