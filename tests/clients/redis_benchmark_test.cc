// redis-benchmark against the built server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/harness/program.h"
#include "tests/harness/redis.h"
#include "tests/harness/server_process.h"

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

}  // namespace
}  // namespace sluice::tests
