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

// An ID in a cell: 20 bits of milliseconds and 12 bits of sequence. The rest of both is the run's base, which
// its first ID tells. So where a run ends and the next begins depends on two neighbours alone: a run that has
// lost entries at its front ends where it did.
inline constexpr uint32_t kSeqBits = 12;
inline constexpr uint64_t kSeqLimit = 1ull << kSeqBits;
inline constexpr uint64_t kMsLimit = 1ull << (32 - kSeqBits);

constexpr uint64_t BaseMs(uint64_t ms) {
  return ms & ~(kMsLimit - 1);
}
constexpr uint64_t BaseSeq(uint64_t seq) {
  return seq & ~(kSeqLimit - 1);
}
constexpr uint32_t CellDelta(uint64_t ms, uint64_t seq) {
  return static_cast<uint32_t>(((ms & (kMsLimit - 1)) << kSeqBits) | (seq & (kSeqLimit - 1)));
}

// Ascending IDs of one object in one segment. A run ends where the next ID has another base, and where it is
// not above the one before.
struct IndexRun {
  uint64_t object;
  uint64_t first_ms;
  uint64_t first_seq;
  uint64_t last_ms;
  uint64_t last_seq;
  uint64_t bytes;  // of the log that its entries take, about
  uint32_t count;
  uint32_t cells_at;     // the first one's number among the sidecar's cells
  uint32_t last_offset;  // the last cell's
  uint32_t zero;
};

static_assert(sizeof(IndexCell) == 8 && sizeof(IndexRun) == 64, "they are read where they stand in the file");

}  // namespace sluice::storage
