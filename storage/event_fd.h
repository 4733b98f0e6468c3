// A kernel event that a loop can poll.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "storage/check.h"

namespace sluice::storage {

class EventFd {
 public:
  EventFd() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { CHECK(descriptor_ >= 0); }
  ~EventFd() { close(descriptor_); }
  EventFd(const EventFd&) = delete;
  EventFd& operator=(const EventFd&) = delete;

  void Signal() {
    const uint64_t one = 1;
    CHECK(write(descriptor_, &one, sizeof one) == sizeof one);
  }
  // True where it had been signalled.
  bool Clear() {
    uint64_t count = 0;
    return read(descriptor_, &count, sizeof count) == sizeof count;
  }
  int fd() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace sluice::storage
