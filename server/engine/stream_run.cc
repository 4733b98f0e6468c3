#include "server/engine/stream_run.h"

#include <algorithm>

namespace sluice::engine {

uint32_t RunView::LowerBound(StreamId id) const {
  if (id <= first_) return 0;
  if (id > last_) return size_;
  if (id == last_) return size_ - 1;  // acknowledging and reading new entries ask for the last one most
  // first_ < id < last_, so its milliseconds have the run's base. Its sequence need not: then it lies before,
  // or behind, all that the run has of that millisecond.
  const uint64_t seq = id.seq < base_.seq ? 0 : std::min(id.seq - base_.seq, storage::kSeqLimit);
  const uint64_t wanted = ((id.ms - base_.ms) << storage::kSeqBits) + seq;
  const auto* it =
      std::lower_bound(cells_, cells_ + size_, wanted,
                       [](const storage::IndexCell& cell, uint64_t delta) { return cell.delta < delta; });
  return static_cast<uint32_t>(it - cells_);
}

RunView SealedRun::view(ObjectId stream) const {
  const storage::Sidecar& index = segment->index();
  const storage::IndexRun& run = index.Find(static_cast<uint64_t>(stream), last.ms, last.seq);
  return {segment, index.Cells(run), run.count, {run.first_ms, run.first_seq}, last, end_rank - run.count};
}

}  // namespace sluice::engine
