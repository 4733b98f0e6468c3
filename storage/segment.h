// One file of the log, as readers see it.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "storage/lsn.h"

namespace sluice::storage {

// A stretch of the log. Its bytes stay where they are for as long as the segment lives, first in the memory
// that they were recorded into, later behind a read-only mapping of the file: a reader sees one pointer in
// every case. Offsets are file offsets, so base() is the LSN of offset 0 (the segment's own header).
class Segment {
 public:
  Segment(uint64_t sequence, Lsn base, std::shared_ptr<const char> data)
      : sequence_(sequence), base_(base), data_(std::move(data)) {}

  uint64_t sequence() const { return sequence_; }
  Lsn base() const { return base_; }
  const char* data() const { return data_.get(); }

 private:
  uint64_t sequence_;
  Lsn base_;
  std::shared_ptr<const char> data_;
};

// Where something stands in the log: valid for as long as its segment is kept.
struct Place {
  const Segment* segment = nullptr;
  uint32_t offset = 0;

  const char* data() const { return segment->data() + offset; }
  Lsn lsn() const { return segment->base() + offset; }
};

}  // namespace sluice::storage
