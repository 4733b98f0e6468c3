#include "storage/commit_wait.h"

#include <algorithm>

namespace sluice::storage {

// Where the last batches took longer than the limit, one in several is waited for all the same: only a
// duration that was waited for is the disk's own (the others hold the loop's other work too), so without it a
// quick disk would never be found quick again.
uint64_t CommitWait::Next(uint64_t bytes) {
  const bool quick = samples_ < kRecent / 2 || median_us_ < limit_us_;
  const bool probe = ++asked_ % kProbeEvery == 0;
  wait_us_ = 0;
  if (limit_us_ != 0 && (quick || probe))
    wait_us_ = Trusts(bytes) ? std::max(limit_us_, kTrustedUs) : limit_us_;
  return wait_us_;
}

void CommitWait::Note(uint64_t took_us) {
  if (took_us < kPromptUs) {
    ++prompt_;
  } else if (wait_us_ > limit_us_) {
    prompt_ = 0;
  }
  if (wait_us_ == 0 && limit_us_ != 0) return;
  recent_us_.at(samples_++ % kRecent) = static_cast<uint32_t>(std::min<uint64_t>(took_us, UINT32_MAX));
  auto sorted = recent_us_;
  const auto end = sorted.begin() + static_cast<std::ptrdiff_t>(std::min<uint64_t>(samples_, kRecent));
  const auto middle = sorted.begin() + (end - sorted.begin()) / 2;
  std::nth_element(sorted.begin(), middle, end);
  median_us_ = *middle;
}

}  // namespace sluice::storage
