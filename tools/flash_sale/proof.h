// Whether what was told, what the stream says and what the server counts are one and the same.
#pragma once

#include <string>
#include <vector>

#include "tools/flash_sale/book.h"
#include "tools/flash_sale/connection.h"
#include "tools/flash_sale/evidence.h"

namespace sluice::flash_sale {

struct Finding {
  bool holds;
  std::string claim;   // what is claimed, with its figures
  std::string faults;  // why it does not hold; empty where it does
};

struct Proof {
  std::vector<Finding> findings;

  bool holds() const;
};

// Once everybody is through and nothing is held. Reads the item, its stream and its buyers from the server.
// Throws Trouble where the server is gone.
Proof Prove(const Options& options, const TryPlan& plan, const Evidence& evidence, Connection& connection,
            const std::string& item, const std::string& stream);

}  // namespace sluice::flash_sale
