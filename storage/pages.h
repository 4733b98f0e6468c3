// Memory straight from the system, which hands it out page by page.
#pragma once

#include <cstddef>

namespace sluice::storage {

inline constexpr size_t kHugePageBytes = 2 << 20;

// `bytes` of zeroed memory that takes nothing until it is touched; nullptr where the system has none. From
// kHugePageBytes on it begins where a huge page does. munmap() gives it back, in parts too.
[[nodiscard]] char* MapPages(size_t bytes);

// Asks for huge pages in what is touched from now on: fewer page faults, and fewer steps from an address to
// its memory. A wish: where there are none, nothing is lost.
void WishForHugePages(char* at, size_t bytes);

// Brings the pages in now, from the beginning of one, so that nobody who writes there waits for the kernel's
// zeroing. What they hold stays, and what another thread writes there meanwhile.
void PopulatePages(char* at, size_t bytes);

}  // namespace sluice::storage
