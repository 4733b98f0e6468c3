// Where the loop hangs up its figures and the HTTP server's threads read them.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "server/admin/metrics_snapshot.h"

namespace sluice::admin {

// The loop never waits here: where a reader has the lock at the moment, the loop comes again with its next
// tick.
class MetricsBoard {
 public:
  using Clock = std::chrono::steady_clock;

  // ---- the loop's side

  // The loop turns.
  void Beat() { beat_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed); }
  // Whether requests are served.
  void SetReady(bool ready) { ready_.store(ready, std::memory_order_relaxed); }
  // Somebody waits for a snapshot.
  bool wanted() const { return wanted_.load(std::memory_order_relaxed); }
  // False: not now, try again.
  bool Publish(const std::shared_ptr<const MetricsSnapshot>& snapshot);

  // ---- any thread

  // The loop has turned within the last seconds.
  bool healthy() const;
  bool ready() const { return ready_.load(std::memory_order_relaxed) && healthy(); }
  // A snapshot of the last second; waits for one, up to two seconds. Null: the loop did not give one.
  std::shared_ptr<const MetricsSnapshot> Ask();

 private:
  std::atomic<Clock::rep> beat_{Clock::now().time_since_epoch().count()};
  std::atomic<bool> ready_{false};
  std::atomic<bool> wanted_{false};

  std::mutex mutex_;
  std::condition_variable published_;
  std::shared_ptr<const MetricsSnapshot> snapshot_;
  Clock::time_point published_at_;
};

}  // namespace sluice::admin
