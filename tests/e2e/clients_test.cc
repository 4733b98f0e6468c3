// The built server and the programs that people use with Redis: redis-cli, redis-benchmark, hiredis.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "tests/harness/program.h"
#include "tests/harness/redis.h"
#include "tests/harness/server_process.h"
#include "tests/harness/socket_client.h"

namespace sluice::tests {
namespace {

using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class RedisCliTest : public testing::Test {
 protected:
  // What redis-cli prints for `arguments`; it must end well.
  std::string Cli(const std::vector<std::string>& arguments, const std::string& input = "",
                  std::chrono::milliseconds limit = kPatience) {
    std::vector<std::string> command = {"redis-cli", "-p", std::to_string(server_.port())};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const ProgramResult result = RunProgram(command, input, limit);
    EXPECT_EQ(result.status, 0) << result.output;
    return result.output;
  }

  ServerProcess server_;
};

TEST_F(RedisCliTest, OneCommandAfterAnother) {
  EXPECT_EQ(Cli({"PING"}), "PONG\n");
  EXPECT_EQ(Cli({"XADD", "tour", "1-1", "greeting", "hello"}), "1-1\n");
  EXPECT_EQ(Cli({"XGROUP", "CREATE", "tour", "workers", "0"}), "OK\n");
  EXPECT_EQ(Cli({"XREADGROUP", "GROUP", "workers", "w1", "STREAMS", "tour", ">"}), "tour\n1-1\ngreeting\nhello\n");
  EXPECT_EQ(Cli({"XACK", "tour", "workers", "1-1"}), "1\n");
  EXPECT_EQ(Cli({"SECKILL.CREATE", "phone", "STOCK", "1"}), "OK\n");
  EXPECT_EQ(Cli({"SECKILL.TRY", "phone", "alice"}), "0\n");
  EXPECT_EQ(Cli({"SECKILL.TRY", "phone", "bob"}), "1\n");
  EXPECT_EQ(Cli({"-n", "3", "SET", "key", "value"}), "OK\n");
  EXPECT_EQ(Cli({"-n", "3", "DBSIZE"}), "1\n");
  EXPECT_EQ(Cli({"--no-raw", "GET", "nobody"}), "(nil)\n");
  EXPECT_THAT(Cli({"NOSUCH"}), StartsWith("ERR unknown command 'NOSUCH'"));
}

TEST_F(RedisCliTest, InResp3) {
  EXPECT_EQ(Cli({"-3", "--no-raw", "XADD", "s", "1-1", "f", "v"}), "\"1-1\"\n");
  EXPECT_EQ(Cli({"-3", "--no-raw", "XREAD", "STREAMS", "s", "0"}),
            "1# \"s\" => \n   1) 1) \"1-1\"\n      2) 1) \"f\"\n         2) \"v\"\n");
  EXPECT_THAT(Cli({"-3", "--no-raw", "HELLO"}), HasSubstr("\"proto\" => (integer) 3"));
}

// Typed into it, as far as a pipe can: every line is a command of one session. It asks COMMAND DOCS first.
TEST_F(RedisCliTest, Interactively) {
  const std::string output = Cli({}, "SET name \"two words\"\nGET name\nSELECT 4\nDBSIZE\nXADD s 5-5 f v\nHELLO 3\nQUIT\n");
  EXPECT_THAT(output, StartsWith("OK\ntwo words\nOK\n0\n5-5\n"));
  EXPECT_THAT(Cli({"COMMAND", "DOCS", "XADD"}), HasSubstr("summary"));
}

TEST_F(RedisCliTest, SeesTheServerAsARedis) {
  EXPECT_THAT(Cli({"INFO", "server"}), HasSubstr("redis_version:7.4.0\r\n"));
  EXPECT_THAT(Cli({"INFO"}), HasSubstr("tcp_port:" + std::to_string(server_.port())));
  EXPECT_THAT(Cli({"CONFIG", "GET", "port"}), EndsWith(std::to_string(server_.port()) + "\n"));
  EXPECT_THAT(Cli({"CLIENT", "LIST"}), HasSubstr("cmd=client|list"));
}

// --pipe: everything at once, then an ECHO to know that all of it was answered. 100,000 messages, and by hand a million:
// SLUICE_PIPE_MESSAGES=1000000.
TEST_F(RedisCliTest, PipeMode) {
  const char* wanted = std::getenv("SLUICE_PIPE_MESSAGES");
  const int messages = wanted != nullptr ? std::atoi(wanted) : 100'000;
  std::string wire;
  for (int i = 1; i <= messages; ++i) {
    wire += EncodeRequest({"XADD", "piped", "*", "n", std::to_string(i), "pad", std::string(40, 'x')});
  }
  const std::string output = Cli({"--pipe"}, wire, std::chrono::minutes(2));
  EXPECT_THAT(output, HasSubstr("errors: 0, replies: " + std::to_string(messages)));
  EXPECT_EQ(Cli({"XLEN", "piped"}), std::to_string(messages) + "\n");
  EXPECT_THAT(Cli({"XREVRANGE", "piped", "+", "-", "COUNT", "1"}), HasSubstr("\n" + std::to_string(messages) + "\n"));
  server_.Kill9();
  server_.Start();
  EXPECT_EQ(Cli({"XLEN", "piped"}), std::to_string(messages) + "\n");
}

TEST(RedisBenchmarkTest, RunsItsTestsAndXadd) {
  ServerProcess server;
  const std::string port = std::to_string(server.port());
  const ProgramResult tests = RunProgram({"redis-benchmark", "-p", port, "-t", "ping,set,get,incr", "-n", "5000", "-q"});
  EXPECT_EQ(tests.status, 0);
  for (const char* name : {"PING_INLINE", "PING_MBULK", "SET", "GET", "INCR"}) {
    EXPECT_THAT(tests.output, ContainsRegex(std::string(name) + ": [0-9.]+ requests per second"));
  }
  EXPECT_THAT(tests.output, Not(HasSubstr("rror")));
  EXPECT_THAT(tests.output, Not(HasSubstr("WARN")));
  const ProgramResult xadd =
      RunProgram({"redis-benchmark", "-p", port, "-n", "20000", "-P", "16", "-q", "XADD", "s", "*", "f", "v"});
  EXPECT_EQ(xadd.status, 0);
  EXPECT_THAT(xadd.output, ContainsRegex("XADD s \\* f v: [0-9.]+ requests per second"));
  RedisClient client(server.port());
  EXPECT_EQ(client.Do({"XLEN", "s"})->integer, 20'000);
  EXPECT_EQ(TextOf(*client.Do({"GET", "counter:__rand_int__"})), "5000");
}

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
    const RedisReply batch = client.Do({"XREADGROUP", "GROUP", "g", "c", "COUNT", "100", "STREAMS", "s", ">"});
    const redisReply& entries = ElementOf(ElementOf(*batch, 0), 1);
    ASSERT_EQ(entries.elements, 100u);
    std::vector<std::string> ack = {"XACK", "s", "g"};
    for (size_t e = 0; e < entries.elements; ++e) ack.emplace_back(TextOf(ElementOf(ElementOf(entries, e), 0)));
    EXPECT_EQ(client.Do(ack)->integer, 100);
  }
  EXPECT_EQ(ElementOf(*client.Do({"XPENDING", "s", "g"}), 0).integer, 0);
  client.Do({"SECKILL.CREATE", "item", "STOCK", "1"});
  EXPECT_EQ(ElementOf(*client.Do({"SECKILL.BUY", "item", "u"}), 0).integer, 0);
  EXPECT_EQ(ElementOf(*client.Do({"SECKILL.BUY", "item", "v"}), 0).integer, 1);
}

}  // namespace
}  // namespace sluice::tests
