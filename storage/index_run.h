// How an index names entries: by runs of ascending IDs, as they stand in memory and in a sidecar's file
// alike.
#pragma once

#include <cstdint>

namespace sluice::storage {

// One entry: its ID as a difference from its run's base, and its event's offset in the segment.
struct IndexCell {
  uint32_t delta;
  uint32_t offset;
};

// An ID in a cell: 20 bits of milliseconds since the run's base and 12 bits of sequence. An ID that does not
// fit stands alone, as the first and last of its run.
inline constexpr uint32_t kSeqBits = 12;
inline constexpr uint64_t kSeqLimit = 1ull << kSeqBits;
inline constexpr uint64_t kMsLimit = 1ull << (32 - kSeqBits);

constexpr bool FitsCell(uint64_t base_ms, uint64_t ms, uint64_t seq) {
  return ms - base_ms < kMsLimit && seq < kSeqLimit;
}
constexpr uint32_t CellDelta(uint64_t base_ms, uint64_t ms, uint64_t seq) {
  return static_cast<uint32_t>(((ms - base_ms) << kSeqBits) | seq);
}

// Ascending IDs of one object in one segment. A run ends where the next ID does not fit a cell, and where it
// is not above the one before.
struct IndexRun {
  uint64_t object;
  uint64_t first_ms;
  uint64_t first_seq;
  uint64_t last_ms;
  uint64_t last_seq;
  uint64_t base_ms;
  uint32_t count;
  uint32_t cells_at;     // the first one's number among the sidecar's cells
  uint32_t last_offset;  // the last cell's
  uint32_t zero;
};

static_assert(sizeof(IndexCell) == 8 && sizeof(IndexRun) == 64, "they are read where they stand in the file");

}  // namespace sluice::storage
