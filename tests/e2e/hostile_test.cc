// What a hostile or broken client may send: an error or a closed connection, bounded memory, and everybody else served.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/harness/redis.h"
#include "tests/harness/server_process.h"
#include "tests/harness/socket_client.h"

namespace sluice::tests {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr int kPatienceMs = 30'000;
constexpr uint64_t kMiB = 1 << 20;

class HostileTest : public testing::Test {
 protected:
  // After whatever happened: a known client and a new one are served, and memory did not grow by more than `mib`.
  void ExpectServedWithin(uint64_t mib) {
    EXPECT_EQ(TextOf(*known_.Do({"ECHO", "still here"})), "still here");
    RedisClient fresh(server_.port());
    EXPECT_EQ(fresh.Do({"XLEN", "s"})->integer, 1);
    EXPECT_LE(server_.ResidentBytes(), resident_before_ + mib * kMiB);
  }

  // A connection that has sent `bytes`; the server may have closed it meanwhile.
  std::unique_ptr<SocketClient> Sent(std::string_view bytes) {
    auto client = std::make_unique<SocketClient>();
    EXPECT_TRUE(client->Connect(server_.port()));
    client->SendBytes(bytes);
    return client;
  }

  // The error that `bytes` earn, after which the connection ends.
  std::string ErrorFor(std::string_view bytes) {
    const auto client = Sent(bytes);
    const Stage::Heard heard = client->Receive(kPatienceMs);
    EXPECT_EQ(heard.outcome, Stage::Outcome::kReply) << Quoted(bytes.substr(0, 60));
    EXPECT_EQ(heard.reply.type, Reply::Type::kError) << Quoted(bytes.substr(0, 60));
    EXPECT_EQ(client->Receive(kPatienceMs).outcome, Stage::Outcome::kClosed) << Quoted(bytes.substr(0, 60));
    return heard.reply.text;
  }

  void SetUp() override { resident_before_ = server_.ResidentBytes(); }

  ServerProcess server_{{"--client-output-buffer-limit", "normal 32mb 0 0"}};
  RedisClient known_{server_.port()};
  RedisReply entry_ = known_.Do({"XADD", "s", "1-1", "f", "v"});
  uint64_t resident_before_ = 0;
};

TEST_F(HostileTest, WhatIsNotRespIsAnErrorAndTheEnd) {
  EXPECT_EQ(ErrorFor("*1\r\n:5\r\n"), "ERR Protocol error: expected '$', got ':'");
  EXPECT_EQ(ErrorFor("*x\r\n"), "ERR Protocol error: invalid multibulk length");
  EXPECT_EQ(ErrorFor("*2147483648\r\n"), "ERR Protocol error: invalid multibulk length");
  EXPECT_EQ(ErrorFor("*1\r\n$-1\r\n"), "ERR Protocol error: invalid bulk length");
  EXPECT_EQ(ErrorFor("*1\r\n$x\r\n"), "ERR Protocol error: invalid bulk length");
  EXPECT_EQ(ErrorFor("*1\r\n$9000000000000000000\r\n"), "ERR Protocol error: invalid bulk length");
  EXPECT_EQ(ErrorFor("*1\r\n$2147483648\r\n"), "ERR Protocol error: invalid bulk length");
  EXPECT_EQ(ErrorFor("*2\r\n$4\r\nECHO\r\n$05\r\nhello\r\n"), "ERR Protocol error: invalid bulk length");
  EXPECT_EQ(ErrorFor("SET key \"half\r\n"), "ERR Protocol error: unbalanced quotes in request");
  EXPECT_EQ(ErrorFor(std::string(70'000, 'a')), "ERR Protocol error: too big inline request");
  ExpectServedWithin(16);
}

TEST_F(HostileTest, WhatHoldsNoRequestIsPassedOver) {
  const auto client = Sent("*-2\r\n*0\r\n\r\n*-1\r\nPING\r\n");
  const Stage::Heard heard = client->Receive(kPatienceMs);
  EXPECT_EQ(heard.reply.text, "PONG");
  ExpectServedWithin(16);
}

TEST_F(HostileTest, GarbageBytes) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 200; ++i) {
    std::string bytes(1 + random() % 3000, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    // Half of them look like RESP for a while.
    if (i % 2 == 0) bytes = "*3\r\n$" + bytes;
    Sent(bytes);
  }
  ExpectServedWithin(32);
}

TEST_F(HostileTest, AnotherProtocolsGreetingIsTheEnd) {
  for (const std::string greeting : {"POST / HTTP/1.1\r\nHost: localhost\r\n\r\nSET key stolen\r\n",
                                      "GET / HTTP/1.1\r\nHost: localhost\r\n\r\nSET key stolen\r\n"}) {
    const auto client = Sent(greeting);
    Stage::Heard heard;
    do {
      heard = client->Receive(kPatienceMs);
    } while (heard.outcome == Stage::Outcome::kReply);
    EXPECT_EQ(heard.outcome, Stage::Outcome::kClosed);
  }
  EXPECT_EQ(known_.Do({"EXISTS", "key"})->integer, 0);
  ExpectServedWithin(16);
}

TEST_F(HostileTest, HalfRequestsFromManyConnections) {
  std::vector<std::unique_ptr<SocketClient>> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(Sent("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$60000000\r\nand then nothing"));
  ExpectServedWithin(32);
  clients.clear();
  EXPECT_EQ(known_.Do({"EXISTS", "key"})->integer, 0);
}

TEST_F(HostileTest, AnnouncedLengthsCostNothingUntilTheBytesArrive) {
  std::vector<std::unique_ptr<SocketClient>> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(Sent("*1048576\r\n$3\r\nDEL\r\n"));
  ExpectServedWithin(32);
}

TEST_F(HostileTest, AMillionArguments) {
  std::string wire = "*1000001\r\n$3\r\nDEL\r\n";
  for (int i = 0; i < 1'000'000; ++i) wire += "$1\r\nx\r\n";
  const auto client = Sent(wire);
  const Stage::Heard heard = client->Receive(kPatienceMs);
  EXPECT_EQ(FormatReply(heard.reply), "(integer) 0");
  client->Send({"PING"});
  EXPECT_EQ(client->Receive(kPatienceMs).reply.text, "PONG");
  client->Close();
  EXPECT_EQ(ErrorFor("*1048577\r\n$3\r\nDEL\r\n"), "ERR Protocol error: invalid multibulk length");
  // What the large request took is given back, once its client is gone.
  ExpectServedWithin(64);
}

TEST_F(HostileTest, ALargeValueGoesInAndOut) {
  const std::string value(20 * kMiB, 'v');
  RedisClient client(server_.port());
  client.Do({"SET", "large", value});
  EXPECT_EQ(TextOf(*client.Do({"GET", "large"})), value);
  client.Do({"DEL", "large"});
  EXPECT_EQ(ErrorFor("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$67108865\r\n"), "ERR Protocol error: invalid bulk length");
}

// It sends and sends and never reads: its replies are bounded, then it is closed.
TEST_F(HostileTest, AClientThatNeverReads) {
  known_.Do({"SET", "value", std::string(100'000, 'v')});
  SocketClient client;
  ASSERT_TRUE(client.Connect(server_.port()));
  std::string requests;
  for (int i = 0; i < 2000; ++i) requests += EncodeRequest({"GET", "value"});  // 200 MB of replies
  size_t sent = 0;
  bool closed = false;
  const Deadline deadline(kPatience);
  while (!closed && !deadline.over()) {
    sent += client.TrySendBytes(std::string_view(requests).substr(sent));
    const RedisReply list = known_.Do({"INFO", "clients"});
    closed = TextOf(*list).find("connected_clients:1\r\n") != std::string_view::npos;
    EXPECT_LE(server_.ResidentBytes(), resident_before_ + 96 * kMiB);
    if (sent == requests.size()) sent = 0;
  }
  EXPECT_TRUE(closed) << "a client that never reads is kept";
  ExpectServedWithin(96);
}

TEST_F(HostileTest, BeforeAuthOnlySmallRequests) {
  ServerProcess guarded({"--requirepass", "secret"});
  const auto error_for = [&](std::string_view bytes) {
    SocketClient client;
    EXPECT_TRUE(client.Connect(guarded.port()));
    client.SendBytes(bytes);
    return client.Receive(kPatienceMs).reply.text;
  };
  EXPECT_EQ(error_for("*11\r\n$4\r\nPING\r\n"), "ERR Protocol error: unauthenticated multibulk length");
  EXPECT_EQ(error_for("*2\r\n$4\r\nPING\r\n$16385\r\n"), "ERR Protocol error: unauthenticated bulk length");
  EXPECT_EQ(error_for("PING\r\n"), "NOAUTH Authentication required.");

  // Unauthenticated, flooding, and deaf to the answers.
  SocketClient deaf;
  ASSERT_TRUE(deaf.Connect(guarded.port()));
  std::string flood;
  for (int i = 0; i < 100'000; ++i) flood += "PING\r\n";
  const uint64_t before = guarded.ResidentBytes();
  size_t sent = 0;
  for (int i = 0; i < 2000; ++i) {
    const size_t more = deaf.TrySendBytes(std::string_view(flood).substr(sent));
    sent = (sent + more) % flood.size();
    if (i % 100 == 0) {
      SocketClient other;
      ASSERT_TRUE(other.Connect(guarded.port()));
      other.Send({"AUTH", "secret"});
      EXPECT_EQ(other.Receive(kPatienceMs).reply.text, "OK");
    }
  }
  EXPECT_LE(guarded.ResidentBytes(), before + 32 * kMiB);
}

TEST_F(HostileTest, MoreClientsThanAllowed) {
  ServerProcess small({"--maxclients", "10"});
  std::vector<std::unique_ptr<SocketClient>> clients;
  std::string refusal;
  for (int i = 0; i < 20 && refusal.empty(); ++i) {
    clients.push_back(std::make_unique<SocketClient>());
    ASSERT_TRUE(clients.back()->Connect(small.port()));
    clients.back()->Send({"PING"});
    const Stage::Heard heard = clients.back()->Receive(kPatienceMs);
    if (heard.reply.type == Reply::Type::kError) refusal = heard.reply.text;
  }
  EXPECT_EQ(refusal, "ERR max number of clients reached");
  EXPECT_EQ(clients.size(), 11u);
  EXPECT_EQ(clients.back()->Receive(kPatienceMs).outcome, Stage::Outcome::kClosed);
  clients.clear();
  // Once they are gone there is room again. They go when the server notices.
  const Deadline deadline(kPatience);
  bool served = false;
  while (!served && !deadline.over()) {
    SocketClient client;
    ASSERT_TRUE(client.Connect(small.port()));
    client.Send({"PING"});
    served = client.Receive(kPatienceMs).reply.text == "PONG";
  }
  EXPECT_TRUE(served);
}

// 100,000 IDs in one command, and patterns made to explode.
TEST_F(HostileTest, LargeAndPathologicalArguments) {
  std::vector<std::string> ack = {"XACK", "s", "g"};
  for (int i = 0; i < 100'000; ++i) ack.push_back(std::to_string(i + 1) + "-1");
  known_.Do({"XGROUP", "CREATE", "s", "g", "0"});
  known_.Do({"XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">"});
  EXPECT_EQ(known_.Do(ack)->integer, 1);
  ack[0] = "XDEL";
  ack.erase(ack.begin() + 2);
  EXPECT_EQ(known_.Do(ack)->integer, 1);
  known_.Do({"XADD", "s", "9-1", "f", "v"});
  known_.Do({"SET", std::string(10'000, 'a'), "v"});
  std::string pattern;
  for (int i = 0; i < 5'000; ++i) pattern += "*a";
  EXPECT_EQ(known_.Do({"KEYS", pattern + "b"})->elements, 0u);
  EXPECT_EQ(known_.Do({"CONFIG", "GET", pattern + "b"})->elements, 0u);
  ExpectServedWithin(64);
}

}  // namespace
}  // namespace sluice::tests
