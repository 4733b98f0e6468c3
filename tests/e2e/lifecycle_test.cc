// The server as a process: how it starts, refuses to, ends, and finds its data again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "tests/harness/program.h"
#include "tests/harness/redis.h"
#include "tests/harness/server_process.h"
#include "tests/harness/server_stage.h"

namespace sluice::tests {
namespace {

using testing::HasSubstr;

TEST(LifecycleTest, SigtermEndsItInGoodOrderAndNothingIsLost) {
  // Even where nothing is synced while it runs.
  ServerProcess server({"--appendfsync", "no"});
  RedisClient client(server.port());
  for (int i = 1; i <= 500; ++i) client.Append({"XADD", "s", std::to_string(i), "n", "v"});
  for (int i = 1; i <= 500; ++i) ASSERT_TRUE(client.Receive());
  EXPECT_EQ(server.Stop(), 0) << server.Log();
  server.Start();
  RedisClient again(server.port());
  EXPECT_EQ(again.Do({"XLEN", "s"})->integer, 500);
  EXPECT_EQ(server.Stop(), 0) << server.Log();
}

TEST(LifecycleTest, SigtermDoesNotWaitForBlockedOrIdleClients) {
  ServerProcess server;
  RedisClient idle(server.port());
  ServerStage stage("127.0.0.1", server.port());
  EXPECT_EQ(stage.Ask("a", {"XREAD", "BLOCK", "0", "STREAMS", "s", "$"}).outcome, Stage::Outcome::kBlocked);
  EXPECT_EQ(server.Stop(), 0) << server.Log();
}

TEST(LifecycleTest, ShutdownEndsIt) {
  for (const std::string how : {"", "NOSAVE", "SAVE", "NOW"}) {
    ServerProcess server;
    RedisClient client(server.port());
    client.Do({"SET", "key", "value"});
    client.Append(how.empty() ? std::vector<std::string>{"SHUTDOWN"} : std::vector<std::string>{"SHUTDOWN", how});
    EXPECT_FALSE(client.Receive()) << "SHUTDOWN " << how << " has no reply";
    EXPECT_EQ(server.Wait(), 0) << server.Log();
    server.Start();
    RedisClient again(server.port());
    EXPECT_EQ(TextOf(*again.Do({"GET", "key"})), "value");
  }
}

TEST(LifecycleTest, AStartBeginsWithTheNewestCheckpoint) {
  ServerProcess server;
  {
    RedisClient client(server.port());
    client.Do({"SET", "key", "old"});
    EXPECT_EQ(TextOf(*client.Do({"SAVE"})), "OK");
    EXPECT_THAT(TextOf(*client.Do({"INFO", "persistence"})), HasSubstr("rdb_saves:1\r\n"));
    EXPECT_THAT(TextOf(*client.Do({"INFO", "persistence"})), HasSubstr("rdb_changes_since_last_save:0\r\n"));
    client.Do({"SET", "key", "new"});
    EXPECT_THAT(TextOf(*client.Do({"INFO", "persistence"})), HasSubstr("rdb_changes_since_last_save:1\r\n"));
  }
  server.Kill9();
  server.Start();
  EXPECT_THAT(server.Log(), HasSubstr("1 events applied behind"));
  EXPECT_EQ(TextOf(*RedisClient(server.port()).Do({"GET", "key"})), "new");
  EXPECT_EQ(server.Stop(), 0) << server.Log();
  server.Start();
  EXPECT_THAT(server.Log(), HasSubstr("; 0 events applied behind"));
  EXPECT_EQ(TextOf(*RedisClient(server.port()).Do({"GET", "key"})), "new");
}

TEST(LifecycleTest, TheStartUpLineTellsVersionPortDataAndRecovery) {
  ServerProcess server;
  RedisClient(server.port()).Do({"SET", "key", "value"});
  server.Kill9();
  server.Start();
  const std::string log = server.Log();
  EXPECT_THAT(log, HasSubstr(std::to_string(server.port())));
  EXPECT_THAT(log, HasSubstr(server.directory()));
  const ProgramResult version = RunProgram({ServerProcess::Binary(), "--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_THAT(version.output, testing::ContainsRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  const ProgramResult help = RunProgram({ServerProcess::Binary(), "--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.output, HasSubstr("--appendfsync"));
}

TEST(LifecycleTest, ASecondServerOnTheSameDataIsRefused) {
  ServerProcess server;
  const ProgramResult second = RunProgram(
      {ServerProcess::Binary(), "--port", std::to_string(FreePort()), "--dir", server.directory()});
  EXPECT_NE(second.status, 0);
  EXPECT_LT(second.status, 128) << "an error, not a crash";
  EXPECT_THAT(second.output, HasSubstr(server.directory()));
  EXPECT_STREQ(RedisClient(server.port()).Do({"PING"})->str, "PONG");
}

TEST(LifecycleTest, ASecondServerOnTheSamePortIsRefused) {
  ServerProcess server;
  const TemporaryDirectory home;
  const ProgramResult second = RunProgram(
      {ServerProcess::Binary(), "--port", std::to_string(server.port()), "--dir", home.path() + "/data"});
  EXPECT_NE(second.status, 0);
  EXPECT_LT(second.status, 128);
  EXPECT_THAT(second.output, HasSubstr(std::to_string(server.port())));
}

TEST(LifecycleTest, TheUnixSocketHasItsModeAndServes) {
  const TemporaryDirectory home;
  const std::string path = home.path() + "/sock";
  ServerProcess server({"--unixsocket", path, "--unixsocketperm", "700"});
  struct stat facts{};
  ASSERT_EQ(::stat(path.c_str(), &facts), 0);
  EXPECT_TRUE(S_ISSOCK(facts.st_mode));
  EXPECT_EQ(facts.st_mode & 0777, 0700u);
  EXPECT_EQ(RunProgram({"redis-cli", "-s", path, "PING"}).output, "PONG\n");
  EXPECT_EQ(server.Stop(), 0);
}

// Each wrong configuration: what it says must name file, line and option, and the server must not run.
struct WrongConfig {
  std::string line;
  std::string says;
};
class WrongConfigTest : public testing::TestWithParam<WrongConfig> {};

TEST_P(WrongConfigTest, IsNamedByFileLineAndOption) {
  const TemporaryDirectory home;
  const std::string path = home.path() + "/sluice.conf";
  std::ofstream(path) << "# the first line\nport " << FreePort() << "\n" << GetParam().line << "\n";
  const ProgramResult result = RunProgram({ServerProcess::Binary(), path, "--dir", home.path() + "/data"});
  EXPECT_NE(result.status, 0);
  EXPECT_LT(result.status, 128);
  EXPECT_THAT(result.output, HasSubstr(path + ":3"));
  EXPECT_THAT(result.output, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(Lines, WrongConfigTest,
                         testing::Values(WrongConfig{"no-such-option yes", "no-such-option"},
                                         WrongConfig{"port seven", "port"}, WrongConfig{"port 65536", "port"},
                                         WrongConfig{"appendfsync sometimes", "appendfsync"},
                                         WrongConfig{"segment-bytes 100", "segment-bytes"},
                                         WrongConfig{"databases", "databases"},
                                         WrongConfig{"maxclients 5 6", "maxclients"},
                                         WrongConfig{"requirepass \"half", "quotes"}));

TEST(ConfigTest, TheShippedFileIsValidAndTheCommandLineOverrulesIt) {
  const TemporaryDirectory home;
  const ProgramResult bad = RunProgram({ServerProcess::Binary(), SLUICE_SOURCE_DIR "/conf/sluice.conf", "--port", "-1"});
  EXPECT_NE(bad.status, 0);
  EXPECT_THAT(bad.output, HasSubstr("port"));
  const ProgramResult unknown = RunProgram({ServerProcess::Binary(), "--no-such-option", "1"});
  EXPECT_NE(unknown.status, 0);
  EXPECT_THAT(unknown.output, HasSubstr("no-such-option"));
  const ProgramResult missing = RunProgram({ServerProcess::Binary(), home.path() + "/missing.conf"});
  EXPECT_NE(missing.status, 0);
  EXPECT_THAT(missing.output, HasSubstr("missing.conf"));
}

}  // namespace
}  // namespace sluice::tests
