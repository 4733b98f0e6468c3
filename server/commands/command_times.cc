#include "server/commands/command_times.h"

#include "server/commands/command_table.h"

namespace sluice::commands {
namespace {

// Above this mean a row's commands are timed one by one: two readings of the clock are lost in it.
constexpr uint64_t kSlowNs = 5000;

}  // namespace

uint64_t TimeHistogram::HighestOf(size_t bucket) {
  const size_t octave = bucket >> kSubBits;
  const uint64_t sub = bucket & ((1u << kSubBits) - 1);
  if (octave == 0) return sub;
  const size_t shift = octave - 1;
  return ((sub + (1u << kSubBits) + 1) << shift) - 1;
}

uint64_t TimeHistogram::Percentile(double share) const {
  const double wanted = share * static_cast<double>(total_);
  uint64_t seen = 0;
  uint64_t highest = 0;
  for (size_t i = 0; i < counts_.size() && (seen == 0 || static_cast<double>(seen) < wanted); ++i) {
    if (counts_[i] == 0) continue;
    seen += counts_[i];
    highest = HighestOf(i);
  }
  return highest;
}

CommandTimes::CommandTimes() : slow_cycles_(Stopwatch::CyclesIn(kSlowNs)) {
  ForEachCommand([&](const Command& command) {
    if (command.number >= rows_.size()) rows_.resize(command.number + 1);
    rows_[command.number].command = &command;
  });
}

void CommandTimes::set_notice(uint64_t nanoseconds) {
  notice_cycles_ = nanoseconds == UINT64_MAX ? UINT64_MAX : Stopwatch::CyclesIn(nanoseconds);
}

void CommandTimes::set_tracking(bool tracking) {
  tracking_ = tracking;
  if (tracking) return;
  for (Row& row : rows_) row.histogram.reset();
}

void CommandTimes::Account(Row& row, uint64_t calls, uint64_t cycles) {
  row.calls += calls;
  row.cycles += cycles;
  if (cycles >= notice_cycles_ && (!slow_ || slow_->cycles < cycles))
    slow_ = Slow{row.command, calls, cycles};
  if (!tracking_) return;
  if (row.histogram == nullptr) row.histogram = std::make_unique<TimeHistogram>();
  row.histogram->Add(cycles / calls, calls);
}

void CommandTimes::Reset() {
  // The command that asks for it is the first that counts again.
  if (count_ != 0) count_ = 1;
  slow_.reset();
  for (Row& row : rows_) {
    const Command* command = row.command;
    row = Row();
    row.command = command;
  }
}

}  // namespace sluice::commands
