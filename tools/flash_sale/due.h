// Many holds that run out in the same second: what the other clients feel of it.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "tools/flash_sale/connection.h"
#include "tools/flash_sale/interrupt.h"
#include "tools/flash_sale/local_server.h"
#include "tools/flash_sale/run.h"
#include "tools/flash_sale/steady_load.h"
#include "tools/flash_sale/view.h"

namespace sluice::flash_sale {

// The happy path is: place the holds, each so long that all end at one moment; let the others begin (XADDs to
// a stream, whose latency counts, and buys of another item); note their latencies until that moment, and from
// there until no hold is left; compare with the bounds, and with SECKILL.AUDIT.
class Due {
 public:
  Due(const Options& options, const Address& address, LocalServer* server, Interrupt& interrupt);

  // The status to exit with: kDisproven where a bound is missed. Throws Trouble.
  int Run();

 private:
  using Clock = std::chrono::steady_clock;
  enum Phase : size_t { kBefore, kMeanwhile, kAfter, kPhases };

  void Create();
  void Remove();
  bool Place();
  void PlaceSome();
  bool Measure();
  bool WaitUntil(Clock::time_point moment, const std::string& what);
  uint64_t Held();
  int Conclude(const SteadyLoad& probes, const SteadyLoad* buys);

  const Options& options_;
  const Address& address_;
  LocalServer* server_;
  Interrupt& interrupt_;
  const std::string name_;
  const std::string held_item_, held_stream_, other_item_, other_stream_, probe_stream_;
  flash_sale::Run run_;
  View view_;
  std::unique_ptr<Connection> connection_;
  bool created_ = false;
  std::atomic<uint64_t> next_{0};
  std::atomic<uint64_t> placed_{0};
  Clock::time_point moment_;  // at which they run out
  double took_s_ = 0;         // from there until none was left
  double late_ms_ = 0;        // from there until the first was released
  double cpu_s_ = 0;
  uint64_t buys_ = 0;  // answered in that time
  int status_ = kInterrupted;
};

}  // namespace sluice::flash_sale
