// Ctrl-C, taken in where it suits.
#pragma once

#include <signal.h>

#include <chrono>

namespace sluice::flash_sale {

// Made before any thread, so that none of them takes the signal. The second one ends the process on the spot.
class Interrupt {
 public:
  Interrupt() {
    sigemptyset(&signals_);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals_, number);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }

  // Waits so long; true as soon as somebody wants an end.
  bool Wait(std::chrono::milliseconds time) {
    if (seen_) return true;
    const timespec limit{time.count() / 1000, time.count() % 1000 * 1'000'000};
    if (sigtimedwait(&signals_, nullptr, &limit) < 0) return false;
    seen_ = true;
    pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
    return true;
  }
  bool seen() const { return seen_; }

 private:
  sigset_t signals_{};
  bool seen_ = false;
};

}  // namespace sluice::flash_sale
