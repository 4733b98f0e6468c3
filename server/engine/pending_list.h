// What was delivered to a group and not acknowledged.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <tuple>

#include "server/engine/pending.h"
#include "server/engine/pending_blocks.h"
#include "server/engine/pending_cells.h"
#include "server/engine/stream_id.h"

namespace sluice::engine {

// Three orders over one set of entries: by ID (XPENDING, XAUTOCLAIM), by ID for each consumer (histories),
// and by who has waited longest (XREADGROUP CLAIM): first what is nobody's, in the order in which it was
// given back, then by time of delivery.
//
// An entry stands in a block where it was delivered once and together with others, as most are, and in a cell
// of its own from when it is delivered again, claimed or given back. Reading goes through both side by side.
class PendingList {
 public:
  // About what it takes, itself not included.
  size_t memory_bytes() const { return cells_.memory_bytes() + blocks_.memory_bytes(); }

  bool empty() const { return cells_.empty() && blocks_.empty(); }
  size_t size() const { return cells_.size() + blocks_.size(); }
  size_t size_of(uint32_t consumer) const { return cells_.size_of(consumer) + blocks_.size_of(consumer); }
  // The first and the last ID; there is one.
  StreamId first_id() const;
  StreamId last_id() const;

  bool contains(StreamId id) const { return Find(id).has_value(); }
  std::optional<Pending> Find(StreamId id) const;

  // Each visits entries while `visit(const Pending&)` returns true: all from `from` on, those of one
  // consumer, and all by who has waited longest.
  template <typename Visit>
  void Scan(StreamId from, Visit&& visit) const {
    Merge(cells_.From(from), blocks_.From(from), ById, visit);
  }
  template <typename Visit>
  void ScanOf(uint32_t consumer, StreamId from, Visit&& visit) const {
    Merge(cells_.Of(consumer, from), blocks_.Of(consumer, from), ById, visit);
  }
  template <typename Visit>
  void ScanLongestWaiting(Visit&& visit) const {
    Merge(cells_.LongestWaiting(), blocks_.From(kMinStreamId), ByWait, visit);
  }

  // Adds the entry, or replaces the one with its ID. What is nobody's goes behind all that is.
  void Put(const Pending& pending);

  class Delivery;

  // False where there is none.
  bool Erase(StreamId id) { return blocks_.Erase(id) || cells_.Erase(id); }
  // Everything that is pending for `consumer` goes.
  void EraseConsumer(uint32_t consumer);

  // Shows the entries that there are now, some at a time, in any order, whatever changes meanwhile.
  void BeginDump(const PendingDump& dump);
  // Shows some more; false where all have been shown.
  bool ContinueDump() { return cells_.ContinueDump() || blocks_.ContinueDump(); }
  // Above that of all that is nobody's.
  uint64_t next_turn() const { return cells_.next_turn(); }
  // Of a list that nobody needs any more: as FreeSome() of dropped.h.
  bool FreeSome(size_t& pieces) { return cells_.FreeSome(pieces) || blocks_.FreeSome(pieces); }
  // Puts what a dump showed at a time into a list without changes of its own; false where an ID is there
  // already, or is none.
  bool Restore(std::span<const DumpedPending> dumped, uint64_t next_turn);

 private:
  static bool ById(const Pending& a, const Pending& b) { return a.id < b.id; }
  // Of a cell's entry and a block's.
  static bool ByWait(const Pending& cell, const Pending& block) {
    return !cell.owned() || std::tuple(cell.delivered_ms, cell.id) < std::tuple(block.delivered_ms, block.id);
  }
  template <typename Cells, typename Before, typename Visit>
  static void Merge(Cells cell, PendingBlocks::Cursor block, Before before, Visit& visit) {
    while (!cell.done() || !block.done()) {
      if (block.done() || (!cell.done() && before(*cell, *block))) {
        if (!visit(*cell)) return;
        ++cell;
      } else {
        if (!visit(*block)) return;
        ++block;
      }
    }
  }

  PendingCells cells_;
  PendingBlocks blocks_;
};

// Adds what is delivered for the first time, one message behind the other, in the order of IDs: Put(), where
// what holds for all of them is said once. The list does not change otherwise while this lives, and has them
// all when it ends.
class PendingList::Delivery {
 public:
  Delivery(PendingList& list, uint32_t consumer, uint64_t now_ms)
      : list_(list), consumer_(consumer), now_ms_(now_ms) {}
  ~Delivery() { Flush(); }
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  void Add(StreamId id) {
    const StreamId base = BaseOf(id);
    if (count_ == deltas_.size() || (base != base_ && count_ != 0)) Flush();
    base_ = base;
    deltas_[count_++] = DeltaOf(id);
  }

 private:
  // So many are worth a block.
  static constexpr size_t kFew = 8;

  void Flush();

  PendingList& list_;
  const uint32_t consumer_;
  const uint64_t now_ms_;
  StreamId base_{};
  size_t count_ = 0;
  std::array<uint32_t, PendingBlocks::kMost> deltas_;
};

}  // namespace sluice::engine
