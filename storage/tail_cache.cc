#include "storage/tail_cache.h"

#include <utility>

namespace sluice::storage {

void TailCache::Add(Segment* segment, std::shared_ptr<File> file, uint64_t bytes) {
  bytes_ += bytes;
  held_.push_back({segment, std::move(file), bytes});
}

void TailCache::Trim(Lsn written) {
  while (bytes_ > limit_bytes_ && held_.front().segment->end_lsn() <= written) {
    Held& oldest = held_.front();
    // Its direct writes are over, so what the mapping brings in is what they wrote.
    auto mapped = oldest.file->Map(oldest.segment->end());
    if (!mapped) return;
    oldest.segment->ShowMapped(std::move(*mapped));
    bytes_ -= oldest.bytes;
    held_.pop_front();
  }
}

}  // namespace sluice::storage
