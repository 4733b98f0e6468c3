// The orders that an item remembers, in the order of their IDs.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "server/engine/cell_table.h"
#include "server/engine/stream_id.h"

namespace sluice::engine {

// As recorded: never renumber.
enum class OrderState : uint8_t { kForgotten = 0, kHeld = 1, kSold = 2, kExpired = 3, kCancelled = 4 };

struct Order {
  // As recorded.
  enum Flag : uint8_t {
    kOwnFields = 1,  // its message has the buyer's fields: its consumers know no other messages
    kQuotaKept = 2,  // released, and its pieces still count for its user
    kInBundle = 4,   // other items have a part of it
    kWasHeld = 8,    // it was not sold at once
  };

  StreamId id;
  int64_t time_ms = 0;    // while it is held the deadline, in the item's time; then when it was closed
  uint32_t buyer = 0;     // BuyerTable's number
  uint32_t quantity = 0;  // pieces
  uint32_t next = 0;      // of the same buyer
  uint32_t previous = 0;
  uint32_t request = 0;  // RequestTable's number
  OrderState state = OrderState::kForgotten;
  uint8_t flags = 0;

  bool open() const { return state == OrderState::kHeld; }
  bool has(Flag flag) const { return (flags & flag) != 0; }
};
static_assert(sizeof(Order) == 48);

// IDs come in ascending order, so cells need no index: they stand in stretches of 64, found by their first
// ID, and a stretch whose orders are all forgotten gives its memory back. An order's number is its own until
// it is forgotten.
class OrderTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  size_t size() const { return size_; }
  // The number of the order; kNone where it is not (or no longer) known.
  uint32_t Find(StreamId id) const;
  const Order& operator[](uint32_t number) const { return cells_[number]; }
  Order& Change(uint32_t number) { return cells_.Change(number); }

  // Takes in an order with an ID above all that ever were; the caller fills in the rest, its state not
  // kForgotten.
  uint32_t Add(StreamId id);
  void Forget(uint32_t number);
  // To be told when an order begins and ceases to be open.
  void CountOpen(uint32_t number, bool opens);
  // The first open order; kNone where there is none. Looks at stretches, not at orders.
  uint32_t FirstOpen() const;

  // Visits (number, order) in the order of IDs.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (const Stretch& stretch : stretches_) {
      for (uint32_t i = 0; stretch.live != 0 && i < stretch.used; ++i) {
        const Order& order = cells_[stretch.cells + i];
        if (order.state != OrderState::kForgotten) visit(stretch.cells + i, order);
      }
    }
  }

  // Shows (number, order) of those that there are now, some at a time, in any order, as they are now: each
  // call of `show` comes before the first change of its order.
  using Show = std::function<void(uint32_t number, const Order& order)>;
  void BeginDump(Show show) {
    cells_.BeginDump([show = std::move(show)](uint32_t first, std::span<const Order> cells) {
      for (size_t i = 0; i < cells.size(); ++i) {
        if (cells[i].state != OrderState::kForgotten) show(first + static_cast<uint32_t>(i), cells[i]);
      }
    });
  }
  // Shows some more; false where all have been shown.
  bool ContinueDump() { return cells_.ContinueDump(1); }

  // Of a table that nobody needs any more: as FreeSome() of dropped.h.
  bool FreeSome(size_t& pieces) { return cells_.FreeSome(pieces); }
  size_t memory_bytes() const {
    return cells_.memory_bytes() + stretches_.size() * sizeof(Stretch) + free_.capacity() * sizeof(uint32_t);
  }

 private:
  static constexpr uint32_t kStretch = 64;
  struct Stretch {
    StreamId first;
    uint32_t cells;  // number of the first cell; nothing while live == 0, save in the last stretch
    uint32_t used;   // cells ever used
    uint32_t live;   // cells whose order is known
    uint32_t open;   // of those, the open ones
  };

  size_t StretchOf(StreamId id) const;  // index of the last one that begins at or below `id`
  void Drop(Stretch& stretch);

  CellTable<Order, kStretch> cells_;
  std::vector<uint32_t> free_;  // chunks without memory, by their first cell
  std::deque<Stretch> stretches_;
  size_t empty_ = 0;  // stretches that only wait to be left out
  size_t size_ = 0;
};

}  // namespace sluice::engine
