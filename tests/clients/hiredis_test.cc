// hiredis against the built server.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/harness/redis.h"
#include "tests/harness/server_process.h"

namespace sluice::tests {
namespace {

TEST(HiredisTest, ProducesConsumesAndSells) {
  ServerProcess server;
  RedisClient client(server.port());
  for (int i = 0; i < 1000; ++i) client.Append({"XADD", "s", std::to_string(i + 1), "n", std::to_string(i)});
  for (int i = 0; i < 1000; ++i) {
    const RedisReply reply = client.Receive();
    ASSERT_TRUE(reply);
    ASSERT_EQ(TextOf(*reply), std::to_string(i + 1) + "-0");
  }
  client.Do({"XGROUP", "CREATE", "s", "g", "0"});
  for (int i = 0; i < 10; ++i) {
    const RedisReply batch =
        client.Do({"XREADGROUP", "GROUP", "g", "c", "COUNT", "100", "STREAMS", "s", ">"});
    const redisReply& entries = ElementOf(ElementOf(*batch, 0), 1);
    ASSERT_EQ(entries.elements, 100u);
    std::vector<std::string> ack = {"XACK", "s", "g"};
    for (size_t e = 0; e < entries.elements; ++e)
      ack.emplace_back(TextOf(ElementOf(ElementOf(entries, e), 0)));
    EXPECT_EQ(client.Do(ack)->integer, 100);
  }
  EXPECT_EQ(ElementOf(*client.Do({"XPENDING", "s", "g"}), 0).integer, 0);
  client.Do({"SECKILL.CREATE", "item", "STOCK", "1"});
  EXPECT_EQ(ElementOf(*client.Do({"SECKILL.BUY", "item", "u"}), 0).integer, 0);
  EXPECT_EQ(ElementOf(*client.Do({"SECKILL.BUY", "item", "v"}), 0).integer, 1);
}

// What redisCommand gives where it is not asked to throw.
std::string ErrorOf(RedisClient& client, const std::vector<std::string>& words) {
  client.Append(words);
  const RedisReply reply = client.Receive();
  return reply && reply->type == REDIS_REPLY_ERROR ? std::string(TextOf(*reply)) : "no error";
}

TEST(HiredisTest, WaitsForMessagesAndGivesUp) {
  ServerProcess server;
  RedisClient reader(server.port());
  RedisClient writer(server.port());
  EXPECT_EQ(reader.Do({"XREAD", "BLOCK", "20", "STREAMS", "s", "$"})->type, REDIS_REPLY_NIL);
  reader.Append({"XREAD", "BLOCK", "0", "STREAMS", "s", "0"});
  reader.Append({"PING"});
  std::thread waiting([&] {
    const RedisReply read = reader.Receive();
    ASSERT_TRUE(read);
    EXPECT_EQ(TextOf(ElementOf(ElementOf(ElementOf(ElementOf(*read, 0), 1), 0), 0)), "1-1");
    const RedisReply pong = reader.Receive();
    ASSERT_TRUE(pong);
    EXPECT_EQ(TextOf(*pong), "PONG");
  });
  while (TextOf(*writer.Do({"INFO", "clients"})).find("blocked_clients:1\r\n") == std::string_view::npos) {
  }
  writer.Do({"XADD", "s", "1-1", "f", "v"});
  waiting.join();
}

TEST(HiredisTest, TransactionsPasswordsAndScripts) {
  ServerProcess server;
  RedisClient client(server.port());
  RedisClient other(server.port());
  client.Do({"MULTI"});
  EXPECT_EQ(TextOf(*client.Do({"XADD", "s", "1-1", "f", "v"})), "QUEUED");
  EXPECT_EQ(TextOf(ElementOf(*client.Do({"EXEC"}), 0)), "1-1");
  client.Do({"WATCH", "k"});
  other.Do({"SET", "k", "changed"});
  client.Do({"MULTI"});
  client.Do({"SET", "k", "lost"});
  EXPECT_EQ(client.Do({"EXEC"})->type, REDIS_REPLY_NIL);
  EXPECT_EQ(TextOf(*client.Do({"GET", "k"})), "changed");
  const std::string script = ErrorOf(client, {"EVAL", "return 1", "0"});
  EXPECT_NE(script.find("SECKILL.BUY"), std::string::npos) << script;
  EXPECT_NE(script.find("INCREX"), std::string::npos) << script;
  client.Do({"CONFIG", "SET", "requirepass", "secret"});
  RedisClient stranger(server.port());
  EXPECT_EQ(ErrorOf(stranger, {"GET", "k"}).substr(0, 6), "NOAUTH");
  EXPECT_EQ(ErrorOf(stranger, {"AUTH", "wrong"}).substr(0, 9), "WRONGPASS");
  stranger.Do({"AUTH", "default", "secret"});
  EXPECT_EQ(TextOf(*stranger.Do({"GET", "k"})), "changed");
}

TEST(HiredisTest, AsAUserOfTheAcl) {
  ServerProcess server;
  RedisClient admin(server.port());
  admin.Do({"ACL", "SETUSER", "app", "on", ">secret", "~app:*", "+@stream"});
  RedisClient app(server.port());
  app.Do({"AUTH", "app", "secret"});
  EXPECT_EQ(TextOf(*app.Do({"XADD", "app:s", "1-1", "f", "v"})), "1-1");
  EXPECT_EQ(ErrorOf(app, {"XADD", "other", "*", "f", "v"}).substr(0, 6), "NOPERM");
  EXPECT_EQ(ErrorOf(app, {"FLUSHALL"}).substr(0, 6), "NOPERM");
  EXPECT_EQ(admin.Do({"ACL", "DELUSER", "app"})->integer, 1);
  app.Append({"XLEN", "app:s"});
  EXPECT_EQ(app.Receive(), nullptr) << "a user who is gone is closed";
}

TEST(HiredisTest, Subscribes) {
  ServerProcess server;
  RedisClient publisher(server.port());
  RedisClient listener(server.port());
  EXPECT_EQ(TextOf(ElementOf(*listener.Do({"SUBSCRIBE", "news"}), 0)), "subscribe");
  EXPECT_EQ(TextOf(ElementOf(*listener.Do({"PSUBSCRIBE", "n*"}), 0)), "psubscribe");
  EXPECT_EQ(publisher.Do({"PUBLISH", "news", "hello"})->integer, 2);
  const RedisReply message = listener.Receive();
  ASSERT_TRUE(message);
  EXPECT_EQ(TextOf(ElementOf(*message, 0)), "message");
  EXPECT_EQ(TextOf(ElementOf(*message, 2)), "hello");
  const RedisReply by_pattern = listener.Receive();
  ASSERT_TRUE(by_pattern);
  EXPECT_EQ(TextOf(ElementOf(*by_pattern, 0)), "pmessage");
  EXPECT_EQ(TextOf(ElementOf(*by_pattern, 3)), "hello");
}

TEST(HiredisTest, HearsOfTheEndAndComesBack) {
  ServerProcess server;
  RedisClient admin(server.port());
  RedisClient killed(server.port());
  admin.Do({"XADD", "s", "1-1", "f", "v"});
  const std::string id = std::to_string(killed.Do({"CLIENT", "ID"})->integer);
  EXPECT_EQ(admin.Do({"CLIENT", "KILL", "ID", id})->integer, 1);
  killed.Append({"PING"});
  EXPECT_EQ(killed.Receive(), nullptr);
  server.Kill9();
  admin.Append({"PING"});
  EXPECT_EQ(admin.Receive(), nullptr);
  server.Start();
  EXPECT_EQ(RedisClient(server.port()).Do({"XLEN", "s"})->integer, 1);
}

}  // namespace
}  // namespace sluice::tests
