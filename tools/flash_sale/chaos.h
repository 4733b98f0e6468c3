// When the server is killed.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#include "tools/flash_sale/local_server.h"
#include "tools/flash_sale/try_plan.h"

namespace sluice::flash_sale {

// Kills after a number of answers that the seed decides: half of the kills while pieces are sold, which is
// soon over, the others anywhere in the sale.
class Chaos {
 public:
  Chaos(LocalServer& server, const Options& options, const TryPlan& plan) : server_(server) {
    for (uint64_t i = 0; i < options.kills; ++i) {
      const uint64_t among = i % 2 == 0 ? std::min(options.stock, options.tries) : options.tries;
      moments_.push_back(1 + plan.Mix(uint64_t{1} << 40 | i) % among);
    }
    std::sort(moments_.begin(), moments_.end());
  }

  // So many more answers have come. From any thread of the crowd.
  void Answered(uint64_t answers) {
    const uint64_t all = answers_ += answers;
    const size_t next = next_;
    if (next == moments_.size() || all < moments_[next]) return;
    // What a dead server had sent still arrives: it is no reason to leave a kill out.
    if (server_.Kill()) next_ = next + 1;
  }

 private:
  LocalServer& server_;
  std::vector<uint64_t> moments_;
  std::atomic<uint64_t> answers_{0};
  std::atomic<size_t> next_{0};
};

}  // namespace sluice::flash_sale
