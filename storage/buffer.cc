#include "storage/buffer.h"

#include <sys/mman.h>

#include "storage/check.h"
#include "storage/format.h"
#include "storage/pages.h"

namespace sluice::storage {

Result<std::shared_ptr<char>> AllocateBuffer(uint64_t bytes) {
  CHECK(bytes > 0 && bytes % kBlockBytes == 0);
  char* start = MapPages(bytes);
  if (start == nullptr) {
    return tl::make_unexpected(
        Error{Error::Code::kFull, "no memory for a segment of " + std::to_string(bytes) + " bytes"});
  }
  if (bytes >= kHugePageBytes) WishForHugePages(start, bytes);
  return std::shared_ptr<char>(start, [bytes](char* memory) { munmap(memory, bytes); });
}

}  // namespace sluice::storage
