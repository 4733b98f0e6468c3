// redis-cli against the built server, in each of its modes that apply.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/harness/program.h"
#include "tests/harness/server_process.h"
#include "tests/harness/socket_client.h"
#include "tests/harness/tls_client.h"

namespace sluice::tests {
namespace {

using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
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

// What a client hears that listens while `talk` is done; `flag`: CLIENT LIST's, of one that listens.
class RedisCliListenerTest : public RedisCliForEverTest {
 protected:
  std::string Heard(const std::vector<std::string>& arguments, const char* flag,
                    const std::function<void()>& talk) {
    std::vector<std::string> lines;
    std::thread listening([&] { lines = LinesFor("2", arguments); });
    const Deadline deadline(kPatience);
    while (Cli({"CLIENT", "LIST"}).find(flag) == std::string::npos && !deadline.over()) {
    }
    talk();
    listening.join();
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
  }
};

TEST_F(RedisCliListenerTest, Monitor) {
  const std::string heard = Heard({"MONITOR"}, "flags=O", [&] {
    Cli({"SET", "key", "two words"});
    Cli({"--no-auth-warning", "-a", "secret", "PING"});
    Cli({"XADD", "s", "1-1", "f", "v"});
  });
  EXPECT_THAT(heard, ContainsRegex(
                         "[0-9]+\\.[0-9]{6} \\[0 127\\.0\\.0\\.1:[0-9]+\\] \"SET\" \"key\" \"two words\"\n"));
  EXPECT_THAT(heard, HasSubstr("\"XADD\" \"s\" \"1-1\" \"f\" \"v\"\n"));
  EXPECT_THAT(heard, Not(HasSubstr("secret")));
}

TEST_F(RedisCliListenerTest, Subscriptions) {
  const auto publish = [&] { EXPECT_EQ(Cli({"PUBLISH", "news", "hello"}), "1\n"); };
  EXPECT_EQ(Heard({"SUBSCRIBE", "news"}, "flags=P", publish), "subscribe\nnews\n1\nmessage\nnews\nhello\n");
  EXPECT_EQ(Heard({"-3", "PSUBSCRIBE", "n*"}, "flags=P", publish),
            "psubscribe\nn*\n1\npmessage\nn*\nnews\nhello\n");
}

TEST_F(RedisCliTest, AsAUserOfTheAcl) {
  Cli({"ACL", "SETUSER", "app", "on", ">secret", "~app:*", "+@stream", "+@keyspace", "+command"});
  const std::vector<std::string> app = {"--no-auth-warning", "--user", "app", "--pass", "secret"};
  const auto as_app = [&](std::vector<std::string> words) {
    words.insert(words.begin(), app.begin(), app.end());
    return Cli(words);
  };
  EXPECT_EQ(as_app({"XADD", "app:s", "1-1", "f", "v"}), "1-1\n");
  EXPECT_THAT(as_app({"-3", "XADD", "other", "*", "f", "v"}), StartsWith("NOPERM"));
  EXPECT_THAT(as_app({"CONFIG", "GET", "*"}), StartsWith("NOPERM"));
  EXPECT_EQ(as_app({"--scan"}), "app:s\n");
  const std::string url = "redis://app:secret@127.0.0.1:" + std::to_string(server_.port());
  EXPECT_EQ(Cli({"--no-auth-warning", "-u", url, "XLEN", "app:s"}), "1\n");
}

TEST_F(RedisCliTest, ModesOverTls) {
  const TemporaryDirectory home;
  const TlsFiles files(home.path(), "ours");
  files.Sign("server");
  const std::string port = std::to_string(FreePort());
  const ServerProcess server({"--tls-port", port, "--tls-cert-file", files.certificate("server"),
                              "--tls-key-file", files.key("server"), "--tls-ca-cert-file", files.authority(),
                              "--tls-auth-clients", "no"});
  const auto run = [&](std::vector<std::string> words, const std::string& input = "") {
    const std::vector<std::string> cli = {"redis-cli", "-p", port, "--tls", "--cacert", files.authority()};
    words.insert(words.begin(), cli.begin(), cli.end());
    return RunProgram(words, input).output;
  };
  std::string wire;
  for (int i = 1; i <= 5000; ++i) wire += EncodeRequest({"XADD", "piped", "*", "n", std::string(100, 'x')});
  EXPECT_THAT(run({"--pipe"}, wire), HasSubstr("errors: 0, replies: 5000"));
  EXPECT_EQ(run({"-3", "XLEN", "piped"}), "5000\n");
  EXPECT_EQ(run({"--scan"}), "piped\n");
  EXPECT_THAT(run({"--bigkeys"}), HasSubstr("Biggest stream found '\"piped\"' has 5000 entries"));
  EXPECT_THAT(run({"--latency", "--raw", "-i", "0.2"}), ContainsRegex("^[0-9]+ [0-9]+ [0-9.]+ [0-9]+\n"));
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
