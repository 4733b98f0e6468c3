// Users of the built server: from its configuration, from a file, and back into it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/harness/program.h"
#include "tests/harness/server_process.h"
#include "tests/harness/socket_client.h"

namespace sluice::tests {
namespace {

using testing::HasSubstr;
using testing::Not;
using Words = std::vector<std::string>;

constexpr char kHashOfP[] = "148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940";

std::string TextOfFile(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class AclFileTest : public testing::Test {
 protected:
  void WriteFile(const std::string& text) { std::ofstream(path_) << text; }
  std::string Ask(SocketClient& client, const Words& words) {
    client.Send(words);
    return client.Receive(static_cast<int>(std::chrono::milliseconds(kPatience).count())).reply.text;
  }
  // The server must not start; what it says.
  std::string StartFails(Words options) {
    options.insert(options.begin(), {ServerProcess::Binary(), "--dir", home_.path() + "/data", "--port",
                                     std::to_string(FreePort())});
    const ProgramResult result = RunProgram(options);
    EXPECT_EQ(result.status, 1);
    return result.output;
  }

  TemporaryDirectory home_;
  std::string path_ = home_.path() + "/users.acl";
};

TEST_F(AclFileTest, IsReadWrittenAndReadAgain) {
  WriteFile(std::string("user default on nopass ~* &* +@all\n\nuser a on #") + kHashOfP + " ~k* +get +set\n");
  ServerProcess server({"--aclfile", path_});
  SocketClient admin;
  SocketClient client;
  ASSERT_TRUE(admin.Connect(server.port()));
  ASSERT_TRUE(client.Connect(server.port()));
  EXPECT_EQ(Ask(client, {"AUTH", "a", "p"}), "OK");
  EXPECT_EQ(Ask(client, {"SET", "k", "v"}), "OK");
  EXPECT_EQ(Ask(admin, {"ACL", "SETUSER", "b", "on", ">q", "+ping"}), "OK");
  EXPECT_EQ(Ask(admin, {"ACL", "SAVE"}), "OK");
  const std::string saved = TextOfFile(path_);
  EXPECT_THAT(saved,
              HasSubstr(std::string("user a on #") + kHashOfP + " ~k* resetchannels -@all +get +set\n"));
  EXPECT_THAT(saved, HasSubstr("user b on #"));
  EXPECT_THAT(saved, Not(HasSubstr(">q")));
  struct stat facts {};
  ASSERT_EQ(::stat(path_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);

  // A file with a mistake changes nothing; a good one acts on who is connected.
  WriteFile("user a on +nosuch\n");
  EXPECT_THAT(Ask(admin, {"ACL", "LOAD"}), HasSubstr(path_ + ":1"));
  EXPECT_EQ(Ask(client, {"GET", "k"}), "v");
  WriteFile(std::string("user default on nopass ~* &* +@all\nuser a on #") + kHashOfP + " ~other +get\n");
  EXPECT_EQ(Ask(admin, {"ACL", "LOAD"}), "OK");
  EXPECT_THAT(Ask(client, {"GET", "k"}), HasSubstr("NOPERM"));
  WriteFile("user default on nopass ~* &* +@all\n");
  EXPECT_EQ(Ask(admin, {"ACL", "LOAD"}), "OK");
  EXPECT_EQ(client.Receive(10'000).outcome, Stage::Outcome::kClosed);
  EXPECT_EQ(Ask(admin, {"PING"}), "PONG");

  // It is there again after a restart; and a file that cannot be had is no reason to forget anybody.
  EXPECT_EQ(Ask(admin, {"ACL", "SETUSER", "c", "on", ">r", "+ping"}), "OK");
  EXPECT_EQ(Ask(admin, {"ACL", "SAVE"}), "OK");
  EXPECT_EQ(server.Stop(), 0);
  server.Start();
  SocketClient again;
  ASSERT_TRUE(again.Connect(server.port()));
  EXPECT_EQ(Ask(again, {"AUTH", "c", "r"}), "OK");
  ASSERT_TRUE(admin.Connect(server.port()));
  ASSERT_EQ(std::remove(path_.c_str()), 0);
  EXPECT_THAT(Ask(admin, {"ACL", "LOAD"}), HasSubstr("cannot open " + path_));
  EXPECT_EQ(Ask(again, {"PING"}), "PONG");
}

TEST_F(AclFileTest, ABadStartIsRefused) {
  WriteFile("user a on >secret-password +nosuch\nuser a on\nuser b <secret-password\n");
  const std::string said = StartFails({"--aclfile", path_});
  EXPECT_THAT(said, HasSubstr(path_ + ":1"));
  EXPECT_THAT(said, HasSubstr("'+nosuch'"));
  EXPECT_THAT(said, HasSubstr(path_ + ":2: Duplicate user 'a' found"));
  EXPECT_THAT(said, HasSubstr(path_ + ":3"));
  EXPECT_THAT(said, Not(HasSubstr("secret-password")));
  EXPECT_THAT(StartFails({"--aclfile", home_.path() + "/nosuch"}), HasSubstr("cannot open"));
  EXPECT_THAT(StartFails({"--aclfile", home_.path()}), HasSubstr("cannot read"));
  EXPECT_THAT(StartFails({"--user", "a", "on", "--aclfile", path_}),
              HasSubstr("keep all users in one place"));
  EXPECT_THAT(StartFails({"--user", "a", "+nosuch"}),
              HasSubstr("user a: Error in applying operation '+nosuch'"));
  EXPECT_THAT(StartFails({"--user", "a", "on", "--user", "a", "off"}), HasSubstr("only once"));
}

TEST_F(AclFileTest, NothingToLoadWithoutAFile) {
  ServerProcess server;
  SocketClient client;
  ASSERT_TRUE(client.Connect(server.port()));
  EXPECT_THAT(Ask(client, {"ACL", "LOAD"}), HasSubstr("not configured to use an ACL file"));
  EXPECT_THAT(Ask(client, {"ACL", "SAVE"}), HasSubstr("not configured to use an ACL file"));
  const std::string one = Ask(client, {"ACL", "GENPASS"});
  EXPECT_EQ(one.size(), 64u);
  EXPECT_NE(one, Ask(client, {"ACL", "GENPASS"}));
  EXPECT_EQ(Ask(client, {"ACL", "GENPASS", "5"}).size(), 2u);
}

// 10,000 stars in a pattern, and a key that almost matches.
TEST_F(AclFileTest, HostilePatternsEndSoon) {
  ServerProcess server;
  SocketClient client;
  SocketClient other;
  ASSERT_TRUE(client.Connect(server.port()));
  ASSERT_TRUE(other.Connect(server.port()));
  std::string pattern;
  for (int i = 0; i < 2000; ++i) pattern += "*a";
  EXPECT_EQ(Ask(client, {"ACL", "SETUSER", "u", "on", "nopass", "+@all", "~" + pattern}), "OK");
  EXPECT_EQ(Ask(other, {"AUTH", "u", "x"}), "OK");
  EXPECT_THAT(Ask(other, {"GET", std::string(100'000, 'a') + "b"}), HasSubstr("NOPERM"));
  std::string selectors(100'000, '(');
  EXPECT_THAT(Ask(client, {"ACL", "SETUSER", "u", selectors}), HasSubstr("Unmatched parenthesis"));
  EXPECT_THAT(Ask(client, {"ACL", "SETUSER", "u", selectors + ")"}), HasSubstr("Syntax error"));
  EXPECT_THAT(Ask(client, {"ACL", "DRYRUN", "u", std::string(100'000, '(')}), HasSubstr("not found"));
  EXPECT_EQ(Ask(client, {"PING"}), "PONG");
}

}  // namespace
}  // namespace sluice::tests
