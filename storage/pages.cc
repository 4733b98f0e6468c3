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

void PopulatePages(char* at, size_t bytes) {
#ifdef MADV_POPULATE_WRITE
  if (madvise(at, bytes, MADV_POPULATE_WRITE) == 0) return;
#endif
  // An older kernel: a touch does the same. What is written there already stays.
  constexpr size_t kPage = 4096;
  for (size_t offset = 0; offset < bytes; offset += kPage) {
    volatile char& touched = at[offset];
    touched = touched;
  }
}

}  // namespace sluice::storage
