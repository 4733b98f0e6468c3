// Writes with io_uring: begun by the log's own thread, finished by the kernel.
#pragma once

#include <liburing.h>
#include <sys/uio.h>

#include <array>
#include <memory>

#include "storage/event_fd.h"
#include "storage/write_path.h"

namespace sluice::storage {

class UringWritePath : public WritePath {
 public:
  // kInvalid where the kernel refuses a ring (containers often do).
  static Result<std::unique_ptr<UringWritePath>> Create();
  ~UringWritePath() override;
  UringWritePath(const UringWritePath&) = delete;
  UringWritePath& operator=(const UringWritePath&) = delete;

  std::optional<Outcome> Start(const BlockWrite& write, uint64_t wait_us) override;
  std::optional<Outcome> Take(uint64_t wait_us) override;
  int completion_fd() const override { return event_.fd(); }
  std::string_view name() const override { return "io_uring"; }

 private:
  UringWritePath() = default;

  void Prepare();
  void Submit();
  std::optional<int> Completion(uint64_t wait_us);
  std::optional<Outcome> Progress(int result);
  void Signal(bool on);

  EventFd event_;
  io_uring ring_{};
  bool has_ring_ = false;
  bool signalling_ = true;   // completions raise the event
  bool event_owed_ = false;  // a completion was taken before its event: it may still come
  bool under_way_ = false;
  BlockWrite write_;  // what is left of it
  std::array<iovec, 2> vectors_{};
};

}  // namespace sluice::storage
