// How much memory this program holds from operator new. Linked only into a program that asks.
#pragma once

#include <cstddef>

namespace sluice::tests {

struct HeapUse {
  size_t bytes;        // in blocks that are alive, with what the allocator adds to each
  size_t allocations;  // made so far
};

HeapUse HeapNow();

}  // namespace sluice::tests
