#include "tests/harness/redis_process.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

#include "tests/harness/server_process.h"
#include "tests/harness/socket_client.h"

namespace sluice::tests {

bool RedisProcess::Installed() {
  return ::access("/usr/bin/redis-server", X_OK) == 0;
}

RedisProcess::RedisProcess(const std::vector<std::string>& options) {
  // Between finding a port and listening on it another process may take it.
  constexpr int kTries = 5;
  for (int i = 0; i < kTries; ++i) {
    port_ = FreePort();
    if (TryStart(options)) return;
  }
  throw std::runtime_error("redis-server does not start");
}

RedisProcess::~RedisProcess() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  WaitForExit(pid_, kPatience);
}

bool RedisProcess::TryStart(const std::vector<std::string>& options) {
  std::vector<std::string> command = {"/usr/bin/redis-server",
                                      "--port",
                                      std::to_string(port_),
                                      "--bind",
                                      "127.0.0.1",
                                      "--dir",
                                      home_.path(),
                                      "--save",
                                      "",
                                      "--appendonly",
                                      "no"};
  command.insert(command.end(), options.begin(), options.end());
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nothing < 0) throw std::runtime_error("cannot open /dev/null");
  pid_ = StartProgram(command, nothing, nothing);
  ::close(nothing);
  const Deadline deadline(kPatience);
  while (!deadline.over()) {
    if (WaitForExit(pid_, std::chrono::milliseconds(0))) {
      pid_ = -1;
      return false;
    }
    SocketClient client;
    if (client.Connect(port_)) {
      client.Send({"PING"});
      if (client.Receive(deadline.left_ms()).outcome == Stage::Outcome::kReply) return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  throw std::runtime_error("redis-server runs and does not answer");
}

}  // namespace sluice::tests
