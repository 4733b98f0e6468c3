// The tick: what happens between two rests of the loop.
//
// The happy path: sockets become readable, connections parse and execute (that opens the tick, and with it
// comes the time that all of its requests see). At the end of the tick connections whose turn was cut short
// get another one, the replies are stamped with the log's tail, the batch is submitted, and whatever is
// committed by then leaves, one write a connection.
//
// What else can happen: the batch is still in flight (its replies leave when the log's completion ends a
// later tick); the log has failed (the process ends on the spot and sends nothing more); too much is
// uncommitted (connections whose next request is a write wait for a commit).
#pragma once

#include <cstdint>
#include <vector>

#include "server/commands/command_times.h"
#include "server/commands/dispatcher.h"
#include "server/commands/host.h"
#include "server/commands/stopwatch.h"
#include "server/config.h"
#include "server/engine/journal.h"
#include "storage/log.h"

namespace sluice::net {

class Connection;

// One thread. The connections that it is told of stay alive until it has closed them.
class Ticker {
 public:
  Ticker(engine::Journal& journal, commands::Dispatcher& dispatcher, const Config& config)
      : work_cycles_(commands::Stopwatch::CyclesIn(kWorkNs)),
        journal_(journal),
        log_(journal.log()),
        dispatcher_(dispatcher),
        config_(config) {}

  // Opens a tick, unless one is open. To be called before anything that reads now() or executes.
  void Begin();
  bool open() const { return open_; }
  const commands::Time& now() const { return now_; }
  // Counts ticks: tells a connection that its allowance is fresh.
  uint64_t number() const { return number_; }
  // True when this tick has worked for about half a millisecond: time to commit what there is.
  bool TimeIsUp() const;

  // Output was appended, or the connection is to be closed after what is there: looked after at the end of
  // the tick.
  void Touch(Connection& connection);
  // Has requests left that it may execute: gets a turn at the end of this tick or in one of the next.
  void Queue(Connection& connection);
  // Its next request is a write, and too much is uncommitted: gets a turn when that has changed.
  void HoldWriter(Connection& connection);
  // Its socket is closed at the end of the tick; until then it executes nothing more.
  void Doom(Connection& connection);

  // True where the log can take another write without passing max-uncommitted-bytes.
  bool MayWrite() const { return log_.uncommitted_bytes() < config_.max_uncommitted_bytes; }

  // Closes the sockets of who was doomed; End() does it too.
  void CloseDoomed();

  // Ends the open tick. Ends the process where the log has failed.
  void End();
  // End() must follow soon even if no socket stirs.
  bool has_work() const { return open_ || !queue_.empty() || background_; }

  // How long ticks took, what is left of their work for later ticks not counted.
  commands::TickTimes times() const;
  void ResetTimes();

  // Once: stops executing, commits everything for good, ends the log, and sends what is committed thereby.
  // What clients do not take at once goes on leaving with later ticks. With `checkpoint` the
  // next start has nothing to replay. Ends the process where the log fails.
  void Finish(bool checkpoint);
  bool finished() const { return finished_; }

 private:
  // Long enough to make a batch worth its commit, short enough to go unnoticed by the clients that wait.
  static constexpr uint64_t kWorkNs = 500 * 1000;

  void RunQueue();
  void StampOutputs();
  void SendOutputs();
  void ExitIfLogFailed() const;

  const uint64_t work_cycles_;
  engine::Journal& journal_;
  storage::Log& log_;
  commands::Dispatcher& dispatcher_;
  const Config& config_;

  commands::Time now_;
  uint64_t number_ = 0;
  uint64_t work_began_ = 0;   // in the stopwatch's cycles
  uint64_t tick_began_ = 0;   // likewise
  uint64_t tick_cycles_ = 0;  // of all ticks
  commands::TimeHistogram tick_times_;
  bool open_ = false;
  bool background_ = false;  // the dispatcher has deferred work
  bool finished_ = false;

  std::vector<Connection*> touched_;
  std::vector<Connection*> queue_;
  std::vector<Connection*> held_writers_;
  std::vector<Connection*> doomed_;
  std::vector<Connection*> turn_;  // the part of the queue that RunQueue() works on
};

}  // namespace sluice::net
