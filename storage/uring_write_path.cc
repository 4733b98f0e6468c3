// The happy path: Start() puts one writev into the ring and, in the same system call, submits it and waits;
// the completion has the whole length. What else can happen: the wait ends first (then the completion raises
// the event and Take() finds it), the write was short (the rest is submitted), or the kernel wants it
// submitted again.
#include "storage/uring_write_path.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "storage/posix_file.h"

namespace sluice::storage {
namespace {

constexpr unsigned kEntries = 4;  // one write at a time; the rest is room for the kernel's own

Error WriteError(int error_number) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT;
  return {full ? Error::Code::kFull : Error::Code::kIo,
          "write to the log's active segment: " + std::generic_category().message(error_number)};
}

}  // namespace

Result<std::unique_ptr<UringWritePath>> UringWritePath::Create() {
  std::unique_ptr<UringWritePath> path(new UringWritePath);
  const auto refused = [](int error_number) {
    return tl::make_unexpected(Error{
        Error::Code::kInvalid, "io_uring is refused: " + std::generic_category().message(error_number)});
  };
  if (const int result = io_uring_queue_init(kEntries, &path->ring_, 0); result != 0) return refused(-result);
  path->has_ring_ = true;
  // Waits with a time limit came with Linux 5.11, and with them all else that is needed here.
  if ((path->ring_.features & IORING_FEAT_EXT_ARG) == 0) return refused(ENOSYS);
  if (const int result = io_uring_register_eventfd(&path->ring_, path->event_.fd()); result != 0) {
    return refused(-result);
  }
  return path;
}

UringWritePath::~UringWritePath() {
  if (under_way_) Take(kForever);
  if (has_ring_) io_uring_queue_exit(&ring_);
}

std::optional<WritePath::Outcome> UringWritePath::Start(const BlockWrite& write, uint64_t wait_us) {
  CHECK(!under_way_);
  write_ = write;
  under_way_ = true;
  Signal(wait_us == 0);  // whoever waits here needs no event
  Prepare();
  if (wait_us == 0) {
    Submit();
    return std::nullopt;
  }
  return Take(wait_us);
}

std::optional<WritePath::Outcome> UringWritePath::Take(uint64_t wait_us) {
  if (event_owed_) event_owed_ = !event_.Clear();
  while (under_way_) {
    const auto result = Completion(wait_us);
    if (!result) return std::nullopt;
    if (auto outcome = Progress(*result)) {
      under_way_ = false;
      return outcome;
    }
    Prepare();
    if (wait_us == 0) Submit();
  }
  return std::nullopt;
}

// What is left of the write, as the ring's next entry.
void UringWritePath::Prepare() {
  unsigned count = 0;
  for (const auto& piece : {write_.blocks, write_.last}) {
    if (!piece.empty()) vectors_.at(count++) = VectorOf(piece);
  }
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  CHECK(entry != nullptr);
  io_uring_prep_writev2(entry, write_.file->fd(), vectors_.data(), count, write_.offset,
                        write_.durable ? RWF_DSYNC : 0);
}

void UringWritePath::Submit() {
  int submitted = 0;
  do {
    submitted = io_uring_submit(&ring_);
  } while (submitted == -EINTR || submitted == -EAGAIN || submitted == -EBUSY);
  CHECK(submitted >= 0);
}

// The completion's result. Submits what is prepared on the way.
std::optional<int> UringWritePath::Completion(uint64_t wait_us) {
  io_uring_cqe* completion = nullptr;
  if (wait_us == kForever) {
    int failed = 0;
    do {
      Submit();
      failed = -io_uring_wait_cqe(&ring_, &completion);
    } while (failed == EINTR || failed == EAGAIN);
    CHECK(failed == 0);
  } else if (wait_us != 0) {
    __kernel_timespec time{.tv_sec = static_cast<int64_t>(wait_us / 1'000'000),
                           .tv_nsec = static_cast<int64_t>(wait_us % 1'000'000 * 1000)};
    io_uring_submit_and_wait_timeout(&ring_, &completion, 1, &time, nullptr);
    if (completion == nullptr) {
      Submit();  // a signal may have ended the call before it submitted anything
      Signal(true);
    }
  }
  // Looks again: it may have come between the end of the wait and the event's being switched on.
  if (completion == nullptr && io_uring_peek_cqe(&ring_, &completion) != 0) return std::nullopt;
  const int result = completion->res;
  io_uring_cqe_seen(&ring_, completion);
  if (signalling_) event_owed_ = !event_.Clear();
  return result;
}

// Takes in one completion; nothing where the write has to go on.
std::optional<WritePath::Outcome> UringWritePath::Progress(int result) {
  if (result == -EINTR || result == -EAGAIN) return std::nullopt;
  if (result < 0) return tl::make_unexpected(WriteError(-result));
  if (result == 0) return tl::make_unexpected(WriteError(EIO));
  const auto wrote = static_cast<size_t>(result);
  write_.offset += wrote;
  const size_t from_blocks = std::min(wrote, write_.blocks.size());
  write_.blocks = write_.blocks.subspan(from_blocks);
  write_.last = write_.last.subspan(wrote - from_blocks);
  if (!write_.blocks.empty() || !write_.last.empty()) return std::nullopt;
  return Outcome{};
}

void UringWritePath::Signal(bool on) {
  if (signalling_ == on) return;
  CHECK(io_uring_cq_eventfd_toggle(&ring_, on) == 0);
  signalling_ = on;
}

}  // namespace sluice::storage
