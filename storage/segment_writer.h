// The tail of the active segment: where records are put, and what of it is not in a batch yet.
//
//     0        4096                begin_              position_          limit_    capacity
//     | header | batches, closed   | batch header, reserved | records | ...   | 64 bytes |
//
// Room for one batch header is kept behind `limit_`, so that an empty batch can always end the segment.
#pragma once

#include <cstdint>
#include <memory>

#include "storage/batch.h"
#include "storage/check.h"
#include "storage/checksum.h"
#include "storage/file_system.h"
#include "storage/format.h"
#include "storage/prefetch.h"
#include "storage/segment.h"

namespace sluice::storage {

class SegmentWriter {
 public:
  // A segment to write to. `memory` is the one that `segment` shows.
  struct Target {
    const Segment* segment = nullptr;
    std::shared_ptr<File> file;
    std::shared_ptr<char> memory;
    uint64_t capacity = 0;
    uint64_t offset = 0;  // where the next batch begins
    bool fresh = false;   // its header is in memory only
    bool zeroed = false;  // its blocks have been written once, as far as anybody knows
  };

  explicit SegmentWriter(const Checksum& checksum) : checksum_(checksum) {}

  // Goes on in `target`. No record is open and the last batch is closed.
  void Continue(Target target);
  // No record fits any more.
  void Stop() { limit_ = 0; }

  bool Fits(uint64_t max_bytes) const { return position_ + RecordBytes(max_bytes) <= limit_; }

  // Opens a record that Fits(); returns where its body goes.
  Place Begin(size_t max_bytes) {
    CHECK(open_bytes_ == 0);
    open_bytes_ = max_bytes;
    return {target_.segment, static_cast<uint32_t>(position_ + kRecordHeaderBytes)};
  }
  char* body() const { return target_.memory.get() + position_ + kRecordHeaderBytes; }

  // Seals the open record.
  void End(size_t bytes) {
    CHECK(bytes > 0 && bytes <= open_bytes_);
    open_bytes_ = 0;
    char* record = target_.memory.get() + position_;
    const uint64_t whole = RecordBytes(bytes);
    // The room may hold what the caller wrote beyond `bytes`: the padding is zero, in one step.
    char* last_word = record + whole - 8;
    StoreLittle(last_word, LoadLittle<uint64_t>(last_word) &
                               (~uint64_t{0} >> (8 * (whole - kRecordHeaderBytes - bytes))));
    StoreLittle(record + 8, static_cast<uint32_t>(bytes));
    StoreLittle(record + 12, RecordHeader::kEvents);
    const uint64_t checksum = checksum_(target_.segment->base() + position_, record + 8, whole - 8);
    StoreLittle(record, checksum);
    digest_ = FoldDigest(digest_, checksum);
    ++records_;
    position_ += whole;
    tail_ = target_.segment->base() + position_;
    // The memory was a sealed segment's before: what the next records will be written over is brought back.
    constexpr uint64_t kAhead = 512;
    Prefetch(target_.memory.get() + position_ + kAhead, whole);
  }

  void Cancel() { open_bytes_ = 0; }

  bool record_open() const { return open_bytes_ != 0; }
  bool has_records() const { return records_ != 0; }
  // Room for an empty batch that leaves room for another, for the sake of the closing one.
  bool HasRoomForEmptyBatch() const { return position_ + kBatchHeaderBytes <= target_.capacity; }
  bool HasRoomForClosingBatch() const { return position_ <= target_.capacity; }

  // Closes the batch of the records sealed since the last one (there may be none).
  Batch CloseBatch(uint32_t flags);

  // Behind the last sealed record.
  Lsn tail() const { return tail_; }
  // Behind the last closed batch.
  Lsn closed_end() const { return target_.segment->base() + begin_; }
  const std::shared_ptr<File>& file() const { return target_.file; }
  uint64_t capacity() const { return target_.capacity; }

 private:
  void BeginBatch(uint64_t offset);

  Checksum checksum_;
  Target target_;
  uint64_t begin_ = 0;
  uint64_t position_ = 0;
  uint64_t limit_ = 0;
  size_t open_bytes_ = 0;
  uint32_t records_ = 0;
  uint64_t digest_ = 0;
  Lsn tail_{};
};

}  // namespace sluice::storage
