#include "tests/harness/server_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <thread>

#include "tests/harness/socket_client.h"

namespace sluice::tests {

uint16_t FreePort() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const bool bound = fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  if (fd >= 0) ::close(fd);
  if (!bound) throw std::runtime_error("no free port on the loopback");
  return ntohs(address.sin_port);
}

std::string ServerProcess::Binary() {
  const char* named = std::getenv("SLUICE_SERVER");
  return named != nullptr ? named : SLUICE_SERVER_BINARY;
}

ServerProcess::ServerProcess(std::vector<std::string> options) : options_(std::move(options)) {
  // Between finding a port and listening on it another process may take it.
  constexpr int kTries = 5;
  for (int i = 0; i < kTries; ++i) {
    port_ = FreePort();
    if (TryStart()) return;
  }
  throw std::runtime_error("the server does not start:\n" + Log());
}

ServerProcess::~ServerProcess() {
  if (running()) Kill9();
}

void ServerProcess::Start() {
  if (!TryStart()) throw std::runtime_error("the server does not start again:\n" + Log());
}

bool ServerProcess::TryStart() {
  std::vector<std::string> command = {Binary(),          "--port",          std::to_string(port_),
                                      "--dir",           directory(),       "--segment-bytes",
                                      "1mb",             "--spare-segments", "0"};
  command.insert(command.end(), options_.begin(), options_.end());
  const int log = ::open((home_.path() + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (log < 0 || nothing < 0) throw std::runtime_error("cannot open the server's log file");
  pid_ = StartProgram(command, nothing, log);
  ::close(nothing);
  ::close(log);

  const Deadline deadline(kPatience);
  while (!deadline.over()) {
    if (WaitForExit(pid_, std::chrono::milliseconds(0))) {
      pid_ = -1;
      return false;
    }
    SocketClient client;
    if (client.Connect(port_)) {
      client.Send({"PING"});
      // Any reply will do: a server with a password answers with an error, and is ready all the same.
      if (client.Receive(deadline.left_ms()).outcome == Stage::Outcome::kReply) return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  Kill9();
  throw std::runtime_error("the server runs and does not answer:\n" + Log());
}

void ServerProcess::Kill9() {
  ::kill(pid_, SIGKILL);
  Wait();
}

int ServerProcess::Stop() {
  ::kill(pid_, SIGTERM);
  return Wait();
}

int ServerProcess::Wait() {
  const std::optional<int> status = WaitForExit(pid_, kPatience);
  if (!status) {
    ::kill(pid_, SIGKILL);
    WaitForExit(pid_, kPatience);
  }
  pid_ = -1;
  if (!status) throw std::runtime_error("the server does not end:\n" + Log());
  return *status;
}

std::string ServerProcess::Log() const {
  std::ifstream file(home_.path() + "/log");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

uint64_t ServerProcess::ResidentBytes() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
  std::string word;
  while (file >> word) {
    if (word != "RssAnon:") continue;
    uint64_t kib = 0;
    file >> kib;
    return kib * 1024;
  }
  throw std::runtime_error("the server's memory cannot be read");
}

}  // namespace sluice::tests
