#include "server/admin/metrics_board.h"

namespace sluice::admin {
namespace {

constexpr auto kFresh = std::chrono::seconds(1);
constexpr auto kPatience = std::chrono::seconds(2);
constexpr auto kMissedBeats = std::chrono::seconds(5);

}  // namespace

bool MetricsBoard::Publish(const std::shared_ptr<const MetricsSnapshot>& snapshot) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return false;
  snapshot_ = snapshot;
  published_at_ = Clock::now();
  wanted_.store(false, std::memory_order_relaxed);
  published_.notify_all();
  return true;
}

bool MetricsBoard::healthy() const {
  const Clock::time_point beat{Clock::duration(beat_.load(std::memory_order_relaxed))};
  return Clock::now() - beat < kMissedBeats;
}

std::shared_ptr<const MetricsSnapshot> MetricsBoard::Ask() {
  std::unique_lock lock(mutex_);
  const auto fresh = [this] { return snapshot_ != nullptr && Clock::now() - published_at_ < kFresh; };
  if (fresh()) return snapshot_;
  wanted_.store(true, std::memory_order_relaxed);
  return published_.wait_for(lock, kPatience, fresh) ? snapshot_ : nullptr;
}

}  // namespace sluice::admin
