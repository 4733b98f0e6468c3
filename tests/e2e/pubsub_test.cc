// Channels over sockets: many subscribers, some of whom do not read; and what is watched of the server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/harness/deadline.h"
#include "tests/harness/server_process.h"
#include "tests/harness/socket_client.h"

namespace sluice::tests {
namespace {

using testing::HasSubstr;

constexpr int kMessageWaitMs = static_cast<int>(std::chrono::milliseconds(kPatience).count());

Reply Ask(SocketClient& client, const std::vector<std::string>& words) {
  if (!client.Send(words)) throw std::runtime_error("the connection ended");
  Stage::Heard heard = client.Receive(kMessageWaitMs);
  if (heard.outcome != Stage::Outcome::kReply) throw std::runtime_error("no reply to " + words[0]);
  return heard.reply;
}

int64_t Number(const Reply& reply) {
  return std::stoll(reply.text);
}

std::string InfoField(SocketClient& client, const std::string& name) {
  const std::string text = Ask(client, {"INFO", "everything"}).text;
  const size_t at = text.find("\r\n" + name + ":");
  if (at == std::string::npos) return "";
  const size_t begin = at + name.size() + 3;
  return text.substr(begin, text.find("\r\n", begin) - begin);
}

// 1,000 subscribers; one never reads what it is sent. It is closed at the limit of its class, the others hear
// everything in order, and the server's memory stays small.
TEST(PubsubTest, AThousandSubscribersAndOneThatNeverReads) {
  ServerProcess server({"--client-output-buffer-limit", "pubsub 1mb 0 0"});
  SocketClient publisher;
  ASSERT_TRUE(publisher.Connect(server.port()));
  SocketClient deaf;
  ASSERT_TRUE(deaf.Connect(server.port()));
  ASSERT_TRUE(deaf.Send({"SUBSCRIBE", "news", "flood"}));
  constexpr size_t kReaders = 1000;
  std::vector<std::unique_ptr<SocketClient>> readers;
  for (size_t i = 0; i < kReaders; ++i) {
    readers.push_back(std::make_unique<SocketClient>());
    ASSERT_TRUE(readers.back()->Connect(server.port()));
    ASSERT_EQ(Number(Ask(*readers.back(), {"SUBSCRIBE", "news"}).elements[2]), 1);
  }
  SocketClient flooded;
  ASSERT_TRUE(flooded.Connect(server.port()));
  Ask(flooded, {"SUBSCRIBE", "flood"});

  // More than the kernel's buffers hold for one connection.
  constexpr int kFloods = 64;
  const std::string flood(256 * 1024, 'f');
  for (int i = 0; i < kFloods; ++i) {
    const int64_t heard = Number(Ask(publisher, {"PUBLISH", "flood", flood}));
    ASSERT_GE(heard, 1);
    ASSERT_LE(heard, 2);
    const Stage::Heard message = flooded.Receive(kMessageWaitMs);
    ASSERT_EQ(message.outcome, Stage::Outcome::kReply);
    ASSERT_EQ(message.reply.elements[2].text.size(), flood.size());
  }
  EXPECT_EQ(InfoField(publisher, "client_output_buffer_limit_disconnections"), "1");
  constexpr int kNews = 20;
  for (int i = 0; i < kNews; ++i) {
    EXPECT_EQ(Number(Ask(publisher, {"PUBLISH", "news", "item " + std::to_string(i)})),
              static_cast<int64_t>(kReaders));
  }
  for (const auto& reader : readers) {
    for (int i = 0; i < kNews; ++i) {
      const Stage::Heard message = reader->Receive(kMessageWaitMs);
      ASSERT_EQ(message.outcome, Stage::Outcome::kReply);
      ASSERT_EQ(message.reply.elements[2].text, "item " + std::to_string(i));
    }
  }
  EXPECT_EQ(InfoField(publisher, "pubsub_clients"), std::to_string(kReaders + 1));
}

// Large messages for many who do not read at all: they share them.
TEST(PubsubTest, UnreadMessagesAreSharedInMemory) {
  ServerProcess server({"--client-output-buffer-limit", "pubsub 64mb 0 0"});
  SocketClient publisher;
  ASSERT_TRUE(publisher.Connect(server.port()));
  constexpr int64_t kReaders = 100;
  std::vector<std::unique_ptr<SocketClient>> readers;
  for (int64_t i = 0; i < kReaders; ++i) {
    readers.push_back(std::make_unique<SocketClient>());
    ASSERT_TRUE(readers.back()->Connect(server.port()));
    Ask(*readers.back(), {"SUBSCRIBE", "c"});
  }
  const uint64_t before = server.ResidentBytes();
  const std::string message(4 << 20, 'm');
  for (int i = 0; i < 8; ++i) ASSERT_EQ(Number(Ask(publisher, {"PUBLISH", "c", message})), kReaders);
  // 100 copies of each would be 3.2 GB.
  EXPECT_LT(server.ResidentBytes(), before + (200 << 20));
}

TEST(ClientEvictionTest, TheLargestGoFirst) {
  ServerProcess server({"--maxmemory-clients", "8mb"});
  SocketClient watcher;
  SocketClient large;
  SocketClient kept;
  ASSERT_TRUE(watcher.Connect(server.port()));
  ASSERT_TRUE(large.Connect(server.port()));
  ASSERT_TRUE(kept.Connect(server.port()));
  Ask(kept, {"CLIENT", "NO-EVICT", "ON"});
  for (SocketClient* client : {&large, &kept}) {
    Ask(*client, {"MULTI"});
    for (int i = 0; i < 6; ++i) {
      if (!client->Send({"SET", "k", std::string(1 << 20, 'x')})) break;
      if (client->Receive(kMessageWaitMs).outcome != Stage::Outcome::kReply) break;
    }
  }
  const Deadline deadline(kPatience);
  while (InfoField(watcher, "evicted_clients") != "1") ASSERT_FALSE(deadline.over());
  EXPECT_EQ(Ask(kept, {"EXEC"}).elements.size(), 6u);
  EXPECT_EQ(large.Receive(kMessageWaitMs).outcome, Stage::Outcome::kClosed);
  EXPECT_EQ(Ask(watcher, {"PING"}).text, "PONG");
}

TEST(WatchingTest, SlowCommandsAreSeen) {
  ServerProcess server({"--enable-debug-command", "yes", "--latency-monitor-threshold", "20"});
  SocketClient client;
  ASSERT_TRUE(client.Connect(server.port()));
  Ask(client, {"SET", "quick", "1"});
  Ask(client, {"DEBUG", "SLEEP", "0.05"});
  const Reply slow = Ask(client, {"SLOWLOG", "GET"});
  ASSERT_EQ(slow.elements.size(), 1u);
  EXPECT_GE(Number(slow.elements[0].elements[2]), 50'000);
  EXPECT_LT(Number(slow.elements[0].elements[2]), 10'000'000);
  EXPECT_EQ(slow.elements[0].elements[3].elements[1].text, "SLEEP");
  const Reply latest = Ask(client, {"LATENCY", "LATEST"});
  ASSERT_EQ(latest.elements.size(), 1u);
  EXPECT_EQ(latest.elements[0].elements[0].text, "command");
  EXPECT_GE(Number(latest.elements[0].elements[2]), 50);
  EXPECT_EQ(Ask(client, {"LATENCY", "HISTORY", "command"}).elements.size(), 1u);
  EXPECT_THAT(Ask(client, {"LATENCY", "GRAPH", "command"}).text, HasSubstr("command - high "));
  EXPECT_THAT(Ask(client, {"LATENCY", "DOCTOR"}).text, HasSubstr("SLOWLOG GET"));
  EXPECT_EQ(Number(Ask(client, {"LATENCY", "RESET"})), 1);
  EXPECT_THAT(Ask(client, {"INFO", "latencystats"}).text,
              HasSubstr("latency_percentiles_usec_debug|sleep:p50="));
  // The loop stood still meanwhile, as its ticks tell.
  const auto longest_tick_us = [&] {
    const std::string times = InfoField(client, "eventloop_duration_percentiles_usec");
    return std::stoull(times.substr(times.find("max=") + 4));
  };
  EXPECT_GE(longest_tick_us(), 50'000u);
  EXPECT_GE(std::stoull(InfoField(client, "eventloop_duration_sum")), 50'000u);
  EXPECT_GE(std::stoull(InfoField(client, "eventloop_cycles")), 9u);
  Ask(client, {"CONFIG", "RESETSTAT"});
  EXPECT_LT(longest_tick_us(), 50'000u);
}

TEST(WatchingTest, MonitorShowsWhatIsCommitted) {
  ServerProcess server({"--requirepass", "secret"});
  SocketClient monitor;
  SocketClient client;
  ASSERT_TRUE(monitor.Connect(server.port()));
  ASSERT_TRUE(client.Connect(server.port()));
  for (SocketClient* one : {&monitor, &client}) Ask(*one, {"AUTH", "secret"});
  EXPECT_EQ(Ask(monitor, {"MONITOR"}).text, "OK");
  Ask(client, {"AUTH", "secret"});
  Ask(client, {"XADD", "s", "1-1", "f", "two words"});
  EXPECT_THAT(monitor.Receive(kMessageWaitMs).reply.text, testing::EndsWith("] \"AUTH\" \"(redacted)\""));
  EXPECT_THAT(monitor.Receive(kMessageWaitMs).reply.text,
              testing::EndsWith("] \"XADD\" \"s\" \"1-1\" \"f\" \"two words\""));
  EXPECT_EQ(Ask(monitor, {"RESET"}).text, "RESET");
}

TEST(ReplyTest, OffAndSkip) {
  ServerProcess server;
  SocketClient client;
  ASSERT_TRUE(client.Connect(server.port()));
  for (const char* word : {"OFF", "SKIP", "ON"}) ASSERT_TRUE(client.Send({"CLIENT", "REPLY", word}));
  EXPECT_EQ(client.Receive(kMessageWaitMs).reply.text, "OK");
  ASSERT_TRUE(client.Send({"CLIENT", "REPLY", "SKIP"}));
  ASSERT_TRUE(client.Send({"ECHO", "unheard"}));
  EXPECT_EQ(Ask(client, {"ECHO", "heard"}).text, "heard");
}

// Held back over a socket, with more behind it.
TEST(PauseTest, ThePipelineWaitsAndGoesOn) {
  ServerProcess server;
  SocketClient client;
  SocketClient master;
  ASSERT_TRUE(client.Connect(server.port()));
  ASSERT_TRUE(master.Connect(server.port()));
  Ask(master, {"CLIENT", "PAUSE", "60000", "WRITE"});
  ASSERT_TRUE(client.Send({"GET", "k"}));
  ASSERT_TRUE(client.Send({"SET", "k", "v"}));
  ASSERT_TRUE(client.Send({"GET", "k"}));
  EXPECT_EQ(client.Receive(kMessageWaitMs).reply.type, Reply::Type::kNullBulk);
  const Deadline deadline(kPatience);
  while (InfoField(master, "blocked_clients") != "1") ASSERT_FALSE(deadline.over());
  EXPECT_EQ(client.Receive(0).outcome, Stage::Outcome::kNothing);
  Ask(master, {"CLIENT", "UNPAUSE"});
  EXPECT_EQ(client.Receive(kMessageWaitMs).reply.text, "OK");
  EXPECT_EQ(client.Receive(kMessageWaitMs).reply.text, "v");
  Ask(master, {"CLIENT", "PAUSE", "50", "ALL"});
  EXPECT_EQ(Ask(client, {"PING"}).text, "PONG");
}

}  // namespace
}  // namespace sluice::tests
