// The built sluice-server as a child process, on a free port of the loopback.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/harness/program.h"

namespace sluice::tests {

// Starts in the constructor and waits until PING is answered; dies (kill -9) in the destructor. Its data stand in a
// temporary directory that outlives Kill9() and Stop(), so Start() opens the same store again. Everything that does not
// happen within kPatience, and a server that ends by itself while it starts, is thrown as std::runtime_error with what
// the server logged.
class ServerProcess {
 public:
  // `options`: as on the command line, {"--appendfsync", "everysec"}. Small segments without spares, unless they say
  // otherwise: a test's log is short, and many servers start.
  explicit ServerProcess(std::vector<std::string> options = {});
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // On the same port and directory as before. The server must not be running.
  void Start();
  void Kill9();
  // SIGTERM; the exit status.
  int Stop();
  // Waits for a server that was told to end (SHUTDOWN), or ended by itself; the exit status.
  int Wait();

  bool running() const { return pid_ > 0; }
  uint16_t port() const { return port_; }
  pid_t pid() const { return pid_; }
  std::string directory() const { return home_.path() + "/data"; }
  // What the server wrote to its standard output and error, over all its lives.
  std::string Log() const;
  // Its resident memory now. RssAnon: without files that are mapped.
  uint64_t ResidentBytes() const;

  // The path of the built server: the environment's SLUICE_SERVER, or the one that was built beside this test.
  static std::string Binary();

 private:
  bool TryStart();

  std::vector<std::string> options_;
  TemporaryDirectory home_;
  uint16_t port_ = 0;
  pid_t pid_ = -1;
};

// A TCP port of the loopback that nobody listens on at the moment.
uint16_t FreePort();

}  // namespace sluice::tests
