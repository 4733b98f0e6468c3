// A redis-server as a child process, to compare with: on a free port of the loopback, remembering nothing.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/harness/program.h"

namespace sluice::tests {

// Starts in the constructor and waits until it answers; dies (kill -9) in the destructor. Throws
// std::runtime_error where it does not start.
class RedisProcess {
 public:
  // `options`: as on the command line, {"--stream-node-max-entries", "4"}.
  explicit RedisProcess(const std::vector<std::string>& options);
  ~RedisProcess();
  RedisProcess(const RedisProcess&) = delete;
  RedisProcess& operator=(const RedisProcess&) = delete;

  // Whether there is one on this machine.
  static bool Installed();

  uint16_t port() const { return port_; }

 private:
  bool TryStart(const std::vector<std::string>& options);

  TemporaryDirectory home_;
  uint16_t port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace sluice::tests
