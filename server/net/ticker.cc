#include "server/net/ticker.h"

#include <spdlog/spdlog.h>
#include <uv.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include "server/net/connection.h"
#include "server/net/exit_code.h"

namespace sluice::net {
namespace {

uint64_t UnixMicroseconds() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

}  // namespace

void Ticker::Begin() {
  if (open_) return;
  open_ = true;
  ++number_;
  work_began_ = tick_began_ = commands::Stopwatch::Cycles();
  now_.monotonic_ms = uv_hrtime() / 1000000;
  now_.unix_us = std::max(now_.unix_us, UnixMicroseconds());
  dispatcher_.SetTime(now_);
}

bool Ticker::TimeIsUp() const {
  return commands::Stopwatch::Cycles() - work_began_ > work_cycles_;
}

void Ticker::Touch(Connection& connection) {
  if (connection.lists().touched) return;
  connection.lists().touched = true;
  touched_.push_back(&connection);
}

void Ticker::Queue(Connection& connection) {
  if (connection.lists().queued) return;
  connection.lists().queued = true;
  queue_.push_back(&connection);
}

void Ticker::HoldWriter(Connection& connection) {
  if (connection.lists().held) return;
  connection.lists().held = true;
  held_writers_.push_back(&connection);
}

void Ticker::Doom(Connection& connection) {
  if (connection.lists().doomed) return;
  connection.lists().doomed = true;
  doomed_.push_back(&connection);
}

void Ticker::End() {
  Begin();
  if (!finished_) {
    RunQueue();
    const auto deadline = dispatcher_.next_deadline_ms();
    if (deadline && *deadline <= now_.monotonic_ms) dispatcher_.RunDue();
  }
  // Before any reply leaves: whoever hears that a connection was killed finds it closed.
  CloseDoomed();
  StampOutputs();
  if (!finished_) {
    log_.Submit();
    log_.Reap();
    ExitIfLogFailed();
  }
  SendOutputs();
  if (!held_writers_.empty() && MayWrite()) {
    for (Connection* connection : held_writers_) {
      connection->lists().held = false;
      Queue(*connection);
    }
    held_writers_.clear();
  }
  CloseDoomed();
  background_ = !finished_ && dispatcher_.RunBackgroundSlice();
  open_ = false;
  const uint64_t now = commands::Stopwatch::Cycles();
  const uint64_t took = now > tick_began_ ? now - tick_began_ : 0;  // another processor's may be behind
  tick_times_.Add(took, 1);
  tick_cycles_ += took;
}

commands::TickTimes Ticker::times() const {
  const auto microseconds = [rate = commands::Stopwatch::CyclesPerNanosecond() * 1000](uint64_t cycles) {
    return static_cast<double>(cycles) / rate;
  };
  return {.count = tick_times_.total(),
          .sum_us = microseconds(tick_cycles_),
          .p50_us = microseconds(tick_times_.Percentile(0.5)),
          .p99_us = microseconds(tick_times_.Percentile(0.99)),
          .p999_us = microseconds(tick_times_.Percentile(0.999)),
          .longest_us = microseconds(tick_times_.Percentile(1))};
}

void Ticker::ResetTimes() {
  tick_times_ = {};
  tick_cycles_ = 0;
}

// The queue has time of its own: what the readers took before it must not starve it.
void Ticker::RunQueue() {
  if (queue_.empty()) return;
  work_began_ = commands::Stopwatch::Cycles();
  turn_.swap(queue_);
  size_t done = 0;
  while (done < turn_.size() && (done == 0 || !TimeIsUp())) {
    Connection& connection = *turn_[done++];
    connection.lists().queued = false;
    connection.TakeTurn();
  }
  // Who had no turn goes before who asked for another one.
  queue_.insert(queue_.begin(), turn_.begin() + static_cast<ptrdiff_t>(done), turn_.end());
  turn_.clear();
}

void Ticker::StampOutputs() {
  const storage::Lsn tail = log_.tail();
  for (Connection* connection : touched_) connection->session().output.EndTick(tail);
}

// Keeps in the list who has output that is not committed yet.
void Ticker::SendOutputs() {
  const storage::Lsn committed = log_.committed();
  size_t kept = 0;
  // By index: sending may doom or queue a connection, but never touches another one.
  for (size_t i = 0; i < touched_.size(); ++i) {
    Connection& connection = *touched_[i];
    if (!connection.lists().doomed && connection.Send(committed)) {
      touched_[kept++] = &connection;
    } else {
      connection.lists().touched = false;
    }
  }
  touched_.resize(kept);
}

void Ticker::CloseDoomed() {
  // Dropping a session may touch and wake others, and whoever is doomed meanwhile follows in this very loop.
  for (size_t i = 0; i < doomed_.size(); ++i) {
    Connection* connection = doomed_[i];
    Connection::Lists& lists = connection->lists();
    if (lists.touched) std::erase(touched_, connection);
    if (lists.queued) std::erase(queue_, connection);
    if (lists.held) std::erase(held_writers_, connection);
    lists.touched = lists.queued = lists.held = false;
    dispatcher_.Drop(connection->session());
    connection->CloseSocket();
  }
  doomed_.clear();
}

void Ticker::Finish(bool checkpoint) {
  End();
  finished_ = true;
  const storage::Result<void> closed = journal_.Close(checkpoint, now_.unix_ms());
  if (!closed) {
    spdlog::critical("The log could not be closed: {}", closed.error().message);
    std::_Exit(kExitLogFailure);
  }
  End();
}

// Nothing may leave any more: what a client would read might be gone after the recovery. So no unwinding
// either.
void Ticker::ExitIfLogFailed() const {
  if (!log_.failure()) return;
  spdlog::critical("The log failed, so the server ends: {}", log_.failure()->message);
  std::_Exit(kExitLogFailure);
}

}  // namespace sluice::net
