#include "storage/background_sync.h"

#include <utility>

#include "storage/check.h"

namespace sluice::storage {

BackgroundSync::~BackgroundSync() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  begun_.notify_one();
  thread_.join();
}

void BackgroundSync::Start(std::vector<std::shared_ptr<File>> files) {
  CHECK(!under_way_ && !files.empty());
  under_way_ = true;
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  {
    const std::lock_guard lock(mutex_);
    files_ = std::move(files);
  }
  begun_.notify_one();
}

std::optional<Result<void>> BackgroundSync::Take(bool wait) {
  if (!under_way_) return std::nullopt;
  std::unique_lock lock(mutex_);
  if (wait) finished_.wait(lock, [this] { return outcome_.has_value(); });
  under_way_ = !outcome_.has_value();
  return std::exchange(outcome_, std::nullopt);
}

void BackgroundSync::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    begun_.wait(lock, [this] { return !files_.empty() || ending_; });
    if (files_.empty()) return;
    const auto files = std::exchange(files_, {});
    lock.unlock();
    Result<void> outcome;
    for (const auto& file : files) {
      if (outcome = file->Sync(); !outcome) break;  // a failure is final, the rest would prove nothing
    }
    lock.lock();
    outcome_ = std::move(outcome);
    finished_.notify_one();
  }
}

}  // namespace sluice::storage
