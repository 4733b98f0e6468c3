// How long the loop waits for the batch that it has just begun to write.
//
// Waiting makes batches whole: the clients that a commit answers all come back with the next one, instead of
// two half ones. It is worth it while the disk is quick, and it must end where the disk is not.
//
// A limit below the scheduler's tick (often 4 ms) takes a timer of its own, set and unset for each batch. On
// a virtual machine that costs as much as all the rest of a small commit. So a disk that was prompt a
// thousand times is trusted with a longer limit, which costs nothing, until it takes advantage of it: that
// keeps the loop for milliseconds at one batch in a thousand at most. A large batch is worth its timer:
// beside what it took to make, that costs nothing, and such batches are what disks stumble over.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice::storage {

class CommitWait {
 public:
  static constexpr uint64_t kProbeEvery = 16;
  static constexpr uint64_t kPromptUs = 1500;
  static constexpr uint64_t kTrustedAfter = 1000;
  static constexpr uint64_t kTrustedUs = 5000;
  static constexpr uint64_t kSmallBytes = 16 * 1024;

  // `limit_us`: of a wait for a disk that is not trusted, and what its median must stay below for it to be
  // waited for at all. 0: there is no waiting.
  explicit CommitWait(uint32_t limit_us) : limit_us_(limit_us) {}

  // For the next batch, of so many bytes; in us; 0: not at all.
  uint64_t Next(uint64_t bytes);
  // The batch that Next() was asked for last took so long.
  void Note(uint64_t took_us);

  // Of the last batches whose duration was the disk's own.
  uint64_t median_us() const { return median_us_; }

 private:
  static constexpr size_t kRecent = 31;

  bool Trusts(uint64_t bytes) const { return prompt_ >= kTrustedAfter && bytes < kSmallBytes; }

  uint64_t limit_us_;
  uint64_t asked_ = 0;
  uint64_t wait_us_ = 0;  // what Next() said last
  uint64_t prompt_ = 0;   // batches, since trust was taken advantage of
  uint64_t samples_ = 0;
  std::array<uint32_t, kRecent> recent_us_{};
  uint64_t median_us_ = 0;
};

}  // namespace sluice::storage
