// What the threads of a run share: whether it goes on.
#pragma once

#include <atomic>
#include <mutex>
#include <string>

namespace sluice::flash_sale {

class Run {
 public:
  // Everybody winds up as soon as possible.
  std::atomic<bool> stop{false};

  // From any thread: the run cannot come to its end. The first reason counts.
  void Fail(const std::string& reason) {
    const std::lock_guard lock(mutex_);
    if (trouble_.empty()) trouble_ = reason;
    stop = true;
  }
  std::string trouble() const {
    const std::lock_guard lock(mutex_);
    return trouble_;
  }

 private:
  mutable std::mutex mutex_;
  std::string trouble_;
};

}  // namespace sluice::flash_sale
