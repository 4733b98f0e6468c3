#include "storage/thread_write_path.h"

#include <chrono>
#include <utility>

namespace sluice::storage {

ThreadWritePath::ThreadWritePath() : thread_([this] { Run(); }) {}

ThreadWritePath::~ThreadWritePath() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  begun_.notify_one();
  thread_.join();
}

std::optional<WritePath::Outcome> ThreadWritePath::Start(const BlockWrite& write, uint64_t wait_us) {
  {
    const std::lock_guard lock(mutex_);
    CHECK(!under_way_);
    write_ = write;
  }
  under_way_ = true;
  begun_.notify_one();
  return wait_us == 0 ? std::nullopt : Take(wait_us);
}

std::optional<WritePath::Outcome> ThreadWritePath::Take(uint64_t wait_us) {
  if (!under_way_) return std::nullopt;
  std::unique_lock lock(mutex_);
  if (outcome_) {
    event_.Clear();
  } else if (wait_us != 0) {
    const auto there = [this] { return outcome_.has_value(); };
    waiting_ = true;
    if (wait_us == kForever) {
      finished_.wait(lock, there);
    } else {
      finished_.wait_for(lock, std::chrono::microseconds(wait_us), there);
    }
    waiting_ = false;
  }
  under_way_ = !outcome_.has_value();
  return std::exchange(outcome_, std::nullopt);
}

void ThreadWritePath::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    begun_.wait(lock, [this] { return write_ || ending_; });
    if (!write_) return;
    const BlockWrite write = *write_;
    lock.unlock();
    Outcome outcome = write.file->WriteBlocks(write.offset, write.blocks, write.last, write.durable);
    lock.lock();
    write_.reset();
    outcome_ = std::move(outcome);
    if (waiting_) {
      finished_.notify_one();
    } else {
      event_.Signal();
    }
  }
}

}  // namespace sluice::storage
