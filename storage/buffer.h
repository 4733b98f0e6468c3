// Memory for a segment: whole blocks, aligned for O_DIRECT, in huge pages where there are any.
#pragma once

#include <cstdint>
#include <memory>

#include "storage/result.h"

namespace sluice::storage {

// `bytes` (a multiple of kBlockBytes) of zeroed memory that the system hands out page by page. kFull where it
// has none.
Result<std::shared_ptr<char>> AllocateBuffer(uint64_t bytes);

}  // namespace sluice::storage
