// A disk that refuses to write or sync under a real server: it ends with a status of its own, has
// acknowledged nothing that it could not write, and finds everything else again. The kernel's answers are
// forged by strace.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "server/net/exit_code.h"
#include "tests/harness/redis.h"
#include "tests/harness/server_process.h"

namespace sluice::tests {
namespace {

// While it lives, servers are started under strace, which gives `error` for every call of `syscall` from the
// `from`-th on.
class ForgedErrors {
 public:
  ForgedErrors(const std::string& syscall, const std::string& error, int from) {
    const std::string script = home_.path() + "/server";
    std::ofstream(script) << "#!/bin/sh\nexec strace -f -qq -o " << home_.path()
                          << "/trace -e trace=" << syscall << " -e inject=" << syscall << ":error=" << error
                          << ":when=" << from << "+ '" << ServerProcess::Binary() << "' \"$@\"\n";
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    if (const char* set = std::getenv("SLUICE_SERVER")) before_ = set;
    ::setenv("SLUICE_SERVER", script.c_str(), 1);
  }
  ~ForgedErrors() { Stop(); }
  // The next server is started as it is.
  void Stop() {
    if (before_.empty()) {
      ::unsetenv("SLUICE_SERVER");
    } else {
      ::setenv("SLUICE_SERVER", before_.c_str(), 1);
    }
  }

 private:
  TemporaryDirectory home_;
  std::string before_;
};

struct Way {
  std::string name;
  std::string syscall;
  int from;
  std::vector<std::string> options;
};
void PrintTo(const Way& way, std::ostream* out) {
  *out << way.name;
}

class DeviceErrorTest : public testing::TestWithParam<Way> {};

TEST_P(DeviceErrorTest, EndsTheServerAndNothingIsAcknowledgedAfterIt) {
  ForgedErrors forged(GetParam().syscall, "EIO", GetParam().from);
  ServerProcess server(GetParam().options);
  int64_t acknowledged = 0;
  {
    RedisClient client(server.port());
    const Deadline deadline(kPatience);
    while (!deadline.over()) {
      client.Append({"XADD", "s", "*", "n", std::to_string(acknowledged)});
      const RedisReply reply = client.Receive();
      if (!reply) break;
      ASSERT_EQ(reply->type, REDIS_REPLY_STRING) << reply->str;
      ++acknowledged;
    }
    ASSERT_FALSE(deadline.over()) << "the server does not mind";
  }
  EXPECT_EQ(server.Wait(), net::kExitLogFailure) << server.Log();
  EXPECT_THAT(server.Log(), testing::HasSubstr("Input/output error"));
  EXPECT_GT(acknowledged, 0);

  forged.Stop();
  server.Start();
  RedisClient client(server.port());
  const int64_t found = client.Do({"XLEN", "s"})->integer;
  EXPECT_GE(found, acknowledged);
  EXPECT_LE(found, acknowledged + 1) << "one more was asked for, and never answered";
}

INSTANTIATE_TEST_SUITE_P(
    Commits, DeviceErrorTest,
    testing::Values(Way{"WriteInTheLoop", "pwritev2", 40, {"--commit-path", "inline"}},
                    Way{"WriteOfTheThread", "pwritev2", 40, {"--commit-path", "thread", "--direct-io", "no"}},
                    Way{"BackgroundSync",
                        "fdatasync",
                        6,
                        {"--commit-path", "thread", "--direct-io", "no", "--appendfsync", "everysec"}}),
    [](const auto& suite) { return suite.param.name; });

}  // namespace
}  // namespace sluice::tests
