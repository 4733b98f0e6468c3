// IDs in 32 bits each, beside what neighbours have in common.
#pragma once

#include <cstdint>

#include "server/engine/stream_id.h"
#include "storage/index_run.h"

namespace sluice::engine {

// What IDs must have in common to stand beside each other, and the rest of one, as an index's cells have it.
// With one base the rests are in the order of their IDs.
inline StreamId BaseOf(StreamId id) {
  return {storage::BaseMs(id.ms), storage::BaseSeq(id.seq)};
}
inline uint32_t DeltaOf(StreamId id) {
  return storage::CellDelta(id.ms, id.seq);
}
inline StreamId IdIn(uint32_t delta, StreamId base) {
  return {base.ms | (delta >> storage::kSeqBits), base.seq | (delta & (storage::kSeqLimit - 1))};
}

}  // namespace sluice::engine
