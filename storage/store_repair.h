// Makes a damaged store one that can be opened again, and throws nothing away on the way.
//
// The happy path: what STORE or a segment's header said is worked out from what is left, and the log is ended
// at the first place that only a cut can mend. Every file that this changes is first copied to NAME.damaged,
// every segment behind the cut is renamed so; only a torn tail, which the next start would cut as well, goes
// without a copy. Each step leaves a store that this can be run on again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/file_system.h"
#include "storage/store_walk.h"

namespace sluice::storage {

struct RepairPlan {
  std::vector<std::string> steps;  // one line each, for an operator
  std::string impossible;          // why no repair would leave a log; empty where one does
  uint64_t lost_records = 0;       // that verify, and would go with the cut
  uint64_t lost_bytes = 0;         // of log, from the cut on
  bool nothing_to_do() const { return steps.empty() && impossible.empty(); }
};

// What RepairStore() would do.
RepairPlan PlanRepair(const StoreFindings& findings);

// Does it. The store must be locked by the caller, and be as `findings` say.
Result<void> RepairStore(FileSystem& files, const StoreFindings& findings);

}  // namespace sluice::storage
