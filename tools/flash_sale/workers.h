// Those who work on the orders: a consumer group of the item's stream.
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tools/flash_sale/connection.h"
#include "tools/flash_sale/evidence.h"
#include "tools/flash_sale/latency.h"
#include "tools/flash_sale/run.h"
#include "tools/flash_sale/try_plan.h"

namespace sluice::flash_sale {

struct WorkerFigures {
  uint64_t read = 0;       // messages
  uint64_t confirmed = 0;  // holds that were paid
  uint64_t left = 0;       // holds that were not, on purpose
  uint64_t late = 0;       // holds that had run out when they were to be paid
};

// Each reads, confirms the share of held orders that is paid, and acknowledges. After a lost connection it
// begins with what it was given before and has not acknowledged: everything is done at least once.
class Workers {
 public:
  static constexpr const char* kGroup = "workers";

  Workers(const Options& options, const Address& address, std::string item, std::string stream,
          const TryPlan& plan, Run& run);
  ~Workers();

  // Nothing more will come: each ends when it finds nothing, and this returns then.
  void Finish();
  WorkerFigures figures() const;
  // After Finish().
  void Testify(Evidence& evidence) const;

 private:
  struct Desk {
    std::string name;
    Counter read, confirmed, left, late;
    std::vector<OrderId> sold;
    std::thread thread;
  };
  void Work(Desk& desk);
  bool Handle(Connection& connection, Desk& desk, const redisReply& entries);
  void Judge(Desk& desk, OrderId order, int64_t code);

  const Options& options_;
  const Address& address_;
  const std::string item_;
  const std::string stream_;
  const TryPlan& plan_;
  Run& run_;
  std::atomic<bool> finishing_{false};
  std::vector<std::unique_ptr<Desk>> desks_;
};

}  // namespace sluice::flash_sale
