// What a stream may lose by its age and its size, planned from its index alone: no message is looked at.
#include "server/engine/stream.h"

namespace sluice::engine {

std::optional<StreamId> Stream::PlanTrimBelow(StreamId id, size_t runs) const {
  if (length_ == 0 || first_ >= id) return std::nullopt;
  const size_t whole = RunAt(id);  // runs wholly below it
  if (whole <= runs) return Previous(id);
  return runs <= sealed_.size() ? sealed_[runs - 1].last : open_[runs - sealed_.size() - 1].last();
}

bool Stream::MeasureBack(SizeWalk& walk, uint64_t enough, size_t& runs) const {
  // Between two calls runs may have been sealed or trimmed: where the walk stands is an ID, not a number.
  size_t r = walk.above ? RunAt(*walk.above) : this->runs();
  for (; r > 0 && walk.bytes < enough; --r, --runs) {
    if (runs == 0) return false;
    const RunSize size = SizeOfRun(r - 1);
    walk.bytes += size.bytes;
    walk.above = size.first;
  }
  return true;
}

// Of the sidecar only the runs are read, not the cells: those may not be resident.
Stream::RunSize Stream::SizeOfRun(size_t r) const {
  StreamId first, last;
  uint64_t bytes, count;
  if (r < sealed_.size()) {
    last = sealed_[r].last;
    const storage::IndexRun& run =
        sealed_[r].segment->index_runs().Find(static_cast<uint64_t>(id_), last.ms, last.seq);
    first = {run.first_ms, run.first_seq};
    bytes = run.bytes;
    count = run.count;
  } else {
    const StreamRun& run = open_[r - sealed_.size()];
    first = run.first();
    last = run.last();
    bytes = run.bytes();
    count = run.size();
  }
  return {first, bytes * (count - DeletedBetween(first, last)) / count};
}

}  // namespace sluice::engine
