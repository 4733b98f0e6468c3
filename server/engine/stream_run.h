// Where the entries of one stream stand in one segment of the log.
//
// A run: ascending IDs with the offsets of their records. Facts of a segment's bytes: a run never forgets an
// entry, what was deleted is the stream's business. While a segment is being recorded its runs are in memory
// (StreamRun). Once it is sealed they stand in its sidecar, and memory keeps what it takes to find them there
// (SealedRun). Readers see one thing in both cases (RunView).
#pragma once

#include <cstdint>

#include <absl/container/inlined_vector.h>

#include "server/engine/object_id.h"
#include "server/engine/packed_id.h"
#include "server/engine/stream_id.h"
#include "storage/segment.h"

namespace sluice::engine {

// A run to read in, until the next change of the stream or the end of the command.
class RunView {
 public:
  RunView(const storage::Segment* segment, const storage::IndexCell* cells, uint32_t size, StreamId first,
          StreamId last, uint64_t rank)
      : segment_(segment),
        cells_(cells),
        base_(BaseOf(first)),
        first_(first),
        last_(last),
        rank_(rank),
        size_(size) {}

  StreamId first() const { return first_; }
  StreamId last() const { return last_; }
  // How many entries the stream ever had before this run's first one.
  uint64_t rank() const { return rank_; }
  uint32_t size() const { return size_; }

  StreamId IdAt(uint32_t i) const { return IdIn(cells_[i].delta, base_); }
  storage::Place PlaceAt(uint32_t i) const { return {segment_, cells_[i].offset}; }

  // The first index whose ID is at or above `id`; size() where all are below.
  uint32_t LowerBound(StreamId id) const;

 private:
  const storage::Segment* segment_;
  const storage::IndexCell* cells_;
  StreamId base_;
  StreamId first_;
  StreamId last_;
  uint64_t rank_;
  uint32_t size_;
};

// A run in memory, which grows. Where an ID has another base, and at each new segment, a new run begins.
class StreamRun {
 public:
  StreamRun() = default;  // empty: as good as none
  // Begins with its first entry, of `bytes` in the log. `rank` counts the entries that the stream ever had
  // before it.
  StreamRun(StreamId first, storage::Place place, uint64_t bytes, uint64_t rank)
      : segment_(place.segment), rank_(rank), bytes_(bytes), first_(first) {
    cells_.push_back({DeltaOf(first), place.offset});
  }

  // Takes the next entry, whose ID is above last(); false where it needs a run of its own.
  bool Append(StreamId id, storage::Place place, uint64_t bytes) {
    if (place.segment != segment_ || BaseOf(id) != BaseOf(first_)) return false;
    cells_.push_back({DeltaOf(id), place.offset});
    bytes_ += bytes;
    return true;
  }

  const storage::Segment* segment() const { return segment_; }
  StreamId first() const { return first_; }
  StreamId last() const { return IdIn(cells_.back().delta, BaseOf(first_)); }
  uint64_t rank() const { return rank_; }
  uint64_t end_rank() const { return rank_ + cells_.size(); }
  void ShiftRank(uint64_t by) { rank_ += by; }
  size_t size() const { return cells_.size(); }
  uint64_t bytes() const { return bytes_; }  // of the log that its entries take, about

  RunView view() const {
    return {segment_, cells_.data(), static_cast<uint32_t>(cells_.size()), first_, last(), rank_};
  }
  // Beside itself.
  size_t memory_bytes() const {
    return cells_.capacity() == kOwnCells ? 0 : cells_.capacity() * sizeof(storage::IndexCell);
  }

 private:
  const storage::Segment* segment_ = nullptr;
  uint64_t rank_ = 0;
  uint64_t bytes_ = 0;
  StreamId first_;
  // Where there are many streams a segment holds few entries of each: those take no memory of their own.
  static constexpr size_t kOwnCells = 4;

  absl::InlinedVector<storage::IndexCell, kOwnCells> cells_;
};

// A run in a sealed segment's sidecar, found there by its object and its last ID. It names neither a row nor
// a position, and counts its ranks from the end: a sidecar that has lost dead entries at its front serves as
// well.
struct SealedRun {
  StreamId last;
  const storage::Segment* segment = nullptr;
  uint64_t end_rank = 0;  // behind its last entry

  RunView view(ObjectId stream) const;
};
static_assert(sizeof(SealedRun) == 32, "a billion messages wait in few thousand of these");

}  // namespace sluice::engine
