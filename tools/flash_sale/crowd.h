// The buyers: many connections with pipelines, on a few threads.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tools/flash_sale/chaos.h"
#include "tools/flash_sale/connection.h"
#include "tools/flash_sale/evidence.h"
#include "tools/flash_sale/latency.h"
#include "tools/flash_sale/run.h"
#include "tools/flash_sale/try_plan.h"

namespace sluice::flash_sale {

// What may be read while the crowd is at it.
struct CrowdFigures {
  uint64_t attempts = 0;  // that have an answer
  uint64_t answers = 0;   // with double clicks
  uint64_t replays = 0;   // answers of what had been bought before, under the same request id
  uint64_t lost = 0;      // requests that got no answer, and were sent again
  std::array<uint64_t, code::kCount> codes{};
};

// Every attempt is sent until it is answered. An attempt that is clicked twice is sent again at once, as a
// rule on another connection; what was under way when a connection ended is sent again under the same request
// id.
class Crowd {
 public:
  // All of them outlive it. `chaos`: nullptr for none.
  Crowd(const Options& options, const Address& address, std::string item, const TryPlan& plan, Run& run,
        Chaos* chaos);
  // Ends the run where it is not through.
  ~Crowd();

  bool done() const { return finished_ == threads_.size(); }
  CrowdFigures figures() const;
  void AddLatenciesTo(Latencies& sum) const;
  // Once done(): adds what they were told.
  void Testify(Evidence& evidence) const;

 private:
  class Party;  // of one thread

  const Options& options_;
  const Address& address_;
  const std::string item_;
  const TryPlan& plan_;
  Run& run_;
  Chaos* chaos_;
  std::atomic<uint64_t> next_attempt_{0};
  std::atomic<size_t> finished_{0};
  std::vector<uint8_t> outcomes_;  // each attempt belongs to one thread
  std::vector<std::unique_ptr<Party>> parties_;
  std::vector<std::thread> threads_;
};

}  // namespace sluice::flash_sale
