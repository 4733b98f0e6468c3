#include "storage/kernel_page_cache.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

namespace sluice::storage {
namespace {

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22  // the kernel may know it though its headers here do not
#endif

const uintptr_t kPageBytes = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));

// Whole pages, as the kernel wants them.
struct Pages {
  explicit Pages(std::span<const char> memory)
      : begin(reinterpret_cast<uintptr_t>(memory.data()) & ~(kPageBytes - 1)),
        bytes(reinterpret_cast<uintptr_t>(memory.data()) + memory.size() - begin) {}
  char* at(size_t offset) const { return reinterpret_cast<char*>(begin + offset); }

  uintptr_t begin;
  size_t bytes;
};

}  // namespace

bool KernelPageCache::Has(std::span<const char> memory) {
  constexpr size_t kPagesAtOnce = 1024;
  std::array<unsigned char, kPagesAtOnce> in_memory;
  const Pages pages(memory);
  for (size_t at = 0; at < pages.bytes; at += kPagesAtOnce * kPageBytes) {
    const size_t bytes = std::min(pages.bytes - at, kPagesAtOnce * kPageBytes);
    if (mincore(pages.at(at), bytes, in_memory.data()) != 0) return true;
    const auto end = in_memory.begin() + static_cast<ptrdiff_t>((bytes + kPageBytes - 1) / kPageBytes);
    if (std::any_of(in_memory.begin(), end, [](unsigned char page) { return (page & 1) == 0; })) return false;
  }
  return true;
}

void KernelPageCache::Announce(std::span<const char> memory) {
  const Pages pages(memory);
  // Advice: nothing is lost where it is not taken.
  static_cast<void>(madvise(pages.at(0), pages.bytes, MADV_WILLNEED));
}

void KernelPageCache::BringIn(std::span<const char> memory) {
  const Pages pages(memory);
  if (madvise(pages.at(0), pages.bytes, MADV_POPULATE_READ) == 0 || errno != EINVAL) return;
  for (size_t at = 0; at < pages.bytes; at += kPageBytes) {
    static_cast<void>(*static_cast<const volatile char*>(pages.at(at)));
  }
}

}  // namespace sluice::storage
