// Syncs files behind the log's back: everysec's fsync, which no commit waits for.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "storage/file_system.h"

namespace sluice::storage {

class BackgroundSync {
 public:
  BackgroundSync() = default;
  ~BackgroundSync();  // waits for a sync under way
  BackgroundSync(const BackgroundSync&) = delete;
  BackgroundSync& operator=(const BackgroundSync&) = delete;

  // Begins to sync `files`, in order. None is under way.
  void Start(std::vector<std::shared_ptr<File>> files);
  bool under_way() const { return under_way_; }
  // The outcome of the syncs under way, if it is there (or, with `wait`, once it is).
  std::optional<Result<void>> Take(bool wait);

 private:
  void Run();

  bool under_way_ = false;  // the owner's view
  std::mutex mutex_;
  std::condition_variable begun_;
  std::condition_variable finished_;
  std::vector<std::shared_ptr<File>> files_;
  std::optional<Result<void>> outcome_;
  bool ending_ = false;
  std::thread thread_;  // started by the first Start()
};

}  // namespace sluice::storage
