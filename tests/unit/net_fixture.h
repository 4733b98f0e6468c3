// A server of its own thread behind a unix socket, its log in memory, and clients that speak to it.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "server/config.h"
#include "server/engine/engine.h"
#include "server/engine/journal.h"
#include "server/net/server.h"
#include "storage/memory_file_system.h"

namespace sluice::net {

inline constexpr int kPatienceMs = 20000;

inline std::string Bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

inline std::string Request(const std::vector<std::string>& args) {
  std::string wire = "*" + std::to_string(args.size()) + "\r\n";
  for (const std::string& arg : args) wire += Bulk(arg);
  return wire;
}

inline std::string Times(size_t count, const std::string& text) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += text;
  return all;
}

class Client {
 public:
  explicit Client(const std::string& path) : fd_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~Client() { Close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // False where the server has closed the connection meanwhile.
  bool Send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t count = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return true;
  }
  void EndSending() const { shutdown(fd_, SHUT_WR); }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

  // Exactly `count` bytes; fewer where the connection ends before.
  std::string Read(size_t count) {
    std::string bytes;
    while (bytes.size() < count) {
      const std::string more = ReadSome(count - bytes.size());
      if (more.empty()) break;
      bytes += more;
    }
    return bytes;
  }
  // Whether something can be read now, be it the end.
  bool HasAnswer() const {
    pollfd readable{.fd = fd_, .events = POLLIN, .revents = 0};
    return poll(&readable, 1, 0) == 1;
  }
  // All until `end` has come, or the connection has ended.
  std::string ReadUntil(const std::string& end) {
    std::string bytes;
    while (!bytes.ends_with(end)) {
      const std::string byte = Read(1);
      if (byte.empty()) break;
      bytes += byte;
    }
    return bytes;
  }
  // All until the server closes.
  std::string ReadAll() { return Read(SIZE_MAX); }
  // Sends a request, and reads as much as `reply` has.
  void Expect(const std::vector<std::string>& args, const std::string& reply) {
    ASSERT_TRUE(Send(Request(args)));
    EXPECT_EQ(Read(reply.size()), reply);
  }

 private:
  std::string ReadSome(size_t at_most) {
    pollfd readable{.fd = fd_, .events = POLLIN, .revents = 0};
    if (poll(&readable, 1, kPatienceMs) != 1) {
      ADD_FAILURE() << "no answer";
      return {};
    }
    std::string bytes(std::min<size_t>(at_most, 64 * 1024), '\0');
    const ssize_t count = recv(fd_, bytes.data(), bytes.size(), 0);
    bytes.resize(count > 0 ? static_cast<size_t>(count) : 0);
    return bytes;
  }

  int fd_;
};

// Until the server says that `count` clients are blocked.
inline void WaitForBlocked(Client& client, int count) {
  const std::string wanted = "blocked_clients:" + std::to_string(count) + "\r\n";
  do {
    ASSERT_TRUE(client.Send("INFO clients\r\nECHO end\r\n"));
  } while (client.ReadUntil(Bulk("end")).find(wanted) == std::string::npos && !testing::Test::HasFailure());
}

inline std::string SocketPath() {
  return testing::TempDir() + "sluice_net_" + std::to_string(getpid()) + ".sock";
}

// A server of its own thread, until the test ends.
class ServerTest : public testing::Test {
 protected:
  virtual storage::FileSystem& Files() { return files_; }
  virtual storage::LogOptions LogOptions() const {
    return {.directory = "/data",
            .segment_bytes = 1 << 20,
            .commit_path = storage::CommitPath::kInline,
            .direct_io = false,
            .spare_segments = 0};
  }

  virtual storage::ColdReadOptions ColdReadOptions() { return {}; }

  // `lines`: of a conf file.
  void Start(const std::string& lines = "") {
    Config config = DefaultConfig();
    ASSERT_EQ(ParseConfigText("port 0\nloglevel warning\nunixsocket " + SocketPath() + "\n" + lines, "test",
                              config),
              std::nullopt);
    auto journal = engine::Journal::Open(Files(), LogOptions(), engine_, &report_, {}, {}, ColdReadOptions());
    ASSERT_TRUE(journal) << journal.error().message;
    journal_ = std::move(*journal);
    server_ = std::make_unique<Server>(config, Server::Start{}, *journal_);
    ASSERT_EQ(server_->Listen(), std::nullopt);
    thread_ = std::thread([this] { server_->Run(); });
    // Once it answers, its handlers of signals are in place.
    Client client(SocketPath());
    ASSERT_TRUE(client.Send("QUIT\r\n"));
    EXPECT_EQ(client.ReadAll(), "+OK\r\n");
  }

  void Stop() {
    if (!thread_.joinable()) return;
    kill(getpid(), SIGTERM);
    thread_.join();
    server_.reset();
  }

  void TearDown() override { Stop(); }

  storage::MemoryFileSystem files_;
  storage::RecoveryReport report_;
  engine::Engine engine_{1};
  std::unique_ptr<engine::Journal> journal_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

}  // namespace sluice::net
