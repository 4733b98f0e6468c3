// redis-cli against the built server, in each of its modes that apply.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/harness/program.h"
#include "tests/harness/server_process.h"
#include "tests/harness/socket_client.h"

namespace sluice::tests {
namespace {

using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;
using testing::UnorderedElementsAre;
using testing::UnorderedElementsAreArray;

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
  EXPECT_EQ(Cli({"XREADGROUP", "GROUP", "workers", "w1", "STREAMS", "tour", ">"}),
            "tour\n1-1\ngreeting\nhello\n");
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
  const std::string output =
      Cli({}, "SET name \"two words\"\nGET name\nSELECT 4\nDBSIZE\nXADD s 5-5 f v\nHELLO 3\nQUIT\n");
  EXPECT_THAT(output, StartsWith("OK\ntwo words\nOK\n0\n5-5\n"));
  EXPECT_THAT(Cli({"COMMAND", "DOCS", "XADD"}), HasSubstr("summary"));
}

TEST_F(RedisCliTest, SeesTheServerAsARedis) {
  EXPECT_THAT(Cli({"INFO", "server"}), HasSubstr("redis_version:7.4.0\r\n"));
  EXPECT_THAT(Cli({"INFO"}), HasSubstr("tcp_port:" + std::to_string(server_.port())));
  EXPECT_THAT(Cli({"CONFIG", "GET", "port"}), EndsWith(std::to_string(server_.port()) + "\n"));
  EXPECT_THAT(Cli({"CLIENT", "LIST"}), HasSubstr("cmd=client|list"));
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST_F(RedisCliTest, Scan) {
  std::vector<std::string> all;
  for (int i = 0; i < 30; ++i) {
    all.push_back("key:" + std::to_string(i));
    Cli({"SET", all.back(), "v"});
  }
  EXPECT_THAT(LinesOf(Cli({"--scan"})), UnorderedElementsAreArray(all));
  EXPECT_THAT(LinesOf(Cli({"--scan", "--pattern", "key:[12]"})), UnorderedElementsAre("key:1", "key:2"));
  Cli({"--quoted-input", "SET", "\"a\\x00b\"", "v"});
  EXPECT_EQ(Cli({"--no-raw", "--scan", "--pattern", "a*"}), "\"a\\x00b\"\n");
}

TEST_F(RedisCliTest, BigKeys) {
  Cli({"SET", "short", "12"});
  Cli({"SET", "long", "1234567"});
  for (const char* id : {"1-1", "2-1", "3-1"}) Cli({"XADD", "stream", id, "f", "v"});
  Cli({"SECKILL.CREATE", "item", "STOCK", "1"});
  const std::string output = Cli({"--bigkeys"});
  EXPECT_THAT(output, HasSubstr("Sampled 4 keys in the keyspace!"));
  EXPECT_THAT(output, HasSubstr("Biggest string found '\"long\"' has 7 bytes"));
  EXPECT_THAT(output, HasSubstr("Biggest stream found '\"stream\"' has 3 entries"));
  EXPECT_THAT(output, HasSubstr("1 seckills with 0 ?"));
}

// These go on until they are stopped. They write into a pipe here: line by line, or their last lines would
// stay in them.
class RedisCliForEverTest : public RedisCliTest {
 protected:
  std::vector<std::string> LinesFor(const char* seconds, const std::vector<std::string>& arguments) {
    std::vector<std::string> command = {
        "timeout", seconds, "stdbuf", "--output=L", "redis-cli", "-p", std::to_string(server_.port())};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return LinesOf(RunProgram(command).output);
  }
};

TEST_F(RedisCliForEverTest, Stat) {
  Cli({"SET", "k", "v"});
  const std::vector<std::string> lines = LinesFor("1", {"--stat", "-i", "0.1"});
  ASSERT_GE(lines.size(), 4u);
  EXPECT_THAT(lines[0], HasSubstr("------- data ------"));
  EXPECT_THAT(lines[1], ContainsRegex("keys +mem +clients +blocked +requests +connections"));
  EXPECT_THAT(lines[2], ContainsRegex("^1 +[0-9.]+[BKMG] +1 +0 +[0-9]+ \\(\\+0\\) +[0-9]+"));
  EXPECT_THAT(lines[3], ContainsRegex("^1 +[0-9.]+[BKMG] +1 +0 +[0-9]+ \\(\\+1\\) +[0-9]+"));
}

TEST_F(RedisCliForEverTest, LatencyHistory) {
  const std::vector<std::string> lines = LinesFor("1", {"--latency-history", "--csv", "-i", "0.2"});
  ASSERT_GE(lines.size(), 2u);
  EXPECT_THAT(lines[0], ContainsRegex("^[0-9]+,[0-9]+,[0-9.]+,[0-9]+$"));
}

TEST_F(RedisCliTest, Latency) {
  EXPECT_THAT(Cli({"--latency", "--raw", "-i", "0.2"}), ContainsRegex("^[0-9]+ [0-9]+ [0-9.]+ [0-9]+\n"));
}

TEST_F(RedisCliTest, InputAndOutputInItsFormats) {
  EXPECT_EQ(Cli({"-x", "SET", "k"}, "from stdin"), "OK\n");
  EXPECT_EQ(Cli({"-X", "here", "SET", "l", "here"}, "tagged"), "OK\n");
  EXPECT_EQ(Cli({"--csv", "MGET", "k", "l", "none"}), "\"from stdin\",\"tagged\",NULL\n");
  Cli({"XADD", "s", "1-1", "f", "v"});
  EXPECT_EQ(Cli({"-3", "--json", "XREAD", "STREAMS", "s", "0"}), "{\"s\":[[\"1-1\",[\"f\",\"v\"]]]}\n");
  EXPECT_EQ(Cli({"-r", "3", "-i", "0.01", "INCR", "n"}), "1\n2\n3\n");
  EXPECT_EQ(Cli({"-u", "redis://127.0.0.1:" + std::to_string(server_.port()) + "/2", "DBSIZE"}), "0\n");
}

// -e: an error reply is an exit status.
TEST_F(RedisCliTest, ScriptsAreRefused) {
  const std::string port = std::to_string(server_.port());
  const ProgramResult refused = RunProgram({"redis-cli", "-p", port, "-e", "EVAL", "return 1", "0"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.output, HasSubstr("SECKILL.BUY"));
  EXPECT_THAT(refused.output, HasSubstr("INCREX"));
  const TemporaryDirectory home;
  const std::string script = home.path() + "/script.lua";
  std::ofstream(script) << "return 1\n";
  EXPECT_THAT(Cli({"--eval", script}), HasSubstr("SECKILL.BUY"));
}

TEST_F(RedisCliTest, Passwords) {
  Cli({"CONFIG", "SET", "requirepass", "secret"});
  EXPECT_THAT(Cli({"PING"}), StartsWith("NOAUTH"));
  EXPECT_EQ(Cli({"--no-auth-warning", "-a", "secret", "PING"}), "PONG\n");
  EXPECT_EQ(Cli({"--no-auth-warning", "--user", "default", "-a", "secret", "-3", "PING"}), "PONG\n");
  EXPECT_THAT(Cli({"--no-auth-warning", "-a", "wrong", "PING"}), HasSubstr("WRONGPASS"));
}

// --pipe: everything at once, then an ECHO to know that all of it was answered. 100,000 messages, and by hand
// a million: SLUICE_PIPE_MESSAGES=1000000.
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
  EXPECT_THAT(Cli({"XREVRANGE", "piped", "+", "-", "COUNT", "1"}),
              HasSubstr("\n" + std::to_string(messages) + "\n"));
  server_.Kill9();
  server_.Start();
  EXPECT_EQ(Cli({"XLEN", "piped"}), std::to_string(messages) + "\n");
}

}  // namespace
}  // namespace sluice::tests
