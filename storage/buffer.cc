#include "storage/buffer.h"

#include <sys/mman.h>

#include "storage/check.h"
#include "storage/format.h"

namespace sluice::storage {
namespace {

constexpr uint64_t kHugePageBytes = 2 << 20;

}  // namespace

Result<std::shared_ptr<char>> AllocateBuffer(uint64_t bytes) {
  CHECK(bytes > 0 && bytes % kBlockBytes == 0);
  // A mapping starts at any page; huge pages need theirs aligned, so ask for more and give the ends back.
  const bool huge = bytes >= kHugePageBytes;
  const uint64_t asked = huge ? bytes + kHugePageBytes : bytes;
  void* mapped = mmap(nullptr, asked, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) {
    return tl::make_unexpected(
        Error{Error::Code::kFull, "no memory for a segment of " + std::to_string(bytes) + " bytes"});
  }
  char* start = static_cast<char*>(mapped);
  if (huge) {
    const uint64_t address = reinterpret_cast<uintptr_t>(start);
    const uint64_t before = AlignUp(address, kHugePageBytes) - address;
    if (before > 0) munmap(start, before);
    if (kHugePageBytes - before > 0) munmap(start + before + bytes, kHugePageBytes - before);
    start += before;
    madvise(start, bytes, MADV_HUGEPAGE);  // a wish: without them it only costs more page faults
  }
  return std::shared_ptr<char>(start, [bytes](char* memory) { munmap(memory, bytes); });
}

void PopulateBuffer(char* buffer, uint64_t bytes) {
#ifdef MADV_POPULATE_WRITE
  if (madvise(buffer, bytes, MADV_POPULATE_WRITE) == 0) return;
#endif
  // An older kernel: a touch does the same. The pages are nobody's yet.
  for (uint64_t offset = 0; offset < bytes; offset += kBlockBytes) {
    *const_cast<volatile char*>(buffer + offset) = 0;
  }
}

}  // namespace sluice::storage
