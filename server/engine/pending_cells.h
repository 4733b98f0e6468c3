// Pending entries of any kind, in any order: a cell for each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>

#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_map.h>

#include "server/engine/cell_table.h"
#include "server/engine/handle_order.h"
#include "server/engine/pending.h"

namespace sluice::engine {

// Three orders over one set of entries: by ID, by ID for each consumer, and by who has waited longest: first
// what is nobody's, in the order in which it was given back, then by time of delivery.
//
// An entry lives in a cell of 32 bytes that stays where it is, and in each order as a number of 4 bytes. So
// it costs about 45 bytes where deliveries come in the order of IDs, and every operation O(log n).
class PendingCells {
  enum class Handle : uint32_t {};  // the number of a cell

  struct Cell {
    StreamId id;
    uint64_t since;       // time of delivery; of nobody's: its turn
    uint32_t deliveries;  // kLarge: see large_counts_
    uint32_t consumer;    // of a free cell, whose ID is 0-0: the next free one
  };
  static_assert(sizeof(Cell) == 32);

  struct ById {
    const PendingCells* cells;
    StreamId IdOf(Handle handle) const { return cells->At(handle).id; }
    static StreamId IdOf(StreamId id) { return id; }
    bool operator()(auto a, auto b) const { return IdOf(a) < IdOf(b); }
  };
  struct ByWait {
    const PendingCells* cells;
    bool operator()(Handle a, Handle b) const {
      const Cell& x = cells->At(a);
      const Cell& y = cells->At(b);
      return std::tuple(x.consumer != kNobody, x.since, x.id) <
             std::tuple(y.consumer != kNobody, y.since, y.id);
    }
  };
  using Order = HandleOrder<Handle, ById>;
  using Waiting = HandleOrder<Handle, ByWait>;

 public:
  PendingCells() = default;
  PendingCells(const PendingCells&) = delete;
  PendingCells& operator=(const PendingCells&) = delete;

  // About what it takes, itself not included.
  size_t memory_bytes() const { return cells_.memory_bytes() + 3 * by_id_.memory_bytes(); }

  bool empty() const { return by_id_.empty(); }
  size_t size() const { return by_id_.size(); }
  size_t size_of(uint32_t consumer) const;
  // Of what is not empty.
  StreamId first_id() const { return At(by_id_.front()).id; }
  StreamId last_id() const { return At(by_id_.back()).id; }

  std::optional<Pending> Find(StreamId id) const;
  // Whether there is any from `first` to `last`, both included.
  bool HasBetween(StreamId first, StreamId last) const;

  // A place in one of the orders, until the next change.
  template <typename Set>
  class Cursor {
   public:
    Cursor() = default;  // at the end
    Cursor(const PendingCells& cells, const Set& set, typename Set::Iterator at)
        : cells_(&cells), set_(&set), at_(at) {}
    bool done() const { return set_ == nullptr || at_ == set_->end(); }
    Pending operator*() const { return cells_->Read(*at_); }
    void operator++() { ++at_; }

   private:
    const PendingCells* cells_ = nullptr;
    const Set* set_ = nullptr;
    typename Set::Iterator at_;
  };
  Cursor<Order> From(StreamId id) const { return {*this, by_id_, by_id_.LowerBound(id)}; }
  Cursor<Order> Of(uint32_t consumer, StreamId from) const;
  Cursor<Waiting> LongestWaiting() const { return {*this, by_wait_, by_wait_.begin()}; }

  // Adds the entry, or replaces the one with its ID. What is nobody's goes behind all that is.
  void Put(const Pending& pending);
  // False where there is none.
  bool Erase(StreamId id);
  void EraseConsumer(uint32_t consumer);

  // As PendingList's. Of nobody's, `since` is below next_turn().
  void BeginDump(PendingDump dump);
  bool ContinueDump() { return cells_.ContinueDump(1); }
  uint64_t next_turn() const { return next_turn_; }
  void set_next_turn(uint64_t turn) { next_turn_ = turn; }
  void Restore(const DumpedPending& dumped);
  bool FreeSome(size_t& pieces);

 private:
  static constexpr uint32_t kLarge = UINT32_MAX;
  static constexpr uint32_t kNoCell = UINT32_MAX;

  const Cell& At(Handle handle) const { return cells_[static_cast<uint32_t>(handle)]; }
  Cell& Change(Handle handle) { return cells_.Change(static_cast<uint32_t>(handle)); }
  uint64_t DeliveriesOf(uint32_t cell) const;
  Pending Read(Handle handle) const;

  Handle Allocate();
  void Free(Handle handle);
  void Write(Handle handle, const Pending& pending);
  // Takes the entry into, or out of, its consumer's order and the order of waiting.
  void Link(Handle handle);
  void Unlink(Handle handle);
  void ForgetIfEmpty();

  CellTable<Cell> cells_;
  uint32_t free_ = kNoCell;
  absl::flat_hash_map<uint32_t, uint64_t> large_counts_;  // by cell
  uint64_t next_turn_ = 0;
  Order by_id_{ById{this}};
  Waiting by_wait_{ByWait{this}};
  absl::btree_map<uint32_t, Order> shares_;  // by consumer, kNobody included
};

}  // namespace sluice::engine
