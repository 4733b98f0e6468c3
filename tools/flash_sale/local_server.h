// A sluice-server that this run starts, kills and starts again.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "tools/flash_sale/options.h"

namespace sluice::flash_sale {

// Dies with this process, whatever ends it. Its data folder is a temporary one that goes with this object,
// unless the options name one. All but Kill() is for the thread that made it.
class LocalServer {
 public:
  // Starts it, on a free port of the loopback unless options name one. Throws Trouble where it does not
  // start.
  explicit LocalServer(const Options& options);
  ~LocalServer();
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

  uint16_t port() const { return port_; }
  std::string directory() const;
  // A temporary folder stays, for somebody to look at.
  void KeepDirectory() { temporary_ = false; }

  // kill -9, at once. False where it is dead already.
  bool Kill();
  // Killed, or ended by itself, and not started again.
  bool dead();
  // After dead(): throws Trouble where nobody killed it, else starts it again. It may be dead again by then.
  void Restart();
  uint64_t kills() const { return kills_; }
  // Seconds of processor time, of all its lives.
  double ProcessorSeconds() const;

 private:
  void Start();
  std::string LogFile() const { return home_ + "/server.log"; }
  std::string EndOfLog() const;

  const Options& options_;
  std::string home_;  // the log, and the data unless the options name a folder
  bool temporary_ = true;
  uint16_t port_;
  std::atomic<pid_t> pid_{0};
  std::atomic<bool> killed_{false};
  std::atomic<uint64_t> kills_{0};
};

}  // namespace sluice::flash_sale
