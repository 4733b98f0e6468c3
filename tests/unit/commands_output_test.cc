#include "server/commands/output.h"

#include <gtest/gtest.h>

namespace sluice::commands {
namespace {

using storage::Lsn;

SharedBytes Large(char letter) {
  return std::make_shared<const std::string>(8192, letter);
}

// Everything that may leave once `committed` is, as the network takes it: at most `at_once` bytes a time.
std::string Drain(Output& output, Lsn committed, size_t at_once = SIZE_MAX) {
  std::string all;
  while (const size_t ready = std::min(output.Releasable(committed), at_once)) {
    all += output.front().substr(0, ready);
    output.Consume(ready);
  }
  return all;
}

TEST(Output, HoldsBackWhatShowsStateUntilItIsCommitted) {
  Output output;
  output.bytes() += "pong";
  output.ShowState();
  output.bytes() += "state";
  output.EndTick(Lsn{100});
  output.bytes() += "later";
  output.EndTick(Lsn{200});
  EXPECT_EQ(output.size(), 14u);
  EXPECT_EQ(Drain(output, Lsn{99}), "pong");
  EXPECT_EQ(Drain(output, Lsn{100}, 3), "statelater");
  EXPECT_TRUE(output.empty());
}

TEST(Output, LargeMessagesAreSharedAndKeepTheirPlace) {
  const SharedBytes message = Large('m');
  Output one;
  Output other;
  for (Output* output : {&one, &other}) {
    output->bytes() += "before";
    output->ShowState();
    output->Share(message);
    output->bytes() += "after";
    output->Share(std::make_shared<const std::string>("small"));
    output->EndTick(Lsn{10});
    EXPECT_EQ(output->size(), 6 + 8192 + 10u);
  }
  EXPECT_EQ(message.use_count(), 3);
  EXPECT_EQ(Drain(one, Lsn{9}), "before");
  EXPECT_EQ(Drain(one, Lsn{10}), *message + "aftersmall");
  EXPECT_EQ(Drain(other, Lsn{10}, 1000), "before" + *message + "aftersmall");
  EXPECT_TRUE(one.empty());
  EXPECT_TRUE(other.empty());
  EXPECT_EQ(message.use_count(), 1);
}

TEST(Output, TakesWhatTheNetworkNeedsForLonger) {
  const SharedBytes message = Large('m');
  Output output;
  output.Share(message);
  output.bytes() += "tail";
  output.EndTick(Lsn{});
  output.Consume(100);
  size_t from = 0;
  const SharedBytes taken = output.Take(output.Releasable(Lsn{}), &from);
  EXPECT_EQ(taken.get(), message.get());  // without a copy
  EXPECT_EQ(from, 100u);
  EXPECT_EQ(output.size(), 4u);
  EXPECT_EQ(*output.Take(2, &from), "ta");
  EXPECT_EQ(*output.Take(2, &from), "il");
  EXPECT_TRUE(output.empty());
  EXPECT_EQ(output.Releasable(Lsn{}), 0u);
}

TEST(Output, MarksOutliveWhatLeavesBeforeThem) {
  Output output;
  for (uint64_t tick = 1; tick <= 3; ++tick) {
    output.ShowState();
    output.Share(Large(static_cast<char>('0' + tick)));
    output.bytes() += "end" + std::to_string(tick);
    output.EndTick(Lsn{tick * 10});
  }
  EXPECT_EQ(Drain(output, Lsn{10}, 5000), *Large('1') + "end1");
  EXPECT_EQ(Drain(output, Lsn{20}, 5000), *Large('2') + "end2");
  EXPECT_EQ(Drain(output, Lsn{29}), "");
  EXPECT_EQ(Drain(output, Lsn{30}), *Large('3') + "end3");
}

}  // namespace
}  // namespace sluice::commands
