#include "storage/commit_wait.h"

#include <gtest/gtest.h>

namespace sluice::storage {
namespace {

constexpr uint32_t kLimitUs = 300;
constexpr uint64_t kQuickUs = 100;
constexpr uint64_t kSlowUs = 900;  // above the limit, and prompt nevertheless
constexpr uint64_t kStallUs = 4000;
constexpr uint64_t kBytes = 4096;  // of a batch

// So many batches that each took `took_us`. Returns how many of them were waited for.
uint64_t Commit(CommitWait& wait, uint64_t batches, uint64_t took_us) {
  uint64_t waited = 0;
  for (uint64_t i = 0; i < batches; ++i) {
    waited += wait.Next(kBytes) != 0;
    wait.Note(took_us);
  }
  return waited;
}

TEST(CommitWait, WaitsForAQuickDisk) {
  CommitWait wait(kLimitUs);
  EXPECT_EQ(wait.Next(kBytes), kLimitUs) << "nothing is known of it yet";
  wait.Note(kQuickUs);
  EXPECT_EQ(Commit(wait, 100, kQuickUs), 100u);
  EXPECT_EQ(wait.Next(kBytes), kLimitUs);
  EXPECT_EQ(wait.median_us(), kQuickUs);
}

TEST(CommitWait, ProbesASlowDiskAndFindsItQuickAgain) {
  CommitWait wait(kLimitUs);
  Commit(wait, 100, kSlowUs);
  EXPECT_EQ(Commit(wait, 10 * CommitWait::kProbeEvery, kSlowUs), 10u);
  EXPECT_EQ(wait.median_us(), kSlowUs);
  // What was not waited for says nothing of the disk: sixteen quick probes make the median.
  EXPECT_LE(Commit(wait, 15 * CommitWait::kProbeEvery, kQuickUs), 16u);
  Commit(wait, 2 * CommitWait::kProbeEvery, kQuickUs);
  EXPECT_EQ(Commit(wait, 100, kQuickUs), 100u);
}

TEST(CommitWait, TrustsADiskThatWasPromptAThousandTimes) {
  CommitWait wait(kLimitUs);
  Commit(wait, CommitWait::kTrustedAfter - 1, kQuickUs);
  EXPECT_EQ(wait.Next(kBytes), kLimitUs);
  wait.Note(kQuickUs);
  EXPECT_EQ(wait.Next(kBytes), CommitWait::kTrustedUs);
}

TEST(CommitWait, TrustsNoDiskWithALargeBatch) {
  CommitWait wait(kLimitUs);
  Commit(wait, 2 * CommitWait::kTrustedAfter, kQuickUs);
  EXPECT_EQ(wait.Next(CommitWait::kSmallBytes), kLimitUs);
  wait.Note(kQuickUs);
  EXPECT_EQ(wait.Next(CommitWait::kSmallBytes - 1), CommitWait::kTrustedUs);
  wait.Note(kQuickUs);
  // What it takes for a large one says nothing of the small ones.
  EXPECT_EQ(wait.Next(CommitWait::kSmallBytes), kLimitUs);
  wait.Note(kStallUs);
  EXPECT_EQ(wait.Next(kBytes), CommitWait::kTrustedUs);
}

TEST(CommitWait, OneStallEndsTheTrust) {
  CommitWait wait(kLimitUs);
  Commit(wait, 2 * CommitWait::kTrustedAfter, kQuickUs);
  ASSERT_EQ(wait.Next(kBytes), CommitWait::kTrustedUs);
  wait.Note(kStallUs);
  EXPECT_EQ(wait.Next(kBytes), kLimitUs);
  wait.Note(kQuickUs);
  Commit(wait, CommitWait::kTrustedAfter - 2, kQuickUs);
  EXPECT_EQ(wait.Next(kBytes), kLimitUs);
  wait.Note(kQuickUs);
  EXPECT_EQ(wait.Next(kBytes), CommitWait::kTrustedUs);
}

// However often a disk stalls, the loop is kept for long at one batch in a thousand at most.
TEST(CommitWait, StallsAreWaitedForAtOneBatchInAThousand) {
  for (const uint64_t stall_every : {2u, 7u, 100u, 999u, 1001u, 5000u}) {
    CommitWait wait(kLimitUs);
    uint64_t waited_long = 0;
    constexpr uint64_t kBatches = 100'000;
    for (uint64_t i = 1; i <= kBatches; ++i) {
      const bool stalls = i % stall_every == 0;
      waited_long += wait.Next(kBytes) > kLimitUs && stalls;
      wait.Note(stalls ? kStallUs : kQuickUs);
    }
    EXPECT_LE(waited_long, kBatches / CommitWait::kTrustedAfter) << "every " << stall_every;
    EXPECT_GT(waited_long, 0u) << "every " << stall_every;
  }
}

TEST(CommitWait, NeverWaitsWhereThatIsAsked) {
  CommitWait wait(0);
  EXPECT_EQ(Commit(wait, 2 * CommitWait::kTrustedAfter, kQuickUs), 0u);
  EXPECT_EQ(wait.median_us(), kQuickUs) << "known all the same";
}

TEST(CommitWait, ALongerLimitIsNotShortenedByTrust) {
  CommitWait wait(10'000);
  Commit(wait, 2 * CommitWait::kTrustedAfter, kQuickUs);
  EXPECT_EQ(wait.Next(kBytes), 10'000u);
}

}  // namespace
}  // namespace sluice::storage
