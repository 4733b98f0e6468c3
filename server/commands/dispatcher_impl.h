// The dispatcher's insides: what its parts share. Requests are taken in dispatcher.cc; what they change goes
// through dispatcher_changes.cc, those that wait are in dispatcher_waiting.cc, what time brings about in
// dispatcher_background.cc and dispatcher_sales.cc.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/request_parser.h"
#include "server/commands/acl_denial.h"
#include "server/commands/acl_users.h"
#include "server/commands/blocked_call.h"
#include "server/commands/cold_calls.h"
#include "server/commands/command_table.h"
#include "server/commands/delivery.h"
#include "server/commands/diagnostics.h"
#include "server/commands/dispatcher.h"
#include "server/commands/errors.h"
#include "server/commands/keyspace_events.h"
#include "server/commands/memory_gauge.h"
#include "server/commands/monitors.h"
#include "server/commands/rate_table.h"
#include "server/commands/stream_sweep.h"
#include "server/commands/subscriptions.h"
#include "server/commands/wait_table.h"
#include "server/commands/watch_table.h"

namespace sluice::commands {

// What waits for a checkpoint stands in the queues beside what waits for keys, in a database that no key has.
inline constexpr uint8_t kNoDatabase = 255;
inline constexpr std::string_view kCheckpoint = "checkpoint";

// On a full disk what makes the state larger is refused; what hands out, acknowledges and removes goes on.
inline storage::Log::Use UseOf(bool grows) {
  return grows ? storage::Log::Use::kGrowth : storage::Log::Use::kReserve;
}

class Dispatcher::Impl {
 public:
  Impl(engine::Journal& journal, Host& host)
      : journal_(journal),
        host_(host),
        settings_(host.settings()),
        delivery_(host),
        cold_reads_(journal.cold_reads()),
        waiters_(journal.engine().hash_seed()) {
    ReadSettings();
  }

  void SetTime(Time now) {
    if (now_.monotonic_ms == 0) start_ = now;
    now.steady_ms = start_.unix_ms() + (now.monotonic_ms - start_.monotonic_ms);
    // A wall clock that is set back stands still until it has caught up: IDs and windows rely on it.
    now.unix_us = std::max(now.unix_us, now_.unix_us);
    now_ = now;
    cold_reads_.SetTime(now.monotonic_ms);
    diagnostics_.commands_rate.Sample(now.monotonic_ms, statistics_.commands);
  }

  void Execute(Session& session, const protocol::Request& request);
  size_t LookAhead(const Session& session, std::string_view input) const;
  bool IsWrite(const protocol::Request& request) const;
  void RunDue();
  std::optional<uint64_t> next_deadline_ms() const;
  const ServerStatistics& statistics() const { return statistics_; }
  void Drop(Session& session);
  bool RunBackgroundSlice();
  void EndTurn(Session& session, const protocol::Request* last);
  void ReadSettings();

 private:
  class Call;  // the Context of one execution

  void Admit(Session& session, const protocol::Request& request);
  void Mute(Session& session, size_t begin);
  void Decide(Session& session, const protocol::Request& request);
  void Run(Session& session, const Command& command, const protocol::Request& request);
  void RunHandler(Session& session, const Command& command, const protocol::Request& request);
  void CountOutcome(const Command& command, std::string_view reply);
  void NoticeSlow(Session& session, const Command& command, const protocol::Request* request);
  bool MustWait(const Session& session, const Command& command) const;
  void Resume();
  void Queue(Session& session, const Command& command, const protocol::Request& request);
  void ExecuteAll(Session& session, const Transaction& transaction);
  void Refuse(Session& session, const Command* command, std::string_view error);
  bool MayRun(Session& session, const Command& command, const protocol::Request& request);
  acl::Denied DeniedTo(Session& session, const Command& command, const protocol::Request& request);
  static bool NeedsMemory(const Session& session, const Command& command);
  void RefuseMemory(Session& session, const Command& command);
  // `cause`: the command whose change this is; nullptr: time's.
  storage::Result<void> Record(std::span<engine::Event> events, storage::Log::Use use, const Command* cause);
  bool RunCheckpointSlice();
  void PublishKeyspaceEvents(const std::vector<KeyspaceEvent>& events);
  void PublishMisses(Session& session, const Command& command, const protocol::Request& request);
  void RemoveDueKeys(const Session& session, const Command& command, const protocol::Request& request);
  void RemoveIfDue(const engine::Object* object);
  void Notice(const engine::Event& event);
  void NoticeKey(uint8_t db, std::string_view key, bool wakes);
  void NoticeDatabase(uint8_t db);
  void StockChanged(engine::ObjectId id, uint64_t before);
  uint64_t HoldsDueMs() const;
  void ReleaseDueHolds();
  bool ForgetStaleOrders();
  void PutOff(Session& session, const protocol::Request& request, size_t begin);
  void RunFetched();
  void RunAgain(Session& session);
  bool SweepStreams();
  void ServeReady();
  void ServeQueue(WaitQueue& queue);
  bool Retry(BlockedCall& call);
  void Answer(BlockedCall& call, std::string_view error);

  // CLIENT PAUSE.
  struct Pausing {
    uint64_t until_ms;  // monotonic
    bool all;           // not only writes
  };

  engine::Journal& journal_;
  Host& host_;
  const Settings& settings_;
  CommandFinder commands_;
  Time now_;
  Time start_;                                 // when this life began
  uint64_t holds_next_ms_ = 0;                 // monotonic: before, no hold ends, though it may be due
  uint64_t holds_ended_ms_ = 0;                // monotonic: the last full slice of holds
  std::array<storage::Lsn, 2> holds_ended_{};  // where the last two such slices end in the log
  std::unique_ptr<RateTable> rates_;           // none until it is needed
  StreamSweep sweep_;
  MemoryGauge memory_;
  Diagnostics diagnostics_;
  ServerStatistics& statistics_ = diagnostics_.statistics;
  CommandTimes& times_ = diagnostics_.times;
  Delivery delivery_;
  Subscriptions subscriptions_{delivery_};
  Monitors monitors_{delivery_};
  std::optional<Pausing> pause_;
  std::vector<Session*> postponed_;  // by the pause, in the order in which they came
  bool publishes_keys_ = false;      // somebody may want to hear of changed keys
  EntryHead new_ids_;
  storage::ColdReads& cold_reads_;
  ColdCalls cold_calls_{cold_reads_};
  uint8_t cold_waits_ = 0;  // of the call that runs again
  WaitTable waiters_;
  WatchTable watches_;
  bool in_exec_ = false;
  std::vector<std::string_view> kept_args_;  // of the call that is executed again
  protocol::RequestParser postponed_parser_{
      {.max_args = SIZE_MAX, .max_bulk_bytes = SIZE_MAX, .max_inline_bytes = 0}};
  // Of requests that were kept here, whose limits were looked at when they came.
  protocol::RequestParser kept_parser_{
      {.max_args = SIZE_MAX, .max_bulk_bytes = SIZE_MAX, .max_inline_bytes = 0}};
};

}  // namespace sluice::commands
