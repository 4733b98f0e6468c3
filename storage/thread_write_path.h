// Writes in a thread of its own: for kernels and containers that refuse io_uring.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "storage/event_fd.h"
#include "storage/write_path.h"

namespace sluice::storage {

class ThreadWritePath : public WritePath {
 public:
  ThreadWritePath();
  ~ThreadWritePath() override;

  std::optional<Outcome> Start(const BlockWrite& write, uint64_t wait_us) override;
  std::optional<Outcome> Take(uint64_t wait_us) override;
  int completion_fd() const override { return event_.fd(); }
  std::string_view name() const override { return "thread"; }

 private:
  void Run();

  bool under_way_ = false;  // the owner's view
  EventFd event_;
  std::mutex mutex_;
  std::condition_variable begun_;     // there is a write, or the end
  std::condition_variable finished_;  // there is an outcome that someone waits for
  std::optional<BlockWrite> write_;
  std::optional<Outcome> outcome_;
  bool waiting_ = false;  // the owner is inside Take(): no need to wake its loop too
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace sluice::storage
