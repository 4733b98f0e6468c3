// What the server does about clients by itself: idle ones, ones that read too slowly, ones whose machine is
// gone. The limits are whole seconds of the real clock, so these tests last as long.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <optional>
#include <string>

#include "tests/harness/server_process.h"
#include "tests/unit/net_fixture.h"

namespace sluice::net {
namespace {

using std::chrono::milliseconds;

class LimitsTest : public ServerTest {
 protected:
  milliseconds Passed() const {
    return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began_);
  }
  // How many clients were closed at the output limit, as INFO says.
  void WaitForOutputClosed(Client& client, int count) {
    const std::string wanted = "client_output_buffer_limit_disconnections:" + std::to_string(count) + "\r\n";
    do {
      ASSERT_TRUE(client.Send("INFO stats\r\nECHO end\r\n"));
    } while (client.ReadUntil(Bulk("end")).find(wanted) == std::string::npos &&
             Passed() < milliseconds(kPatienceMs));
    ASSERT_LT(Passed(), milliseconds(kPatienceMs));
  }

  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

TEST_F(LimitsTest, AnIdleClientIsClosedAndAWaitingOneIsNot) {
  Start("timeout 1");
  Client busy(SocketPath());
  Client waiting(SocketPath());
  ASSERT_TRUE(waiting.Send("XREAD BLOCK 0 STREAMS s $\r\n"));
  Client idle(SocketPath());
  idle.Expect({"PING"}, "+PONG\r\n");
  const milliseconds since = Passed();
  while (!idle.HasAnswer() && Passed() < milliseconds(kPatienceMs)) {
    busy.Expect({"PING"}, "+PONG\r\n");
  }
  EXPECT_EQ(idle.ReadAll(), "");
  EXPECT_GE(Passed() - since, milliseconds(1000));
  busy.Expect({"XADD", "s", "1-1", "f", "v"}, "$3\r\n1-1\r\n");
  EXPECT_EQ(waiting.Read(4), "*1\r\n");
}

TEST_F(LimitsTest, TheTimeoutMayBeSetWhileClientsAreIdle) {
  Start();
  Client idle(SocketPath());
  idle.Expect({"PING"}, "+PONG\r\n");
  Client admin(SocketPath());
  admin.Expect({"CONFIG", "SET", "timeout", "1"}, "+OK\r\n");
  EXPECT_EQ(idle.ReadAll(), "");
}

// Above the soft limit for its seconds: closed. Above it for less: not.
TEST_F(LimitsTest, TheSoftOutputLimitClosesWhoStaysAboveIt) {
  Start("client-output-buffer-limit normal 0 1mb 1");
  Client reads(SocketPath());
  reads.Expect({"SET", "k", std::string(4'000'000, 'x')}, "+OK\r\n");
  Client never_reads(SocketPath());
  const milliseconds since = Passed();
  ASSERT_TRUE(never_reads.Send("GET k\r\n"));
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(reads.Send("GET k\r\n"));
    const std::string reply = Bulk(std::string(4'000'000, 'x'));
    EXPECT_EQ(reads.Read(reply.size()).size(), reply.size());
  }
  WaitForOutputClosed(reads, 1);
  EXPECT_GE(Passed() - since, milliseconds(1000));
  EXPECT_LT(never_reads.ReadAll().size(), 4'000'000u);
  reads.Expect({"PING"}, "+PONG\r\n");
}

TEST_F(LimitsTest, TheOutputLimitMayBeSetWhileClientsAreThere) {
  Start();
  Client client(SocketPath());
  client.Expect({"SET", "k", std::string(4'000'000, 'x')}, "+OK\r\n");
  client.Expect({"CONFIG", "SET", "client-output-buffer-limit", "normal 1mb 0 0"}, "+OK\r\n");
  ASSERT_TRUE(client.Send("GET k\r\n"));
  EXPECT_LT(client.ReadAll().size(), 4'000'000u);
  Client other(SocketPath());
  WaitForOutputClosed(other, 1);
}

// A value of a TCP socket's option `name`, on the server's side of the connection whose client end is
// `client`.
std::optional<int> ServersOption(int client, int level, int name) {
  sockaddr_in wanted{};
  socklen_t size = sizeof wanted;
  if (getsockname(client, reinterpret_cast<sockaddr*>(&wanted), &size) != 0) return std::nullopt;
  for (int fd = 0; fd < 1024; ++fd) {
    sockaddr_in peer{};
    size = sizeof peer;
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0 || peer.sin_family != AF_INET)
      continue;
    if (peer.sin_port != wanted.sin_port) continue;
    int value = -1;
    size = sizeof value;
    if (getsockopt(fd, level, name, &value, &size) == 0) return value;
  }
  return std::nullopt;
}

TEST_F(LimitsTest, TheKernelIsToldToLookAfterSilentPeers) {
  const uint16_t port = tests::FreePort();
  Start("bind 127.0.0.1\nport " + std::to_string(port) + "\ntcp-keepalive 90");
  const auto dial = [&] {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    // Once it answers, the server has taken the connection.
    EXPECT_EQ(send(fd, "PING\r\n", 6, 0), 6);
    std::array<char, 7> reply{};
    EXPECT_EQ(recv(fd, reply.data(), reply.size(), MSG_WAITALL), 7);
    return fd;
  };
  const int watched = dial();
  EXPECT_EQ(ServersOption(watched, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(ServersOption(watched, IPPROTO_TCP, TCP_KEEPIDLE), 90);
  EXPECT_EQ(ServersOption(watched, IPPROTO_TCP, TCP_KEEPINTVL), 30);
  EXPECT_EQ(ServersOption(watched, IPPROTO_TCP, TCP_KEEPCNT), 3);
  EXPECT_EQ(ServersOption(watched, IPPROTO_TCP, TCP_NODELAY), 1);
  Client admin(SocketPath());
  admin.Expect({"CONFIG", "SET", "tcp-keepalive", "0"}, "+OK\r\n");
  const int unwatched = dial();
  EXPECT_EQ(ServersOption(unwatched, SOL_SOCKET, SO_KEEPALIVE), 0);
  close(watched);
  close(unwatched);
}

// Who closes a connection and then uses the pool that it came from must not be given it again.
TEST_F(LimitsTest, AKilledConnectionIsClosedBeforeItsKillerHearsOfIt) {
  Start();
  Client admin(SocketPath());
  for (int i = 0; i < 100; ++i) {
    Client killed(SocketPath());
    killed.Expect({"PING"}, "+PONG\r\n");
    admin.Expect({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}, ":1\r\n");
    ASSERT_TRUE(killed.HasAnswer());
    EXPECT_EQ(killed.ReadAll(), "");
  }
}

}  // namespace
}  // namespace sluice::net
