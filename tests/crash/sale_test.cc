// A flash sale under kill -9: buyers who click again and again, and retry what was not answered under the
// same REQID. Nothing is oversold, no order that was told is lost, doubled or another one, and none is
// invented.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <deque>
#include <exception>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "tests/harness/redis.h"
#include "tests/harness/server_process.h"

namespace sluice::tests {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t usual) {
  const char* value = std::getenv(name);
  return value != nullptr ? std::stoull(value) : usual;
}

// By hand: SLUICE_SALE_TRIES=1000000 SLUICE_SALE_USERS=200000 SLUICE_CRASH_ROUNDS=20.
const uint64_t kTries = FromEnvironment("SLUICE_SALE_TRIES", 40000);
const uint64_t kUsers = FromEnvironment("SLUICE_SALE_USERS", 8000);
const uint64_t kRounds = FromEnvironment("SLUICE_CRASH_ROUNDS", 4);
constexpr uint64_t kPieces = 1000;
constexpr size_t kClients = 50;
constexpr size_t kThreads = 5;
constexpr size_t kTriesAtOnce = 16;

struct Try {
  std::string user;
  bool with_request;
};

// Some of the clients, on a thread of their own.
struct Crowd {
  std::deque<Try> left;                               // in front what was sent and not answered
  std::map<std::string, std::set<std::string>> told;  // user -> orders
  std::set<std::string> refused;  // users who were told that they had bought, and not what

  void Answered(const Try& attempt, const redisReply& reply) {
    const int64_t code = ElementOf(reply, 0).integer;
    if (code == 0) told[attempt.user].emplace(TextOf(ElementOf(reply, 1)));
    if (code == 2) refused.insert(attempt.user);
    if (code != 0 && code != 1 && code != 2) throw std::runtime_error("code " + std::to_string(code));
  }

  // Until everything is answered or the server is gone.
  void Run(uint16_t port, std::atomic<uint64_t>& answers) {
    std::vector<RedisClient> clients;
    for (size_t i = 0; i < kClients / kThreads; ++i) clients.emplace_back(port);
    while (!left.empty()) {
      std::vector<std::pair<RedisClient*, Try>> sent;
      for (RedisClient& client : clients) {
        for (size_t n = 0; n < kTriesAtOnce && sent.size() < left.size(); ++n) {
          const Try& attempt = left[sent.size()];
          std::vector<std::string> words = {"SECKILL.BUY", "item", attempt.user};
          if (attempt.with_request) words.insert(words.end(), {"REQID", "click-" + attempt.user});
          client.Append(words);
          sent.emplace_back(&client, attempt);
        }
      }
      bool gone = false;
      std::deque<Try> unanswered;
      for (auto& [client, attempt] : sent) {
        const RedisReply reply = client->Receive();
        left.pop_front();
        if (reply == nullptr || reply->type == REDIS_REPLY_ERROR) {
          gone = true;
          unanswered.push_back(attempt);
          continue;
        }
        Answered(attempt, *reply);
        ++answers;
      }
      left.insert(left.begin(), unanswered.begin(), unanswered.end());
      if (gone) return;
    }
  }
};

class SaleTest : public testing::Test {
 protected:
  SaleTest() : crowds_(kThreads) {
    std::mt19937_64 random(7);
    for (uint64_t i = 0; i < kTries; ++i)
      crowds_[i % kThreads].left.push_back({"user" + std::to_string(random() % kUsers), random() % 4 != 0});
  }

  void RunCrowds(ServerProcess& server, uint64_t kill_after) {
    std::atomic<uint64_t> answers = 0;
    std::vector<std::thread> threads;
    for (Crowd& crowd : crowds_) {
      threads.emplace_back([&] {
        try {
          crowd.Run(server.port(), answers);
        } catch (const std::exception& error) {
          if (kill_after == 0) ADD_FAILURE() << error.what();
        }
      });
    }
    if (kill_after != 0) {
      const Deadline deadline(kPatience);
      while (answers < kill_after && !deadline.over()) std::this_thread::yield();
      server.Kill9();
    }
    for (std::thread& thread : threads) thread.join();
  }

  std::vector<Crowd> crowds_;
};

TEST_F(SaleTest, SellsEveryPieceOnceOverAllLives) {
  ServerProcess server;
  {
    RedisClient client(server.port());
    client.Do({"SECKILL.CREATE", "item", "STOCK", std::to_string(kPieces), "STREAM", "orders"});
  }
  std::mt19937_64 random(11);
  for (uint64_t round = 0; round < kRounds; ++round) {
    // The pieces go early: most lives should end in the midst of them.
    RunCrowds(server, 50 + random() % (kPieces / kRounds));
    server.Start();
  }
  RunCrowds(server, 0);

  RedisClient client(server.port());
  std::map<std::string, std::string> sold;  // user -> order
  const RedisReply orders = client.Do({"XRANGE", "orders", "-", "+"});
  ASSERT_EQ(orders->elements, kPieces);
  for (size_t i = 0; i < orders->elements; ++i) {
    const redisReply& entry = ElementOf(*orders, i);
    const redisReply& fields = ElementOf(entry, 1);
    std::string user;
    for (size_t f = 0; f + 1 < fields.elements; f += 2) {
      if (TextOf(ElementOf(fields, f)) == "user") user = TextOf(ElementOf(fields, f + 1));
    }
    EXPECT_TRUE(sold.emplace(user, TextOf(ElementOf(entry, 0))).second) << user << " has two";
  }
  std::set<std::string> told;
  for (const Crowd& crowd : crowds_) {
    EXPECT_TRUE(crowd.left.empty());
    for (const auto& [user, answers] : crowd.told) {
      told.insert(user);
      ASSERT_EQ(answers.size(), 1u) << user << " was told of several orders";
      ASSERT_EQ(sold[user], *answers.begin()) << user;
    }
    for (const std::string& user : crowd.refused) ASSERT_TRUE(sold.contains(user)) << user;
  }
  EXPECT_LE(told.size(), kPieces);
  const RedisReply audit = client.Do({"SECKILL.AUDIT", "item"});  // throws where it finds a fault
  for (size_t i = 0; i + 1 < audit->elements; i += 2) {
    const std::string_view name = TextOf(ElementOf(*audit, i));
    const bool all = name == "sold" || name == "users";
    const bool none = name == "available" || name == "held";
    const int64_t expected = all ? int64_t{kPieces} : 0;
    if (all || none) {
      EXPECT_EQ(ElementOf(*audit, i + 1).integer, expected) << name;
    }
  }
  EXPECT_EQ(server.Stop(), 0);
}

}  // namespace
}  // namespace sluice::tests
