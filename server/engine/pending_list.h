// What was delivered and not acknowledged.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <tuple>

#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_map.h>

#include "server/engine/cell_table.h"
#include "server/engine/handle_order.h"
#include "server/engine/stream_id.h"

namespace sluice::engine {

// In place of a consumer: the entry was given back (XNACK), and whoever claims it first may have it.
inline constexpr uint32_t kNobody = UINT32_MAX;

// One pending entry of a group.
struct Pending {
  StreamId id;
  uint64_t delivered_ms = 0;  // unix time of the last delivery; 0 where it is nobody's
  uint64_t deliveries = 0;
  uint32_t consumer = 0;  // by number within the group, or kNobody

  bool owned() const { return consumer != kNobody; }
};

// Three orders over one set of entries: by ID (XPENDING, XAUTOCLAIM), by ID for each consumer (histories),
// and by who has waited longest (XREADGROUP CLAIM): first what is nobody's, in the order in which it was
// given back, then by time of delivery.
//
// An entry lives in a cell of 32 bytes that stays where it is, and in each order as a number of 4 bytes. So a
// pending entry costs about 45 bytes where deliveries come in the order of IDs, and every operation O(log n).
class PendingList {
 public:
  PendingList() = default;
  PendingList(const PendingList&) = delete;
  PendingList& operator=(const PendingList&) = delete;

  // About what it takes, itself not included.
  size_t memory_bytes() const { return cells_.memory_bytes() + 3 * by_id_.memory_bytes(); }

  bool empty() const { return by_id_.empty(); }
  size_t size() const { return by_id_.size(); }
  size_t size_of(uint32_t consumer) const;
  // The first and the last ID; there is one.
  StreamId first_id() const { return At(by_id_.front()).id; }
  StreamId last_id() const { return At(by_id_.back()).id; }

  bool contains(StreamId id) const { return by_id_.Find(id) != by_id_.end(); }
  std::optional<Pending> Find(StreamId id) const;

  // Each visits entries while `visit(const Pending&)` returns true: all from `from` on, those of one
  // consumer, and all by who has waited longest.
  template <typename Visit>
  void Scan(StreamId from, Visit&& visit) const {
    Walk(by_id_, by_id_.LowerBound(from), visit);
  }
  template <typename Visit>
  void ScanOf(uint32_t consumer, StreamId from, Visit&& visit) const {
    const auto share = shares_.find(consumer);
    if (share != shares_.end()) Walk(share->second, share->second.LowerBound(from), visit);
  }
  template <typename Visit>
  void ScanLongestWaiting(Visit&& visit) const {
    Walk(by_wait_, by_wait_.begin(), visit);
  }

  // Adds the entry, or replaces the one with its ID. What is nobody's goes behind all that is.
  void Put(const Pending& pending);

  class Delivery;

  // False where there is none.
  bool Erase(StreamId id);
  // Everything that is pending for `consumer` goes.
  void EraseConsumer(uint32_t consumer);

  // An entry as a checkpoint holds it.
  struct Dumped {
    StreamId id;
    uint64_t since = 0;  // unix time of the delivery; of nobody's: its turn, below next_turn()
    uint64_t deliveries = 0;
    uint32_t consumer = 0;
  };
  using Dump = std::function<void(std::span<const Dumped>)>;
  // Shows the entries that there are now, some at a time, in any order, whatever changes meanwhile.
  void BeginDump(Dump dump);
  // Shows some more; false where all have been shown.
  bool ContinueDump() { return cells_.ContinueDump(1); }
  uint64_t next_turn() const { return next_turn_; }
  // Of a list that nobody needs any more: as FreeSome() of dropped.h.
  bool FreeSome(size_t& pieces);
  // Puts what a dump showed into a list without changes of its own; false where the ID is there already.
  bool Restore(const Dumped& dumped, uint64_t next_turn);

 private:
  enum class Handle : uint32_t {};  // the number of a cell

  struct Cell {
    StreamId id;
    uint64_t since;       // time of delivery; of nobody's: its turn
    uint32_t deliveries;  // kLarge: see large_counts_
    uint32_t consumer;    // of a free cell, whose ID is 0-0: the next free one
  };
  static_assert(sizeof(Cell) == 32);
  static constexpr uint32_t kLarge = UINT32_MAX;
  static constexpr uint32_t kNoCell = UINT32_MAX;

  struct ById {
    const PendingList* list;
    StreamId IdOf(Handle handle) const { return list->At(handle).id; }
    static StreamId IdOf(StreamId id) { return id; }
    bool operator()(auto a, auto b) const { return IdOf(a) < IdOf(b); }
  };
  struct ByWait {
    const PendingList* list;
    bool operator()(Handle a, Handle b) const {
      const Cell& x = list->At(a);
      const Cell& y = list->At(b);
      return std::tuple(x.consumer != kNobody, x.since, x.id) <
             std::tuple(y.consumer != kNobody, y.since, y.id);
    }
  };
  using Order = HandleOrder<Handle, ById>;

  const Cell& At(Handle handle) const { return cells_[static_cast<uint32_t>(handle)]; }
  Cell& Change(Handle handle) { return cells_.Change(static_cast<uint32_t>(handle)); }
  uint64_t DeliveriesOf(uint32_t cell) const;
  Pending Read(Handle handle) const;

  template <typename Set, typename Visit>
  void Walk(const Set& set, typename Set::Iterator it, Visit& visit) const {
    while (it != set.end() && visit(Read(*it))) ++it;
  }

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
  HandleOrder<Handle, ByWait> by_wait_{ByWait{this}};
  absl::btree_map<uint32_t, Order> shares_;  // by consumer, kNobody included
};

// Adds what is delivered for the first time, one message behind the other: Put(), where most of what it has
// to find out holds for all of them. Its list does not change otherwise while it lives.
class PendingList::Delivery {
 public:
  Delivery(PendingList& list, uint32_t consumer, uint64_t now_ms);
  void Add(StreamId id);

 private:
  PendingList& list_;
  const uint32_t consumer_;
  const uint64_t now_ms_;
  HandleOrder<Handle, ById>* share_ = nullptr;  // once everything belongs at the end
};

}  // namespace sluice::engine
