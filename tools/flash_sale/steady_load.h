// Requests at times that are fixed in advance, whatever the server does.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tools/flash_sale/connection.h"
#include "tools/flash_sale/latency.h"
#include "tools/flash_sale/run.h"

namespace sluice::flash_sale {

// A request that has to wait for its turn counts its waiting (no coordinated omission): latencies are those
// of a client who wanted an answer at that time.
class SteadyLoad {
 public:
  // The words of the request number n; it may use `space` for what they point to.
  using Say = std::function<void(uint64_t n, std::string& space, std::vector<std::string_view>& words)>;

  // Begins. `at_once`: so many requests are due together, as a pipeline of one connection. `phases`: how many
  // latencies are kept apart.
  SteadyLoad(const Address& address, uint64_t per_second, uint64_t at_once, size_t connections, size_t phases,
             Say say, Run& run);
  ~SteadyLoad();

  // What becomes due from now on counts for that phase.
  void SetPhase(size_t phase) { phase_ = phase; }
  const Latencies& latencies(size_t phase) const { return *latencies_[phase]; }
  uint64_t answers() const { return answers_.value(); }
  // Ends it, without waiting for answers.
  void Stop();

 private:
  void Load();

  const Address& address_;
  const uint64_t per_second_;
  const uint64_t at_once_;
  const size_t connections_;
  const Say say_;
  Run& run_;
  std::atomic<size_t> phase_{0};
  std::atomic<bool> stop_{false};
  std::vector<std::unique_ptr<Latencies>> latencies_;
  Counter answers_;
  std::thread thread_;
};

}  // namespace sluice::flash_sale
