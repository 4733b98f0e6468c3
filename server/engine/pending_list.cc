#include "server/engine/pending_list.h"

#include <utility>

namespace sluice::engine {

StreamId PendingList::first_id() const {
  if (cells_.empty()) return blocks_.first_id();
  return blocks_.empty() ? cells_.first_id() : std::min(cells_.first_id(), blocks_.first_id());
}

StreamId PendingList::last_id() const {
  if (cells_.empty()) return blocks_.last_id();
  return blocks_.empty() ? cells_.last_id() : std::max(cells_.last_id(), blocks_.last_id());
}

std::optional<Pending> PendingList::Find(StreamId id) const {
  if (auto found = blocks_.Find(id)) return found;
  return cells_.Find(id);
}

void PendingList::Put(const Pending& pending) {
  blocks_.Erase(pending.id);
  cells_.Put(pending);
}

void PendingList::EraseConsumer(uint32_t consumer) {
  blocks_.EraseConsumer(consumer);
  cells_.EraseConsumer(consumer);
}

void PendingList::BeginDump(const PendingDump& dump) {
  cells_.BeginDump(dump);
  blocks_.BeginDump(dump);
}

// What a dump shows at a time may be a block, or cells that were delivered together.
bool PendingList::Restore(std::span<const DumpedPending> dumped, uint64_t next_turn) {
  cells_.set_next_turn(next_turn);
  for (size_t begin = 0; begin < dumped.size();) {
    const DumpedPending& first = dumped[begin];
    const bool delivered = first.consumer != kNobody && first.deliveries == 1;
    size_t end = begin;
    StreamId last = kMinStreamId;
    for (; end < dumped.size(); ++end) {
      const DumpedPending& next = dumped[end];
      if (end != begin && (!delivered || next.consumer != first.consumer || next.since != first.since ||
                           next.deliveries != 1 || next.id <= last))
        break;
      const bool has_turn = next.consumer != kNobody || next.since < next_turn;
      if (next.id == kMinStreamId || contains(next.id) || !has_turn) return false;
      last = next.id;
    }
    if (delivered) {
      Delivery delivery(*this, first.consumer, first.since);
      for (; begin < end; ++begin) delivery.Add(dumped[begin].id);
    } else {
      cells_.Restore(dumped[begin++]);
    }
  }
  return true;
}

void PendingList::Delivery::Flush() {
  if (count_ == 0) return;
  const std::span<const uint32_t> deltas(deltas_.data(), std::exchange(count_, 0));
  const StreamId first = IdIn(deltas.front(), base_);
  const StreamId last = IdIn(deltas.back(), base_);
  if (deltas.size() >= kFew && list_.blocks_.Takes(first, now_ms_) && !list_.cells_.HasBetween(first, last)) {
    list_.blocks_.Append(consumer_, now_ms_, base_, deltas);
    return;
  }
  for (const uint32_t delta : deltas)
    list_.Put({.id = IdIn(delta, base_), .delivered_ms = now_ms_, .deliveries = 1, .consumer = consumer_});
}

}  // namespace sluice::engine
