#include "server/engine/pending_cells.h"

#include <iterator>
#include <utility>
#include <vector>

#include "server/engine/free_some.h"

namespace sluice::engine {

size_t PendingCells::size_of(uint32_t consumer) const {
  const auto share = shares_.find(consumer);
  return share == shares_.end() ? 0 : share->second.size();
}

std::optional<Pending> PendingCells::Find(StreamId id) const {
  const auto it = by_id_.Find(id);
  if (it == by_id_.end()) return std::nullopt;
  return Read(*it);
}

bool PendingCells::HasBetween(StreamId first, StreamId last) const {
  if (empty() || last_id() < first) return false;
  return At(*by_id_.LowerBound(first)).id <= last;
}

PendingCells::Cursor<PendingCells::Order> PendingCells::Of(uint32_t consumer, StreamId from) const {
  const auto share = shares_.find(consumer);
  if (share == shares_.end()) return {};
  return {*this, share->second, share->second.LowerBound(from)};
}

void PendingCells::Put(const Pending& pending) {
  const bool behind_all = empty() || last_id() < pending.id;
  const auto existing = behind_all ? by_id_.end() : by_id_.Find(pending.id);
  if (existing == by_id_.end()) {
    const Handle handle = Allocate();
    Write(handle, pending);
    by_id_.Insert(handle);
    Link(handle);
  } else {
    const Handle handle = *existing;
    Unlink(handle);
    Write(handle, pending);
    Link(handle);
  }
}

bool PendingCells::Erase(StreamId id) {
  const auto it = by_id_.Find(id);
  if (it == by_id_.end()) return false;
  const Handle handle = *it;
  Unlink(handle);
  by_id_.EraseAt(it, handle);
  Free(handle);
  ForgetIfEmpty();
  return true;
}

void PendingCells::EraseConsumer(uint32_t consumer) {
  const auto it = shares_.find(consumer);
  if (it == shares_.end()) return;
  const Order share = std::move(it->second);
  shares_.erase(it);
  for (Handle handle : share) {
    by_wait_.Erase(handle);
    by_id_.Erase(handle);
  }
  // Only now: the share's order reads the cells.
  for (Handle handle : share) Free(handle);
  ForgetIfEmpty();
}

Pending PendingCells::Read(Handle handle) const {
  const Cell& cell = At(handle);
  Pending pending{cell.id, cell.since, cell.deliveries, cell.consumer};
  if (!pending.owned()) pending.delivered_ms = 0;
  pending.deliveries = DeliveriesOf(static_cast<uint32_t>(handle));
  return pending;
}

uint64_t PendingCells::DeliveriesOf(uint32_t cell) const {
  const uint32_t deliveries = cells_[cell].deliveries;
  return deliveries == kLarge ? large_counts_.find(cell)->second : deliveries;
}

void PendingCells::Write(Handle handle, const Pending& pending) {
  Cell& cell = Change(handle);  // first: a dump may want the large count that goes
  if (cell.deliveries == kLarge) large_counts_.erase(static_cast<uint32_t>(handle));
  const bool large = pending.deliveries >= kLarge;
  if (large) large_counts_[static_cast<uint32_t>(handle)] = pending.deliveries;
  cell = {.id = pending.id,
          .since = pending.owned() ? pending.delivered_ms : next_turn_++,
          .deliveries = large ? kLarge : static_cast<uint32_t>(pending.deliveries),
          .consumer = pending.consumer};
}

void PendingCells::Link(Handle handle) {
  const uint32_t consumer = At(handle).consumer;
  shares_.try_emplace(consumer, ById{this}).first->second.Insert(handle);
  by_wait_.Insert(handle);
}

void PendingCells::Unlink(Handle handle) {
  by_wait_.Erase(handle);
  shares_.find(At(handle).consumer)->second.Erase(handle);
}

PendingCells::Handle PendingCells::Allocate() {
  if (free_ != kNoCell) {
    const Handle handle{free_};
    free_ = At(handle).consumer;
    return handle;
  }
  return Handle{cells_.Add()};
}

void PendingCells::Free(Handle handle) {
  Cell& cell = Change(handle);
  if (cell.deliveries == kLarge) large_counts_.erase(static_cast<uint32_t>(handle));
  cell = {
      .id = {}, .since = 0, .deliveries = 0, .consumer = std::exchange(free_, static_cast<uint32_t>(handle))};
}

// A group that has caught up gives back what its worst backlog took.
void PendingCells::ForgetIfEmpty() {
  if (!by_id_.empty()) return;
  cells_.Clear();
  free_ = kNoCell;
}

void PendingCells::BeginDump(PendingDump dump) {
  cells_.BeginDump([this, dump = std::move(dump), shown = std::vector<DumpedPending>()](
                       uint32_t first, std::span<const Cell> cells) mutable {
    shown.clear();
    for (uint32_t i = 0; i < cells.size(); ++i) {
      const Cell& cell = cells[i];
      if (cell.id == kMinStreamId) continue;
      shown.push_back({cell.id, cell.since, DeliveriesOf(first + i), cell.consumer});
    }
    if (!shown.empty()) dump(shown);
  });
}

void PendingCells::Restore(const DumpedPending& dumped) {
  // Write() gives what is nobody's the next turn.
  const uint64_t next_turn = std::exchange(next_turn_, dumped.since);
  Put({dumped.id, dumped.since, dumped.deliveries, dumped.consumer});
  next_turn_ = next_turn;
}

// The orders ask the cells: those go behind them.
bool PendingCells::FreeSome(size_t& pieces) {
  if (by_wait_.FreeSome(pieces) || by_id_.FreeSome(pieces)) return true;
  if (EraseLarge(shares_, pieces, [](auto& share, size_t& left) { return share.second.FreeSome(left); }))
    return true;
  return cells_.FreeSome(pieces);
}

}  // namespace sluice::engine
