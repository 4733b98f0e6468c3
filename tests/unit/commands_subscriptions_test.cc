#include "server/commands/subscriptions.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/harness/test_host.h"

namespace sluice::commands {
namespace {

class SubscriptionsTest : public testing::Test {
 protected:
  Session& Connect() { return host_.Connect(0); }
  static std::string Heard(Session& session) {
    session.output.EndTick({});
    std::string all;
    while (const size_t ready = session.output.Releasable({})) {
      all += session.output.front().substr(0, ready);
      session.output.Consume(ready);
    }
    return all;
  }

  tests::TestHost host_{DefaultConfig()};
  Delivery delivery_{host_};
  Subscriptions subscriptions_{delivery_};
};

TEST_F(SubscriptionsTest, BothSidesKnowEachOther) {
  Session& a = Connect();
  Session& b = Connect();
  EXPECT_TRUE(subscriptions_.Add(a, ChannelKind::kChannel, "news"));
  EXPECT_FALSE(subscriptions_.Add(a, ChannelKind::kChannel, "news"));
  EXPECT_TRUE(subscriptions_.Add(b, ChannelKind::kChannel, "news"));
  EXPECT_TRUE(subscriptions_.Add(a, ChannelKind::kPattern, "n*"));
  EXPECT_TRUE(subscriptions_.Add(a, ChannelKind::kShard, "news"));
  EXPECT_EQ(a.subscriptions->ordinary(), 2u);
  EXPECT_EQ(a.subscriptions->all(), 3u);
  EXPECT_EQ(subscriptions_.SubscribersOf(ChannelKind::kChannel, "news"), 2u);
  subscriptions_.Drop(a);
  EXPECT_EQ(a.subscriptions, nullptr);
  EXPECT_EQ(subscriptions_.SubscribersOf(ChannelKind::kChannel, "news"), 1u);
  EXPECT_EQ(subscriptions_.size(ChannelKind::kPattern), 0u);
  EXPECT_EQ(subscriptions_.size(ChannelKind::kShard), 0u);
  EXPECT_FALSE(subscriptions_.Remove(a, ChannelKind::kChannel, "news"));
  EXPECT_TRUE(subscriptions_.Remove(b, ChannelKind::kChannel, "news"));
  EXPECT_EQ(b.subscriptions, nullptr);
  EXPECT_FALSE(subscriptions_.any());
}

TEST_F(SubscriptionsTest, OneEncodingForEachVersion) {
  Session& old = Connect();
  Session& young = Connect();
  young.version = protocol::Version::kResp3;
  for (Session* session : {&old, &young}) subscriptions_.Add(*session, ChannelKind::kChannel, "c");
  EXPECT_EQ(subscriptions_.Publish(ChannelKind::kChannel, "c", "hi"), 2u);
  EXPECT_EQ(Heard(old), "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n");
  EXPECT_EQ(Heard(young), ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n");
}

// A megabyte for 10,000 readers is a megabyte.
TEST_F(SubscriptionsTest, ALargeMessageIsHeldOnce) {
  constexpr size_t kReaders = 10'000;
  std::vector<Session*> readers;
  for (size_t i = 0; i < kReaders; ++i) {
    readers.push_back(&Connect());
    subscriptions_.Add(*readers.back(), ChannelKind::kChannel, "c");
  }
  const std::string megabyte(1 << 20, 'x');
  EXPECT_EQ(subscriptions_.Publish(ChannelKind::kChannel, "c", megabyte), kReaders);
  const char* const bytes = readers.front()->output.front().data();
  for (Session* reader : readers) {
    ASSERT_GT(reader->output.size(), megabyte.size());
    ASSERT_EQ(reader->output.front().data(), bytes);
  }
  for (Session* reader : readers) subscriptions_.Drop(*reader);
  EXPECT_FALSE(subscriptions_.any());
}

TEST_F(SubscriptionsTest, NeverInTheMiddleOfAReply) {
  Session& self = Connect();
  subscriptions_.Add(self, ChannelKind::kChannel, "c");
  {
    const Delivery::Reply writing(delivery_, self);
    self.output.bytes() += "*2\r\n:1\r\n";
    subscriptions_.Publish(ChannelKind::kChannel, "c", "m");
    self.output.bytes() += ":2\r\n";
  }
  EXPECT_EQ(Heard(self), "*2\r\n:1\r\n:2\r\n*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n");
}

TEST_F(SubscriptionsTest, WhoIsAboutToBeClosedTakesNothingMoreIn) {
  Session& going = Connect();
  subscriptions_.Add(going, ChannelKind::kChannel, "c");
  going.close = true;
  EXPECT_EQ(subscriptions_.Publish(ChannelKind::kChannel, "c", std::string(100'000, 'x')), 1u);
  EXPECT_TRUE(going.output.empty());
}

TEST_F(SubscriptionsTest, AMessageWaitsForItsCause) {
  Session& reader = Connect();
  subscriptions_.Add(reader, ChannelKind::kChannel, "c");
  subscriptions_.Publish(ChannelKind::kChannel, "c", "m");
  reader.output.EndTick(storage::Lsn{50});
  EXPECT_EQ(reader.output.Releasable(storage::Lsn{49}), 0u);
  EXPECT_EQ(reader.output.Releasable(storage::Lsn{50}), reader.output.size());
}

}  // namespace
}  // namespace sluice::commands
