// The kernel's page cache, as the mappings of this process show it.
#pragma once

#include "storage/page_cache.h"

namespace sluice::storage {

// mincore and madvise. Where the kernel cannot tell (a sandbox that knows no mincore), everything counts as
// in memory; where it cannot populate (before Linux 5.14), pages are touched one by one.
class KernelPageCache final : public PageCache {
 public:
  bool Has(std::span<const char> memory) override;
  void Announce(std::span<const char> memory) override;
  void BringIn(std::span<const char> memory) override;
};

}  // namespace sluice::storage
