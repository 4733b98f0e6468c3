// redis-benchmark against the built server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/harness/program.h"
#include "tests/harness/redis.h"
#include "tests/harness/server_process.h"
#include "tests/harness/tls_client.h"

namespace sluice::tests {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TEST(RedisBenchmarkTest, RunsItsTestsAndXadd) {
  ServerProcess server;
  const std::string port = std::to_string(server.port());
  const ProgramResult tests =
      RunProgram({"redis-benchmark", "-p", port, "-t", "ping,set,get,incr", "-n", "5000", "-q"});
  EXPECT_EQ(tests.status, 0);
  for (const char* name : {"PING_INLINE", "PING_MBULK", "SET", "GET", "INCR"}) {
    EXPECT_THAT(tests.output, ContainsRegex(std::string(name) + ": [0-9.]+ requests per second"));
  }
  EXPECT_THAT(tests.output, Not(HasSubstr("rror")));
  EXPECT_THAT(tests.output, Not(HasSubstr("WARN")));
  const ProgramResult xadd = RunProgram(
      {"redis-benchmark", "-p", port, "-n", "20000", "-P", "16", "-q", "XADD", "s", "*", "f", "v"});
  EXPECT_EQ(xadd.status, 0);
  EXPECT_THAT(xadd.output, ContainsRegex("XADD s \\* f v: [0-9.]+ requests per second"));
  RedisClient client(server.port());
  EXPECT_EQ(client.Do({"XLEN", "s"})->integer, 20'000);
  EXPECT_EQ(TextOf(*client.Do({"GET", "counter:__rand_int__"})), "5000");
}

TEST(RedisBenchmarkTest, AsAUserInResp3AndOverTls) {
  const TemporaryDirectory home;
  const TlsFiles files(home.path(), "ours");
  files.Sign("server");
  const std::string tls_port = std::to_string(FreePort());
  ServerProcess server({"--tls-port", tls_port, "--tls-cert-file", files.certificate("server"),
                        "--tls-key-file", files.key("server"), "--tls-ca-cert-file", files.authority(),
                        "--tls-auth-clients", "no"});
  RedisClient client(server.port());
  client.Do({"ACL", "SETUSER", "bench", "on", ">secret", "~s*", "+xadd", "+config|get"});
  const std::vector<std::string> load = {"-n", "3200", "-P", "16", "-q", "XADD", "s", "*", "f", "v"};
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.end(), load.begin(), load.end());
    const ProgramResult result = RunProgram(words);
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(result.output, ContainsRegex("XADD s \\* f v: [0-9.]+ requests per second"));
    EXPECT_THAT(result.output, Not(HasSubstr("rror")));
  };
  run({"redis-benchmark", "-p", std::to_string(server.port()), "--user", "bench", "-a", "secret", "-3"});
  run({"redis-benchmark", "-p", tls_port, "--tls", "--cacert", files.authority()});
  EXPECT_EQ(client.Do({"XLEN", "s"})->integer, 6400);
}

}  // namespace
}  // namespace sluice::tests
