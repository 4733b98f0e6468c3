// The small parts of server/net that need no loop.

#include <gtest/gtest.h>

#include <string>

#include "server/net/address.h"
#include "server/net/input_buffer.h"
#include "server/net/log_pace.h"

namespace sluice::net {
namespace {

void Receive(InputBuffer& buffer, std::string_view bytes, size_t whole_bytes) {
  while (!bytes.empty()) {
    const std::span<char> room = buffer.Room(whole_bytes);
    const size_t count = std::min(room.size(), bytes.size());
    bytes.copy(room.data(), count);
    buffer.Received(count);
    bytes.remove_prefix(count);
  }
}

TEST(InputBuffer, GivesBackWhatWasAppendedAndReceived) {
  InputBuffer buffer;
  EXPECT_TRUE(buffer.empty());
  EXPECT_TRUE(buffer.Append("hello "));
  Receive(buffer, "world", 0);
  EXPECT_EQ(buffer.bytes(), "hello world");
  buffer.Consume(6);
  EXPECT_EQ(buffer.bytes(), "world");
  EXPECT_TRUE(buffer.Append(std::string(100000, 'x')));
  EXPECT_EQ(buffer.bytes(), "world" + std::string(100000, 'x'));
}

TEST(InputBuffer, OwnsNothingWhileEmpty) {
  InputBuffer buffer;
  EXPECT_EQ(buffer.capacity(), 0u);
  EXPECT_TRUE(buffer.Append(""));
  EXPECT_EQ(buffer.capacity(), 0u);
  EXPECT_TRUE(buffer.Append("abc"));
  EXPECT_LE(buffer.capacity(), 3u);
  buffer.Consume(3);
  EXPECT_EQ(buffer.capacity(), 0u);
  EXPECT_EQ(buffer.bytes(), "");
}

// A peer that announces a gigabyte and sends little must not make us hold a gigabyte.
TEST(InputBuffer, CapacityFollowsWhatWasReceivedNotWhatWasAnnounced) {
  InputBuffer buffer;
  const std::string chunk(1000, 'x');
  for (int i = 0; i < 2000; ++i) {
    Receive(buffer, chunk, size_t{1} << 30);
    ASSERT_LE(buffer.capacity(), 2 * buffer.size() + InputBuffer::kSmallRoom);
  }
  EXPECT_EQ(buffer.size(), 2000000u);
}

TEST(InputBuffer, TheLastStepOfALargeRequestTakesNoMoreThanItNeeds) {
  InputBuffer buffer;
  Receive(buffer, std::string(600000, 'x'), 1000000);
  EXPECT_FALSE(buffer.Room(1000000).empty());
  EXPECT_LE(buffer.capacity(), 1000000u);
}

TEST(Address, ResolvesAndPrints) {
  EXPECT_EQ(AddressText(*Resolve("127.0.0.1", 6379)), "127.0.0.1:6379");
  EXPECT_EQ(AddressText(*Resolve("::1", 6379)), "[::1]:6379");
  EXPECT_EQ(AddressText(*Resolve("*", 1)), "0.0.0.0:1");
  EXPECT_EQ(AddressText(*Resolve("::*", 1)), "[::]:1");
  EXPECT_EQ(Resolve("300.1.1.1.", 1), std::nullopt);
  EXPECT_EQ(AddressText(sockaddr_storage{}), "?:0");
}

TEST(Address, KnowsLoopback) {
  EXPECT_TRUE(IsLoopback(*Resolve("127.9.9.9", 1)));
  EXPECT_TRUE(IsLoopback(*Resolve("::1", 1)));
  EXPECT_FALSE(IsLoopback(*Resolve("128.0.0.1", 1)));
  EXPECT_FALSE(IsLoopback(*Resolve("::2", 1)));
  EXPECT_FALSE(IsLoopback(sockaddr_storage{}));
}

TEST(LogPace, OneLineAnIntervalAndTheFirstAtOnce) {
  LogPace pace(1000);
  EXPECT_TRUE(pace.Allow(5));
  EXPECT_FALSE(pace.Allow(6));
  EXPECT_FALSE(pace.Allow(1004));
  EXPECT_TRUE(pace.Allow(1005));
  EXPECT_FALSE(pace.Allow(2004));
}

}  // namespace
}  // namespace sluice::net
