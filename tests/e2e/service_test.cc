// The server as a service: supervised, in the background, asked over HTTP, and told to write its conf file.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/harness/program.h"
#include "tests/harness/redis.h"
#include "tests/harness/server_process.h"
#include "tests/harness/tls_client.h"

namespace sluice::tests {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Words = std::vector<std::string>;

std::string FileText(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// What systemd is to the server: a datagram socket.
class Supervisor {
 public:
  explicit Supervisor(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const timeval patience{.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(kPatience).count(),
                           .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~Supervisor() { ::close(fd_); }
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // The next message; empty where none comes.
  std::string Next() {
    char room[4096];
    const ssize_t count = ::recv(fd_, room, sizeof room, 0);
    return count > 0 ? std::string(room, static_cast<size_t>(count)) : "";
  }

 private:
  int fd_;
};

// Sets a variable of the environment for the servers that start meanwhile.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

TEST(ServiceTest, SystemdIsToldOfReadinessLifeAndEnd) {
  const TemporaryDirectory home;
  const std::string path = home.path() + "/notify";
  Supervisor supervisor(path);
  const Variable socket("NOTIFY_SOCKET", path);
  const Variable watchdog("WATCHDOG_USEC", "400000");
  ServerProcess server;
  EXPECT_THAT(supervisor.Next(),
              StartsWith("READY=1\nSTATUS=serving on port " + std::to_string(server.port())));
  EXPECT_EQ(supervisor.Next(), "WATCHDOG=1");
  EXPECT_EQ(supervisor.Next(), "WATCHDOG=1");
  EXPECT_EQ(server.Stop(), 0);
  std::string last;
  while (!last.starts_with("STOPPING=1")) {
    last = supervisor.Next();
    ASSERT_FALSE(last.empty());
  }
}

TEST(ServiceTest, ALoopThatStandsStillDoesNotPing) {
  const TemporaryDirectory home;
  const std::string path = home.path() + "/notify";
  Supervisor supervisor(path);
  const Variable socket("NOTIFY_SOCKET", path);
  const Variable watchdog("WATCHDOG_USEC", "400000");
  ServerProcess server({"--enable-debug-command", "yes"});
  EXPECT_THAT(supervisor.Next(), StartsWith("READY=1"));
  EXPECT_EQ(supervisor.Next(), "WATCHDOG=1");
  RedisClient client(server.port());
  client.Append({"DEBUG", "SLEEP", "1"});
  const auto began = std::chrono::steady_clock::now();
  ASSERT_TRUE(client.Receive());
  // What was said before the sleep may still lie there; then there is silence, until the loop turns again.
  std::chrono::steady_clock::duration longest{};
  auto before = began;
  while (std::chrono::steady_clock::now() - began < std::chrono::seconds(3) &&
         longest < std::chrono::milliseconds(100)) {
    EXPECT_EQ(supervisor.Next(), "WATCHDOG=1");
    longest = std::max(longest, std::chrono::steady_clock::now() - before);
    before = std::chrono::steady_clock::now();
  }
  const auto pings_in_a_second = [&] {
    int pings = 0;
    const auto from = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - from < std::chrono::seconds(1))
      pings += supervisor.Next().empty() ? 0 : 1;
    return pings;
  };
  EXPECT_GE(pings_in_a_second(), 2);
  EXPECT_LE(pings_in_a_second(), 10) << "twice in the interval, not with every round";
}

TEST(ServiceTest, NobodyIsToldWhereThatIsNotWanted) {
  const TemporaryDirectory home;
  const std::string path = home.path() + "/notify";
  Supervisor supervisor(path);
  const Variable socket("NOTIFY_SOCKET", path);
  ServerProcess silent({"--supervised", "no"});
  EXPECT_EQ(silent.Stop(), 0);
  ServerProcess telling({"--supervised", "systemd"});
  EXPECT_THAT(supervisor.Next(), HasSubstr(std::to_string(telling.port())))
      << "the first word is the second server's";
}

TEST(ServiceTest, TheSecondSignalEndsItAtOnce) {
  // A client that does not take its replies keeps a clean stop waiting for a second.
  ServerProcess server;
  RedisClient(server.port()).Do({"SET", "big", std::string(30'000'000, 'x')});
  const int reader = ConnectTcp(server.port());
  ASSERT_GT(::send(reader, "GET big\r\nGET big\r\n", 18, MSG_NOSIGNAL), 0);
  char byte = 0;
  ASSERT_EQ(::recv(reader, &byte, 1, 0), 1);
  ::kill(server.pid(), SIGTERM);
  while (server.Log().find("stopping") == std::string::npos) std::this_thread::yield();
  while (server.Log().find("The log is closed") == std::string::npos) std::this_thread::yield();
  ::kill(server.pid(), SIGINT);
  EXPECT_EQ(server.Wait(), 128 + SIGINT);
  ::close(reader);
  server.Start();
  EXPECT_EQ(RedisClient(server.port()).Do({"STRLEN", "big"})->integer, 30'000'000);
}

TEST(ServiceTest, TheLogFileIsOpenedAgainOnSighup) {
  const TemporaryDirectory home;
  const std::string path = home.path() + "/sluice.log";
  ServerProcess server({"--logfile", path});
  ASSERT_EQ(::rename(path.c_str(), (path + ".1").c_str()), 0);
  ::kill(server.pid(), SIGHUP);
  const Deadline deadline(kPatience);
  while (::access(path.c_str(), F_OK) != 0 && !deadline.over()) std::this_thread::yield();
  EXPECT_EQ(server.Stop(), 0);
  EXPECT_THAT(FileText(path), HasSubstr("bye"));
  EXPECT_THAT(FileText(path + ".1"), Not(HasSubstr("bye")));
}

TEST(ServiceTest, ThePidFileIsThereWhileItRuns) {
  const TemporaryDirectory home;
  const std::string path = home.path() + "/sluice.pid";
  ServerProcess server({"--pidfile", path});
  EXPECT_EQ(FileText(path), std::to_string(server.pid()) + "\n");
  EXPECT_EQ(server.Stop(), 0);
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
  // One that cannot be written is told, and no reason not to serve.
  ServerProcess without({"--pidfile", "/no/such/folder/sluice.pid"});
  EXPECT_THAT(without.Log(), HasSubstr("/no/such/folder/sluice.pid"));
}

TEST(ServiceTest, InTheBackground) {
  const TemporaryDirectory home;
  const uint16_t port = FreePort();
  const Words command = {ServerProcess::Binary(),
                         "--daemonize",
                         "yes",
                         "--port",
                         std::to_string(port),
                         "--dir",
                         home.path() + "/data",
                         "--pidfile",
                         home.path() + "/pid",
                         "--logfile",
                         home.path() + "/log",
                         "--segment-bytes",
                         "1mb",
                         "--spare-segments",
                         "0"};
  const ProgramResult started = RunProgram(command);
  EXPECT_EQ(started.status, 0) << started.output;
  // Whoever started it may connect at once.
  EXPECT_STREQ(RedisClient(port).Do({"PING"})->str, "PONG");
  const pid_t pid = std::stoi(FileText(home.path() + "/pid"));
  EXPECT_EQ(::getsid(pid), pid) << "a session of its own";
  // A start that fails is told here and now.
  const ProgramResult second = RunProgram(command);
  EXPECT_EQ(second.status, 1);
  EXPECT_THAT(second.output, HasSubstr("in use"));
  EXPECT_STREQ(RedisClient(port).Do({"PING"})->str, "PONG");
  ASSERT_EQ(::kill(pid, SIGTERM), 0);
  const Deadline deadline(kPatience);
  while (::kill(pid, 0) == 0 && ::access((home.path() + "/pid").c_str(), F_OK) == 0 && !deadline.over()) {
    std::this_thread::yield();
  }
  EXPECT_THAT(FileText(home.path() + "/log"), HasSubstr("bye"));
}

TEST(ServiceTest, ConfigRewriteOutlivesARestart) {
  const TemporaryDirectory home;
  const std::string conf = home.path() + "/sluice.conf";
  const uint16_t port = FreePort();
  const std::string text = "# ours\nport " + std::to_string(port) + "\ndir " + home.path() +
                           "/data\nsegment-bytes 1mb\nspare-segments 0\ntimeout 5 \nio-threads 4\n";
  std::ofstream(conf) << text;
  const int log = ::open((home.path() + "/log").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const auto start = [&] {
    const pid_t pid = StartProgram({ServerProcess::Binary(), conf}, log, log);
    const Deadline deadline(kPatience);
    while (!deadline.over()) {
      try {
        RedisClient(port).Do({"PING"});
        break;
      } catch (const std::runtime_error&) {  // does not listen yet
      }
    }
    return pid;
  };
  const auto stop = [](pid_t pid) {
    ::kill(pid, SIGTERM);
    EXPECT_EQ(WaitForExit(pid, kPatience), 0);
  };
  const pid_t first = start();
  RedisClient(port).Do({"CONFIG", "REWRITE"});
  EXPECT_EQ(FileText(conf), text) << "nothing has changed";
  RedisClient(port).Do(
      {"CONFIG", "SET", "timeout", "6", "maxclients", "77", "requirepass", "open \"sesame\""});
  RedisClient other(port);
  other.Do({"AUTH", "open \"sesame\""});
  other.Do({"CONFIG", "REWRITE"});
  stop(first);
  std::string changed = text;
  changed.replace(changed.find("timeout 5 "), 10, "timeout 6");
  EXPECT_EQ(
      FileText(conf),
      changed + "\n# Generated by CONFIG REWRITE\nmaxclients 77\nrequirepass \"open \\\"sesame\\\"\"\n");

  std::ofstream(conf, std::ios::app) << "loglevel notice\n";
  const int ignored = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const pid_t second = StartProgram({ServerProcess::Binary(), conf}, ignored, log);
  const Deadline deadline(kPatience);
  bool asked = false;
  while (!asked && !deadline.over()) {
    try {
      RedisClient client(port);
      client.Do({"AUTH", "open \"sesame\""});
      EXPECT_STREQ(ElementOf(*client.Do({"CONFIG", "GET", "maxclients"}), 1).str, "77");
      // A folder in the file's place: told, and the server goes on.
      std::error_code none;
      std::filesystem::remove(conf, none);
      client.Append({"CONFIG", "REWRITE"});
      EXPECT_EQ(TextOf(*client.Receive()), "ERR Rewriting config file: No such file or directory");
      asked = true;
    } catch (const std::runtime_error&) {  // does not listen yet
    }
  }
  EXPECT_TRUE(asked);
  stop(second);
  ::close(ignored);
  ::close(log);
}

// One HTTP exchange; the whole answer.
std::string Http(uint16_t port, const std::string& request) {
  const int fd = ConnectTcp(port);
  ::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
  std::string answer;
  char room[4096];
  for (ssize_t got; (got = ::recv(fd, room, sizeof room, 0)) > 0;)
    answer.append(room, static_cast<size_t>(got));
  ::close(fd);
  return answer;
}

std::string Get(uint16_t port, const std::string& path) {
  return Http(port, "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
}

TEST(ServiceTest, Metrics) {
  const uint16_t port = FreePort();
  ServerProcess server({"--metrics-port", std::to_string(port), "--enable-debug-command", "yes"});
  RedisClient client(server.port());
  client.Do({"XADD", "orders\n\xff", "1-1", "f", "v"});
  client.Do({"XGROUP", "CREATE", "orders\n\xff", "g", "0"});
  client.Do({"SECKILL.CREATE", "phone", "STOCK", "5"});
  const std::string answer = Get(port, "/metrics");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr("text/plain; version=0.0.4"));
  EXPECT_THAT(answer, HasSubstr("\nsluice_group_lag{db=\"0\",key=\"orders\\n\\\\xff\",group=\"g\"} 1\n"));
  EXPECT_THAT(answer, HasSubstr("\nsluice_item_available{db=\"0\",key=\"phone\"} 5\n"));
  EXPECT_THAT(answer, HasSubstr("\nsluice_connections 1\n"));
  EXPECT_THAT(answer, testing::ContainsRegex("sluice_commit_duration_seconds_count [1-9]"));
  EXPECT_THAT(Get(port, "/healthz"), HasSubstr("\r\n\r\nok\n"));
  EXPECT_THAT(Get(port, "/readyz"), HasSubstr("\r\n\r\nready\n"));
  EXPECT_THAT(Get(port, "/"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(
      Http(port, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
      StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(Http(port, "HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              Not(HasSubstr("# HELP")));

  // A loop that stands still gives no figures, and does not keep the HTTP server from saying so.
  client.Append({"DEBUG", "SLEEP", "7"});
  std::thread sleeper([&] { client.Receive(); });
  const Deadline deadline(std::chrono::seconds(7));
  std::string health;
  while (health.find("503") == std::string::npos && !deadline.over()) health = Get(port, "/healthz");
  EXPECT_THAT(health, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(Get(port, "/readyz"), StartsWith("HTTP/1.1 503"));
  sleeper.join();
  EXPECT_THAT(Get(port, "/metrics"), StartsWith("HTTP/1.1 200"));
}

TEST(ServiceTest, MetricsWithHostileClients) {
  const uint16_t port = FreePort();
  ServerProcess server({"--metrics-port", std::to_string(port), "--metrics-max-series", "3"});
  RedisClient client(server.port());
  for (int i = 0; i < 10; ++i) client.Do({"XADD", "s" + std::to_string(i), "1-1", "f", "v"});
  // More silent connections than it has room for: they do not get at the clients of the real port, and are
  // closed.
  std::vector<int> silent;
  for (int i = 0; i < 100; ++i) silent.push_back(ConnectTcp(port));
  EXPECT_STREQ(client.Do({"PING"})->str, "PONG");
  Http(port, std::string(100000, 'A'));
  Http(port, "GET /" + std::string(100000, 'a') + " HTTP/1.1\r\n\r\n");
  for (const int fd : silent) ::close(fd);
  const std::string answer = Get(port, "/metrics");
  EXPECT_THAT(answer, HasSubstr("\nsluice_metrics_left_out 7\n"));
  EXPECT_THAT(answer, Not(HasSubstr("key=\"s3\"")));
}

TEST(ServiceTest, AMetricsPortThatIsTakenEndsTheStart) {
  ServerProcess server;
  const TemporaryDirectory home;
  const ProgramResult result =
      RunProgram({ServerProcess::Binary(), "--port", std::to_string(FreePort()), "--metrics-port",
                  std::to_string(server.port()), "--dir", home.path() + "/data"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.output,
              HasSubstr("metrics-port: cannot listen on 127.0.0.1:" + std::to_string(server.port())));
}

}  // namespace
}  // namespace sluice::tests
