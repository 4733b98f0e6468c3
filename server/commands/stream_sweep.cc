#include "server/commands/stream_sweep.h"

#include <algorithm>

namespace sluice::commands {
namespace {

using engine::Object;
using engine::ObjectType;
using engine::Stream;
using engine::StreamId;

constexpr uint64_t kRoundMs = 1000;
// A step is a look at a key or at a run, about 50 ns: all steps together take less than a hundredth of the
// time, and a slice less than 30 us.
constexpr uint64_t kPeriodMs = 100;
constexpr size_t kStepsInPeriod = 10000;
constexpr size_t kStepsInSlice = 512;
// What recording a loss costs, and what one may take along.
constexpr size_t kLossSteps = 16;
constexpr size_t kRunsInTrim = 256;
constexpr size_t kMessagesInLoss = 64;

size_t Reduce(size_t from, size_t by) {
  return from - std::min(from, by);
}

}  // namespace

bool StreamSweep::BeginSlice(const engine::Engine& engine, const Limits& limits, const Time& now) {
  if (limits != limits_) {
    limits_ = limits;
    in_round_ = false;
    next_round_ms_ = 0;
  }
  if (!limits.any() && engine.swept().empty()) {
    in_round_ = false;
    return false;
  }
  if (!in_round_) {
    if (now.monotonic_ms < next_round_ms_) return false;
    next_round_ms_ = now.monotonic_ms + kRoundMs;
    BeginRound();
  }
  if (now.monotonic_ms >= period_end_ms_) {
    period_end_ms_ = now.monotonic_ms + kPeriodMs;
    allowance_ = kStepsInPeriod;
  }
  now_ms_ = now.unix_ms();
  slice_ = std::min(allowance_, kStepsInSlice);
  allowance_ -= slice_;
  return slice_ > 0;
}

void StreamSweep::BeginRound() {
  in_round_ = true;
  all_ = limits_.any();
  slot_ = 0;
  last_stream_ = engine::kNoObject;
  Leave();
}

std::optional<engine::Event> StreamSweep::Next(const engine::Engine& engine) {
  while (in_round_ && slice_ > 0) {
    --slice_;
    const Object* object = engine.keys().Find(stream_);
    if (object == nullptr) object = NextStream(engine);
    if (object == nullptr) continue;
    if (auto loss = LossOf(*object)) return loss;
  }
  return std::nullopt;
}

// The stream to be looked at next, from where the round stands; nullptr: the next step goes on.
const Object* StreamSweep::NextStream(const engine::Engine& engine) {
  Leave();
  const Object* object = nullptr;
  if (all_) {
    in_round_ = slot_ < engine.keys().slots();
    if (in_round_) object = engine.keys().At(slot_++);
    if (object != nullptr && object->type() != ObjectType::kStream) object = nullptr;
  } else {
    const auto next = engine.swept().upper_bound(last_stream_);
    in_round_ = next != engine.swept().end();
    if (in_round_) object = engine.keys().Find(last_stream_ = *next);
  }
  if (object != nullptr) stream_ = object->id;
  return object;
}

void StreamSweep::Leave() {
  stream_ = engine::kNoObject;
  walk_ = {};
}

// What the stream loses next. Where that is nothing, either it is done with, or its runs are counted on in
// the next step.
std::optional<engine::Event> StreamSweep::LossOf(const Object& object) {
  std::optional<engine::Event> loss = TrimOf(object);
  if (!loss && counting_) return std::nullopt;
  if (!loss) loss = OblivionOf(object);
  if (!loss) return Leave(), std::nullopt;
  slice_ = Reduce(slice_, kLossSteps);
  return loss;
}

std::optional<engine::Event> StreamSweep::TrimOf(const Object& object) {
  const Stream& stream = object.stream();
  const uint64_t most_ms = stream.retention().ms.value_or(limits_.ms);
  const uint64_t most_bytes = stream.retention().bytes.value_or(limits_.bytes);
  std::optional<StreamId> last;
  if (most_ms != 0 && now_ms_ > most_ms) last = stream.PlanTrimBelow({now_ms_ - most_ms, 0}, kRunsInTrim);
  counting_ = !last && most_bytes != 0 && !stream.MeasureBack(walk_, most_bytes, slice_);
  if (!last && !counting_ && walk_.bytes >= most_bytes && most_bytes != 0)
    last = stream.PlanTrimBelow(*walk_.above, kRunsInTrim);
  if (!last) return std::nullopt;
  return engine::TrimStream{object.id, *last};
}

std::optional<engine::Event> StreamSweep::OblivionOf(const Object& object) {
  const engine::Idempotence& idempotence = object.stream().idempotence();
  if (!idempotence.producers) return std::nullopt;
  const uint64_t seconds = idempotence.seconds != 0 ? idempotence.seconds : limits_.producer_seconds;
  if (now_ms_ < seconds * 1000) return std::nullopt;
  const auto through_ms = idempotence.producers->PlanForget(now_ms_ - seconds * 1000, kMessagesInLoss);
  if (!through_ms) return std::nullopt;
  return engine::ForgetMessages{object.id, *through_ms};
}

}  // namespace sluice::commands
