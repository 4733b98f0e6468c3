#include "storage/pages.h"

#include <sys/mman.h>

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

// What another thread writes meanwhile stays, since the processor changes nothing in one step: by the
// language's rules that is a race all the same.
__attribute__((no_sanitize("thread"))) void PopulatePages(char* at, size_t bytes) {
  // By touch, where MADV_POPULATE_WRITE would do it in one call: a fault locks its own mapping, the call
  // locks out all that map, and every allocation that needs the system waits for it. What is there already
  // stays.
  constexpr size_t kPage = 4096;
  for (size_t offset = 0; offset < bytes; offset += kPage) {
    __atomic_fetch_or(&at[offset], 0, __ATOMIC_RELAXED);
  }
}

}  // namespace sluice::storage
