// The server behind a unix socket, its log in memory: what connections do with bytes.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>

#include "server/net/exit_code.h"
#include "tests/unit/net_fixture.h"

namespace sluice::net {
namespace {

TEST_F(ServerTest, AnswersAPipelineInOrderWhateverTheShareOfATick) {
  Start("max-requests-per-tick 3");
  Client client(SocketPath());
  std::string requests;
  std::string replies;
  for (int i = 1; i <= 1000; ++i) {
    requests += Request({"INCR", "n"}) + Request({"ECHO", std::to_string(i)});
    replies += ":" + std::to_string(i) + "\r\n" + Bulk(std::to_string(i));
  }
  ASSERT_TRUE(client.Send(requests));
  EXPECT_EQ(client.Read(replies.size()), replies);
}

TEST_F(ServerTest, TakesRequestsInPiecesOfAnySize) {
  Start();
  const std::string request = Request({"ECHO", "half\r\nand half"}) + "PING\r\n";
  const std::string reply = Bulk("half\r\nand half") + "+PONG\r\n";
  for (const size_t piece : std::array<size_t, 4>{1, 2, 7, 19}) {
    Client client(SocketPath());
    for (size_t at = 0; at < request.size(); at += piece) {
      ASSERT_TRUE(client.Send(std::string_view(request).substr(at, piece)));
      // A round trip of somebody else: the server has seen this piece alone.
      Client(SocketPath()).Expect({"PING"}, "+PONG\r\n");
    }
    EXPECT_EQ(client.Read(reply.size()), reply);
  }
}

TEST_F(ServerTest, TakesLargeRequestsBetweenSmallOnes) {
  Start();
  Client client(SocketPath());
  std::string large(5000000, 'x');
  for (size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>('a' + i % 23);
  std::thread sender([&] {
    client.Send(Request({"PING"}) + Request({"SET", "k", large}) + Request({"GET", "k"}));
  });
  const std::string reply = "+PONG\r\n+OK\r\n" + Bulk(large);
  EXPECT_TRUE(client.Read(reply.size()) == reply);
  sender.join();
}

TEST_F(ServerTest, AnswersAProtocolErrorAndCloses) {
  Start();
  Client client(SocketPath());
  ASSERT_TRUE(client.Send("PING\r\n*1\r\n$2147483648\r\nPING\r\n"));
  EXPECT_EQ(client.ReadAll(), "+PONG\r\n-ERR Protocol error: invalid bulk length\r\n");
}

TEST_F(ServerTest, ClosesWhoSpeaksHttpWithoutAWord) {
  Start();
  for (const char* first : {"POST / HTTP/1.1\r\n", "post / HTTP/1.1\r\n", "Host: example.com\r\n"}) {
    Client client(SocketPath());
    ASSERT_TRUE(client.Send(first));
    EXPECT_EQ(client.ReadAll(), "");
  }
}

TEST_F(ServerTest, AnswersWhatCameBeforeTheClientEndedSending) {
  Start("max-requests-per-tick 10");
  Client client(SocketPath());
  ASSERT_TRUE(client.Send(Times(1000, "INCR n\r\n") + "GET n\r\nhalf a req"));
  client.EndSending();
  const std::string replies = client.ReadAll();
  EXPECT_EQ(replies.substr(replies.size() - 17), ":1000\r\n$4\r\n1000\r\n");
}

TEST_F(ServerTest, RefusesOneClientTooMany) {
  Start("maxclients 2");
  Client first(SocketPath());
  Client second(SocketPath());
  second.Expect({"PING"}, "+PONG\r\n");
  EXPECT_EQ(Client(SocketPath()).ReadAll(), "-ERR max number of clients reached\r\n");
  second.Close();
  // It sees the end of the second before this, which came later.
  first.Expect({"PING"}, "+PONG\r\n");
  Client third(SocketPath());
  third.Expect({"PING"}, "+PONG\r\n");
}

TEST_F(ServerTest, BoundsWhatAClientWithoutAPasswordCanPileUp) {
  Start("requirepass secret");
  Client client(SocketPath());
  const std::string request = Request({"GET", "k"});
  std::string requests = Times(1000, request);
  size_t sent = 0;
  while (sent < 1000000 && client.Send(requests)) sent += 1000;
  EXPECT_LT(sent, 1000000u);
  // Others are served, and the password opens the door.
  Client other(SocketPath());
  other.Expect({"AUTH", "secret"}, "+OK\r\n");
  other.Expect({"SET", "k", std::string(20000, 'x')}, "+OK\r\n");
}

TEST_F(ServerTest, HoldsTheStricterLimitsOnlyUntilAuth) {
  Start("requirepass secret");
  Client client(SocketPath());
  ASSERT_TRUE(client.Send(Request({"AUTH", "secret"}) + Request({"SET", "k", std::string(20000, 'x')})));
  EXPECT_EQ(client.Read(10), "+OK\r\n+OK\r\n");
  Client stranger(SocketPath());
  ASSERT_TRUE(stranger.Send("*2\r\n$3\r\nGET\r\n$20000\r\n"));
  EXPECT_EQ(stranger.ReadAll(), "-ERR Protocol error: unauthenticated bulk length\r\n");
}

TEST_F(ServerTest, ClosesWhoSendsEndlessHalvesOfARequest) {
  Start("client-query-buffer-limit 1mb");
  Client client(SocketPath());
  ASSERT_TRUE(client.Send("*2\r\n$3\r\nGET\r\n$60000000\r\n"));
  const std::string megabyte(1 << 20, 'x');
  int sent = 0;
  while (sent < 60 && client.Send(megabyte)) ++sent;
  EXPECT_LT(sent, 10);
}

TEST_F(ServerTest, ClosesWhoLeavesItsRepliesUnread) {
  Start("client-output-buffer-limit normal 4mb 0 0");
  Client client(SocketPath());
  client.Expect({"SET", "k", std::string(1000000, 'x')}, "+OK\r\n");
  ASSERT_TRUE(client.Send(Times(100, Request({"GET", "k"}))));
  EXPECT_LT(client.ReadAll().size(), 20000000u);
  Client other(SocketPath());
  other.Expect({"PING"}, "+PONG\r\n");
}

// Far more replies than socket buffers hold: they wait here until the client reads, and none is lost.
TEST_F(ServerTest, KeepsTheRepliesOfWhoReadsLate) {
  Start();
  Client client(SocketPath());
  const std::string value(10000, 'x');
  client.Expect({"SET", "k", value}, "+OK\r\n");
  const size_t requests = 10000;  // 100 MB of replies: past where executing pauses
  ASSERT_TRUE(client.Send(Times(requests, "GET k\r\n")));
  Client other(SocketPath());
  other.Expect({"PING"}, "+PONG\r\n");
  EXPECT_EQ(client.Read(requests * Bulk(value).size()).size(), requests * Bulk(value).size());
  client.Expect({"PING"}, "+PONG\r\n");
}

TEST_F(ServerTest, RequestsBehindABlockedCallWait) {
  Start();
  Client reader(SocketPath());
  Client writer(SocketPath());
  ASSERT_TRUE(reader.Send("XREAD BLOCK 0 STREAMS s 0\r\nINCR n\r\n"));
  writer.Expect({"XADD", "s", "1-1", "f", "v"}, "$3\r\n1-1\r\n");
  const std::string reply =
      "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n:1\r\n";
  EXPECT_EQ(reader.Read(reply.size()), reply);
}

// More than it reads ahead of a blocked call: the rest waits in the socket, and nothing is lost.
TEST_F(ServerTest, ABlockedClientMaySendAhead) {
  Start();
  Client reader(SocketPath());
  Client writer(SocketPath());
  const size_t ahead = 50000;
  std::thread sender([&] { reader.Send("XREAD BLOCK 0 STREAMS s $\r\n" + Times(ahead, "PING\r\n")); });
  WaitForBlocked(writer, 1);
  writer.Expect({"XADD", "s", "1-1", "f", "v"}, "$3\r\n1-1\r\n");
  const std::string reply = "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n" +
                            Times(ahead, "+PONG\r\n");
  EXPECT_TRUE(reader.Read(reply.size()) == reply);
  sender.join();
}

TEST_F(ServerTest, ABlockedClientThatLeavesOrIsKilledIsNotServed) {
  Start();
  Client writer(SocketPath());
  writer.Expect({"XGROUP", "CREATE", "s", "g", "0", "MKSTREAM"}, "+OK\r\n");
  Client killed(SocketPath());
  ASSERT_TRUE(killed.Send("CLIENT SETNAME k\r\nXREADGROUP GROUP g a BLOCK 0 STREAMS s >\r\n"));
  EXPECT_EQ(killed.Read(5), "+OK\r\n");
  Client gone(SocketPath());
  ASSERT_TRUE(gone.Send("CLIENT SETNAME k\r\nXREADGROUP GROUP g b BLOCK 0 STREAMS s >\r\n"));
  EXPECT_EQ(gone.Read(5), "+OK\r\n");
  gone.Close();
  WaitForBlocked(writer, 1);
  writer.Expect({"CLIENT", "KILL", "TYPE", "normal"}, ":1\r\n");
  EXPECT_EQ(killed.ReadAll(), "");
  writer.Expect({"XADD", "s", "1-1", "f", "v"}, "$3\r\n1-1\r\n");
  writer.Expect({"XPENDING", "s", "g"}, "*4\r\n:0\r\n");
}

TEST_F(ServerTest, TheSocketHasItsMode) {
  Start("unixsocketperm 750");
  struct stat found {};
  ASSERT_EQ(stat(SocketPath().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777u, 0750u);
}

TEST_F(ServerTest, ConfigSetReachesConnectionsThatAreThere) {
  Start();
  Client client(SocketPath());
  client.Expect({"CONFIG", "SET", "proto-max-bulk-len", "1mb", "timeout", "60"}, "+OK\r\n");
  client.Expect({"CONFIG", "GET", "proto-max-*", "TIMEOUT"},
                "*4\r\n" + Bulk("timeout") + Bulk("60") + Bulk("proto-max-bulk-len") + Bulk("1048576"));
  client.Expect(
      {"CONFIG", "SET", "timeout", "5", "port", "1"},
      "-ERR CONFIG SET failed (possibly related to argument 'port') - can't set immutable config\r\n");
  client.Expect({"CONFIG", "GET", "timeout"}, "*2\r\n" + Bulk("timeout") + Bulk("60"));
  ASSERT_TRUE(client.Send("*2\r\n$3\r\nGET\r\n$1048577\r\n"));
  EXPECT_EQ(client.ReadAll(), "-ERR Protocol error: invalid bulk length\r\n");
}

TEST_F(ServerTest, ACleanStopMakesEverythingDurableFirst) {
  Start("appendfsync no");
  Client client(SocketPath());
  client.Expect({"SET", "k", "v"}, "+OK\r\n");
  Stop();
  EXPECT_EQ(client.ReadAll(), "");
  journal_.reset();
  files_.Crash(7);
  engine::Engine again(2);
  ASSERT_TRUE(engine::Journal::Open(files_, LogOptions(), again, &report_));
  EXPECT_EQ(again.StateHash(), engine_.StateHash());
  EXPECT_NE(again.StateHash(), engine::Engine(3).StateHash());
}

TEST_F(ServerTest, ShutdownIsACleanStopToo) {
  Start();
  Client client(SocketPath());
  ASSERT_TRUE(client.Send("SET k v\r\nSHUTDOWN\r\n"));
  EXPECT_EQ(client.ReadAll(), "+OK\r\n");
  thread_.join();
  EXPECT_NE(access(SocketPath().c_str(), F_OK), 0);
}

using ServerDeathTest = ServerTest;

TEST_F(ServerDeathTest, AFailedWriteEndsTheProcessAndAcknowledgesNothing) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(
      {
        Start();
        Client client(SocketPath());
        client.Expect({"SET", "k", "v"}, "+OK\r\n");
        unlink(SocketPath().c_str());  // nobody will be left to do it
        files_.FailWrites(0);
        client.Send(Request({"SET", "k", "w"}));
        // The process ends before any byte of a reply; if one came, the test would see another status.
        static_cast<void>(client.Read(1));
        std::_Exit(1);
      },
      testing::ExitedWithCode(kExitLogFailure), "");
}

}  // namespace
}  // namespace sluice::net
