// Where the entries of one stream stand in one segment of the log.
#pragma once

#include <cstdint>
#include <vector>

#include "server/engine/stream_id.h"
#include "storage/segment.h"

namespace sluice::engine {

// A run: ascending IDs with the offsets of their records. Facts of a segment's bytes: a run never forgets an
// entry, what was deleted is the stream's business. An ID is held as 20 bits of milliseconds since the run's
// base and 12 bits of sequence; where that does not fit, and at each new segment, a new run begins.
class StreamRun {
 public:
  // Begins with its first entry. `rank` counts the entries that the stream ever had before it.
  StreamRun(StreamId first, storage::Place place, uint64_t rank)
      : segment_(place.segment), base_ms_(first.ms), rank_(rank), first_(first), last_(first) {
    // An out-of-range sequence can stand alone: its run has one entry, whose ID is first_.
    cells_.push_back({Fits(first) ? DeltaOf(first) : 0, place.offset});
  }

  // Takes the next entry, whose ID is above last(); false where it needs a run of its own.
  bool Append(StreamId id, storage::Place place) {
    if (place.segment != segment_ || !Fits(id) || !Fits(first_)) return false;
    cells_.push_back({DeltaOf(id), place.offset});
    last_ = id;
    return true;
  }

  StreamId first() const { return first_; }
  StreamId last() const { return last_; }
  uint64_t rank() const { return rank_; }
  uint32_t size() const { return static_cast<uint32_t>(cells_.size()); }

  StreamId IdAt(uint32_t i) const {
    if (i == 0) return first_;
    return {base_ms_ + (cells_[i].delta >> kSeqBits), cells_[i].delta & (kSeqLimit - 1)};
  }
  storage::Place PlaceAt(uint32_t i) const { return {segment_, cells_[i].offset}; }

  // The first index whose ID is at or above `id`; size() where all are below.
  uint32_t LowerBound(StreamId id) const;

  size_t memory_bytes() const { return sizeof *this + cells_.capacity() * sizeof(Cell); }

 private:
  static constexpr uint32_t kSeqBits = 12;
  static constexpr uint64_t kSeqLimit = 1ull << kSeqBits;
  static constexpr uint64_t kMsLimit = 1ull << (32 - kSeqBits);

  struct Cell {
    uint32_t delta;
    uint32_t offset;
  };

  bool Fits(StreamId id) const { return id.ms - base_ms_ < kMsLimit && id.seq < kSeqLimit; }
  uint32_t DeltaOf(StreamId id) const {
    return static_cast<uint32_t>(((id.ms - base_ms_) << kSeqBits) | id.seq);
  }

  const storage::Segment* segment_;
  uint64_t base_ms_;
  uint64_t rank_;
  StreamId first_;
  StreamId last_;
  std::vector<Cell> cells_;
};

}  // namespace sluice::engine
