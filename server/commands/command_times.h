// How often each command ran, and how long it took.
//
// Reading a clock costs as much as a tenth of a small command. So commands are timed in stretches: up to
// kStretch commands of one row, one behind the other, share a stretch, and its time is divided among them. A
// row whose commands take long is timed command by command, where a reading of the clock does not count; so
// is everything while Precise() asks for it (a slow log with a low threshold), and a command with a large
// request.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "server/commands/command.h"
#include "server/commands/stopwatch.h"

namespace sluice::commands {

// Counts of times by their size: eight buckets an octave, so a time is known to 12 %.
class TimeHistogram {
 public:
  void Add(uint64_t cycles, uint64_t count) { counts_[BucketOf(cycles)] += count, total_ += count; }
  uint64_t total() const { return total_; }
  // The time, in cycles, that `share` (0 to 1) of all stay at or below.
  uint64_t Percentile(double share) const;
  // Visits the non-empty buckets, shortest first: visit(highest time in cycles, count).
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] != 0) visit(HighestOf(i), counts_[i]);
    }
  }

 private:
  static constexpr unsigned kSubBits = 3;
  static constexpr size_t kBuckets = (64 - kSubBits + 1) << kSubBits;

  static size_t BucketOf(uint64_t cycles) {
    const auto width = static_cast<unsigned>(std::bit_width(cycles));
    if (width <= kSubBits) return cycles;
    const unsigned shift = width - kSubBits - 1;
    return (static_cast<size_t>(shift + 1) << kSubBits) + ((cycles >> shift) & ((1u << kSubBits) - 1));
  }
  static uint64_t HighestOf(size_t bucket);

  std::array<uint64_t, kBuckets> counts_{};
  uint64_t total_ = 0;
};

class CommandTimes {
 public:
  struct Row {
    const Command* command = nullptr;
    uint64_t calls = 0;     // executed
    uint64_t rejected = 0;  // refused before they were
    uint64_t failed = 0;    // answered with an error
    uint64_t cycles = 0;    // of all calls
    std::unique_ptr<TimeHistogram> histogram;
  };

  // A stretch, or a command timed by itself, that took longer than set_notice() asks to be told.
  struct Slow {
    const Command* command;
    uint64_t calls;
    uint64_t cycles;
  };

  CommandTimes();

  // Every command must be timed by itself from now on, or need not be.
  void set_precise(bool precise) { precise_ = precise; }
  // From so many nanoseconds on TakeSlow() tells; UINT64_MAX: never.
  void set_notice(uint64_t nanoseconds);
  // Whether histograms are kept (latency-tracking).
  void set_tracking(bool tracking);

  // Before a command of `command`'s row runs. True: it is timed by itself, between StartAlone() and
  // StopAlone().
  bool Enter(const Command& command, bool large) {
    Row& row = rows_[command.number];
    if (precise_ || large || row.cycles > row.calls * slow_cycles_) return true;
    if (&row != row_ || count_ == kStretch) {
      const uint64_t now = Stopwatch::Cycles();
      if (count_ != 0) Account(*row_, count_, now - began_);
      row_ = &row;
      count_ = 0;
      began_ = now;
    }
    ++count_;
    return false;
  }
  // The command that the last Enter() was for (and it was not timed by itself) has been put off: it counts
  // when it runs again.
  void TakeBack() { --count_; }
  uint64_t StartAlone() {
    Close();
    return Stopwatch::Cycles();
  }
  void StopAlone(const Command& command, uint64_t began) {
    Close();
    Account(rows_[command.number], 1, Since(began));
  }

  // The stretch ends here: what follows is not a command's work.
  void Close() {
    if (count_ != 0) Account(*row_, count_, Since(began_));
    row_ = nullptr;
    count_ = 0;
  }

  // The longest since the last call, where it was long enough to be noticed.
  bool slow() const { return slow_.has_value(); }
  Slow TakeSlow() {
    const Slow slow = *slow_;
    slow_.reset();
    return slow;
  }

  void CountRejected(const Command& command) { ++rows_[command.number].rejected; }
  void CountFailed(const Command& command) { ++rows_[command.number].failed; }

  void Reset();
  const std::vector<Row>& rows() const { return rows_; }

 private:
  static constexpr uint64_t kStretch = 8;

  // A counter that ran backwards (another processor's) tells nothing.
  static uint64_t Since(uint64_t began) {
    const uint64_t now = Stopwatch::Cycles();
    return now > began ? now - began : 0;
  }
  void Account(Row& row, uint64_t calls, uint64_t cycles);

  std::vector<Row> rows_;  // by Command::number
  const uint64_t slow_cycles_;
  uint64_t notice_cycles_ = UINT64_MAX;
  std::optional<Slow> slow_;
  bool precise_ = false;
  bool tracking_ = true;

  Row* row_ = nullptr;  // of the open stretch; nullptr: none is open
  uint64_t count_ = 0;
  uint64_t began_ = 0;
};

}  // namespace sluice::commands
