// What reading a mapped file asks of the kernel. KernelPageCache is the real one; tests have one that loses
// pages on request.
#pragma once

#include <span>

namespace sluice::storage {

// Any thread.
class PageCache {
 public:
  virtual ~PageCache() = default;

  // Whether all of `memory` can be read without a disk. About 1 us for 64 KiB, a little more for what is
  // away.
  virtual bool Has(std::span<const char> memory) = 0;
  // Says that `memory` will be read soon. Returns at once, or nearly.
  virtual void Announce(std::span<const char> memory) = 0;
  // Brings `memory` in and returns once it is there. As slow as the disk. Where a page cannot be read it may
  // return without it: whoever reads it then learns why.
  virtual void BringIn(std::span<const char> memory) = 0;
};

}  // namespace sluice::storage
