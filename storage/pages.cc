#include "storage/pages.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

namespace sluice::storage {

char* MapPages(size_t bytes) {
  // A mapping starts at any page; huge pages need theirs aligned, so ask for more and give the ends back.
  const bool huge = bytes >= kHugePageBytes;
  const size_t asked = huge ? bytes + kHugePageBytes : bytes;
  void* mapped = mmap(nullptr, asked, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  char* start = static_cast<char*>(mapped);
  if (!huge) return start;
  const size_t before = -reinterpret_cast<uintptr_t>(start) % kHugePageBytes;
  if (before > 0) munmap(start, before);
  munmap(start + before + bytes, kHugePageBytes - before);
  return start + before;
}

void WishForHugePages(char* at, size_t bytes) {
  madvise(at, bytes, MADV_HUGEPAGE);
}

// A little at a time: the call locks out all that map, and every allocation that needs the system waits for
// it. By touch each page would be a fault of its own, which costs some virtual machines ten times the page:
// that is for where the system cannot populate (before Linux 5.14). What another thread writes meanwhile
// stays, since the processor changes nothing in one step: by the language's rules that is a race all the same.
__attribute__((no_sanitize("thread"))) void PopulatePages(char* at, size_t bytes) {
  constexpr size_t kAtOnce = 64 * 1024;
  constexpr size_t kPage = 4096;
  for (size_t done = 0; done < bytes; done += kAtOnce) {
    const size_t piece = std::min(kAtOnce, bytes - done);
    if (madvise(at + done, piece, MADV_POPULATE_WRITE) == 0) continue;
    for (size_t i = done; i < done + piece; i += kPage) __atomic_fetch_or(&at[i], 0, __ATOMIC_RELAXED);
  }
}

}  // namespace sluice::storage
