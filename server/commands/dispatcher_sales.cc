// What time does to sales: holds that end, closed orders that are forgotten; and who is told of the stock.
#include <algorithm>

#include "server/commands/dispatcher_impl.h"
#include "server/commands/sale_expiry.h"
#include "server/commands/sale_plan.h"

namespace sluice::commands {
namespace {

// Holds that end in a millisecond: about an eighth of it, so that a million that run out together are
// released within eight seconds, while the log and the loop have most of their time for everybody else. Where
// ticks come more slowly than that, one of them makes up for another that did not come.
constexpr uint64_t kHoldsInMillisecond = 128;
constexpr uint64_t kHoldsAtOnce = 2 * kHoldsInMillisecond;
// Closed orders that one slice of background work forgets.
constexpr size_t kForgottenAtOnce = 512;

}  // namespace

void Dispatcher::Impl::StockChanged(engine::ObjectId id, uint64_t before) {
  const engine::Object& object = *journal_.engine().keys().Find(id);
  const uint64_t now = object.item().available();
  if ((before == 0) == (now == 0)) return;
  if (now == 0) journal_.mutable_engine().NoteSoldOut(id, now_.unix_ms());
  subscriptions_.Publish(ChannelKind::kChannel, errors::Concat({"__seckill__:", object.key}),
                         now == 0 ? "soldout" : "restocked");
}

// When the first hold ends, in monotonic time: not before the grace after the start, nor before it is the
// turn of holds again.
uint64_t Dispatcher::Impl::HoldsDueMs() const {
  const int64_t from_start = journal_.engine().deadlines().time_ms() - static_cast<int64_t>(start_.unix_ms());
  const uint64_t grace_ms = settings_.hold_grace_ms;
  const uint64_t after = std::max(grace_ms, static_cast<uint64_t>(std::max<int64_t>(from_start, 0)));
  return std::max(start_.monotonic_ms + after, holds_next_ms_);
}

// Not during CLIENT PAUSE, in which nothing is written: holds last until its end then.
void Dispatcher::Impl::ReleaseDueHolds() {
  const engine::ItemAlarms& deadlines = journal_.engine().deadlines();
  // However slow the disk is, others wait behind the messages of two slices at most.
  const bool disk_is_behind = journal_.log().committed() < holds_ended_[0];
  const uint64_t passed_ms = now_.monotonic_ms - holds_ended_ms_;
  uint64_t left = std::clamp(passed_ms * kHoldsInMillisecond, kHoldsInMillisecond, kHoldsAtOnce);
  if (disk_is_behind) left = 0;
  while (!pause_ && !deadlines.empty() && HoldsDueMs() <= now_.monotonic_ms) {
    if (left == 0) {
      holds_next_ms_ = now_.monotonic_ms + 1;
      if (disk_is_behind) return;
      holds_ended_ms_ = now_.monotonic_ms;
      holds_ended_ = {holds_ended_[1], journal_.log().tail()};
      return;
    }
    if (journal_.mutable_engine().DropDeadAlarms(left)) continue;
    SalePlan plan(journal_.engine(), now_);
    left -= PlanRelease(journal_.engine(), now_, left, settings_.seckill_closed_orders, plan);
    if (!Record(plan.events(), storage::Log::Use::kReserve, nullptr)) {
      constexpr uint64_t kRetryMs = 100;
      holds_next_ms_ = now_.monotonic_ms + kRetryMs;  // the log has no room
      return;
    }
    for (const auto& [item, available] : plan.touched()) StockChanged(item, available);
  }
}

// False where there are no more now.
bool Dispatcher::Impl::ForgetStaleOrders() {
  if (pause_) return false;
  const engine::ItemAlarms& stale = journal_.engine().stale();
  for (size_t left = kForgottenAtOnce; !stale.empty() && left > 0;) {
    if (journal_.mutable_engine().DropDeadAlarms(left)) continue;
    if (stale.time_ms() > static_cast<int64_t>(now_.steady_ms)) return false;
    const StaleOrders found = FindStale(journal_.engine(), now_, left);
    engine::Event event = found.event;
    if (!Record(std::span(&event, 1), storage::Log::Use::kReserve, nullptr)) return false;
    left -= found.count;
  }
  return !stale.empty() && stale.time_ms() <= static_cast<int64_t>(now_.steady_ms);
}

}  // namespace sluice::commands
