// What is done between ticks, a slice at a time: keys that expire, streams that lose old entries,
// checkpoints.
#include "server/commands/dispatcher_impl.h"
#include "server/commands/stopwatch.h"

namespace sluice::commands {
namespace {

// Due keys that one slice of background work removes.
constexpr size_t kExpiriesAtOnce = 256;

}  // namespace

bool Dispatcher::Impl::RunBackgroundSlice() {
  bool more = journal_.mutable_engine().FreeSome();
  more |= RunCheckpointSlice();
  more |= journal_.SealSome();
  more |= ForgetStaleOrders();
  more |= SweepStreams();
  const bool watched = settings_.latency_threshold_ms != 0;
  const uint64_t began_ns = watched ? Stopwatch::Nanoseconds() : 0;
  for (size_t i = 0; i < kExpiriesAtOnce && !pause_; ++i) {
    const engine::Object* first = journal_.engine().keys().FirstToExpire();
    if (first == nullptr || !first->IsDue(now_.unix_ms())) break;
    const engine::ObjectId id = first->id;
    RemoveIfDue(first);
    if (journal_.engine().keys().Find(id) != nullptr) break;  // no room for it now
    more |= i + 1 == kExpiriesAtOnce;
  }
  const uint64_t took_ms = watched ? (Stopwatch::Nanoseconds() - began_ns) / 1'000'000 : 0;
  if (watched && took_ms >= settings_.latency_threshold_ms) {
    diagnostics_.latency.Add("expire-cycle", now_.unix_ms() / 1000, took_ms);
  }
  if (waiters_.any_ready()) ServeReady();
  return more;
}

// False where there is no more to do now.
bool Dispatcher::Impl::SweepStreams() {
  const engine::Engine& engine = journal_.engine();
  const StreamSweep::Limits limits{.ms = settings_.retention_ms,
                                   .bytes = settings_.retention_bytes,
                                   .producer_seconds = settings_.stream_idmp_duration};
  if (pause_ || !sweep_.BeginSlice(engine, limits, now_)) return false;
  while (auto loss = sweep_.Next(engine)) {
    const engine::Stream& stream = engine.keys().Find(engine::TargetOf(*loss))->stream();
    const uint64_t length = stream.length();
    if (!Record(std::span(&*loss, 1), storage::Log::Use::kReserve, nullptr)) {
      sweep_.GiveUp();
      return false;
    }
    statistics_.retention_trimmed += length - stream.length();
  }
  return sweep_.has_more();
}

bool Dispatcher::Impl::RunCheckpointSlice() {
  engine::Checkpointer& checkpointer = journal_.checkpointer();
  const uint64_t finished = checkpointer.status().finished;
  bool more = checkpointer.RunSlice(now_.unix_ms());
  if (checkpointer.status().finished != finished) {
    journal_.RequestCompaction();
    waiters_.MarkReady(kNoDatabase, kCheckpoint);
    if (waiters_.any_ready()) ServeReady();
  }
  more |= journal_.compactor().RunSlice();
  return more;
}

}  // namespace sluice::commands
