// What one commit writes.
#pragma once

#include <cstdint>
#include <memory>

#include "storage/file_system.h"
#include "storage/lsn.h"

namespace sluice::storage {

// A closed stretch of a segment: room for the batch's header (filled in when the write starts, since it says
// what is durable then), and the records behind it, which nothing changes any more.
struct Batch {
  std::shared_ptr<File> file;
  std::shared_ptr<char> memory;  // the segment's
  Lsn segment_base{};
  uint64_t begin = 0;  // offset in the segment of the header,
  uint64_t end = 0;    // and behind the last record
  bool first = false;  // the segment's first: the segment's header goes out with it
  // Up to there the segment's blocks may be allocated only, and cost more to write than those that were
  // written once; 0: all were.
  uint64_t allocated_end = 0;
  uint32_t records = 0;
  uint32_t flags = 0;
  uint64_t digest = 0;

  Lsn end_lsn() const { return segment_base + end; }
};

}  // namespace sluice::storage
