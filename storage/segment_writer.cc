#include "storage/segment_writer.h"

#include <utility>

namespace sluice::storage {

void SegmentWriter::Continue(Target target) {
  CHECK(!record_open() && !has_records());
  const bool first = target_.segment == nullptr;
  target_ = std::move(target);
  BeginBatch(target_.offset);
  limit_ = target_.capacity - kBatchHeaderBytes;
  // A roll moves no record: what waits for the tail waits for the last one in the segment before.
  if (first) tail_ = closed_end();
}

Batch SegmentWriter::CloseBatch(uint32_t flags) {
  CHECK(!record_open() && position_ <= target_.capacity);
  Batch batch{.file = target_.file,
              .memory = target_.memory,
              .segment_base = target_.segment->base(),
              .begin = begin_,
              .end = position_,
              .first = std::exchange(target_.fresh, false),
              .allocated_end = target_.zeroed ? 0 : target_.capacity,
              .records = records_,
              .flags = flags,
              .digest = digest_};
  BeginBatch(position_);
  return batch;
}

void SegmentWriter::BeginBatch(uint64_t offset) {
  begin_ = offset;
  position_ = offset + kBatchHeaderBytes;
  records_ = 0;
  digest_ = 0;
}

}  // namespace sluice::storage
