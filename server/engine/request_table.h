// The request ids that an item remembers: what each of them did.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string_view>
#include <utility>

#include "server/engine/cell_table.h"
#include "server/engine/small_text.h"
#include "server/engine/step_index.h"

namespace sluice::engine {

// A request either placed an order, and is remembered as long as that is, or changed the stock.
class RequestTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  explicit RequestTable(uint64_t hash_seed) : seed_(hash_seed) {}

  struct Request {
    uint32_t order = kNone;  // OrderTable's number; kNone: it changed the stock
    int64_t delta = 0;       // by so many pieces
  };

  size_t size() const { return index_.size(); }
  // The number of the request; kNone where it is not known.
  uint32_t Find(std::string_view id) const;
  const Request& operator[](uint32_t number) const { return cells_[number].request; }
  std::string_view IdOf(uint32_t number) const { return cells_[number].id.view(); }

  // Remembers an id that is not known. One that changed the stock is queued to be forgotten.
  uint32_t AddOrder(std::string_view id, uint32_t order);
  void AddRestock(std::string_view id, int64_t delta, int64_t now_ms);
  void Forget(uint32_t number);

  // Changes of stock, the oldest first: how many there are, when the n-th was made, and the end of the
  // oldest.
  size_t restocks() const { return restocks_.size(); }
  int64_t RestockTime(size_t n) const { return restocks_[n].time_ms; }
  uint32_t RestockNumber(size_t n) const { return restocks_[n].number; }
  void ForgetOldestRestock();

  // Shows (number, id) of the requests that placed an order, as they are now, some at a time, in any order.
  using Show = std::function<void(uint32_t number, std::string_view id)>;
  void BeginDump(Show show) {
    cells_.BeginDump([show = std::move(show)](uint32_t first, std::span<const Cell> cells) {
      for (size_t i = 0; i < cells.size(); ++i) {
        if (!cells[i].free && cells[i].request.order != kNone) {
          show(first + static_cast<uint32_t>(i), cells[i].id.view());
        }
      }
    });
  }
  // Shows some more; false where all have been shown.
  bool ContinueDump() { return cells_.ContinueDump(1); }

  // Of a table that nobody needs any more: as FreeSome() of dropped.h.
  bool FreeSome(size_t& pieces) { return index_.FreeSome(pieces) || cells_.FreeSome(pieces); }
  size_t memory_bytes() const {
    return sizeof *this + index_.memory_bytes() + cells_.memory_bytes() + heap_bytes_ +
           restocks_.size() * sizeof(Restock);
  }

 private:
  struct Cell {
    SmallText<36> id;  // a UUID as text
    bool free = true;
    Request request;  // of a free cell: `order` is the next free one
  };
  struct Restock {
    int64_t time_ms;
    uint32_t number;
  };

  uint32_t Add(std::string_view id, Request request);

  uint64_t seed_;
  StepIndex index_;
  CellTable<Cell> cells_;
  uint32_t free_ = kNone;
  size_t heap_bytes_ = 0;
  std::deque<Restock> restocks_;
};

}  // namespace sluice::engine
