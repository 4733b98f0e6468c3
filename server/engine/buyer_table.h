// Who bought how many: millions of short names and a count each.
#pragma once

#include <cstdint>
#include <string_view>

#include "server/engine/cell_table.h"
#include "server/engine/small_text.h"
#include "server/engine/step_index.h"

namespace sluice::engine {

// Buyers are numbered. A number is a buyer's own until it is forgotten, so a walk over the numbers meets
// every buyer that is there throughout, however the table grows meanwhile: that is SECKILL.BUYERS' promise. A
// buyer of up to 19 bytes costs 40 to 60 bytes, index included.
class BuyerTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;  // no buyer, no order

  explicit BuyerTable(uint64_t hash_seed) : seed_(hash_seed) {}

  // What is known of a user, found with one hash.
  struct Known {
    uint64_t hash;
    uint32_t number;  // kNone: a stranger
    uint64_t pieces;
  };
  Known Find(std::string_view user) const { return Find(user, HashOf(user)); }
  Known Find(std::string_view user, uint64_t hash) const;
  uint64_t HashOf(std::string_view user) const;

  // Find(user) will soon be asked.
  void Prefetch(std::string_view user) const { index_.Prefetch(HashOf(user)); }

  // Takes a stranger in, with no pieces yet, and returns the number. `hash` is HashOf(user).
  uint32_t Add(std::string_view user, uint64_t hash);
  void AddPieces(uint32_t number, uint32_t pieces);
  void TakePieces(uint32_t number, uint32_t pieces);  // no more than there are
  // Forgets a buyer without pieces and without orders.
  void Forget(uint32_t number);

  // The first of the orders that the owner of this table has chained to the buyer; kNone where there is none.
  uint32_t first_order(uint32_t number) const { return cells_[number].first_order; }
  void set_first_order(uint32_t number, uint32_t order) { cells_.Change(number).first_order = order; }

  size_t size() const { return index_.size(); }
  // Those who have pieces.
  uint64_t holders() const { return holders_; }
  // Walks: numbers go from 0 to numbers() - 1; a number may be nobody's.
  uint32_t numbers() const { return cells_.size(); }
  bool Exists(uint32_t number) const { return cells_[number].pieces != kFree; }
  std::string_view NameOf(uint32_t number) const { return cells_[number].name.view(); }
  uint64_t PiecesOf(uint32_t number) const { return cells_[number].pieces; }

  // Shows (number, name, pieces) of the buyers that there are now, some at a time, in any order, whatever is
  // bought meanwhile.
  using Show = std::function<void(uint32_t number, std::string_view name, uint64_t pieces)>;
  void BeginDump(Show show) {
    cells_.BeginDump([show = std::move(show)](uint32_t first, std::span<const Cell> cells) {
      for (size_t i = 0; i < cells.size(); ++i) {
        if (cells[i].pieces != kFree)
          show(first + static_cast<uint32_t>(i), cells[i].name.view(), cells[i].pieces);
      }
    });
  }
  // Shows some more; false where all have been shown.
  bool ContinueDump() { return cells_.ContinueDump(1); }

  // Of a table that nobody needs any more: as FreeSome() of dropped.h.
  bool FreeSome(size_t& pieces) { return index_.FreeSome(pieces) || cells_.FreeSome(pieces); }
  size_t memory_bytes() const {
    return sizeof *this + index_.memory_bytes() + cells_.memory_bytes() + heap_bytes_;
  }

 private:
  static constexpr uint64_t kFree = UINT64_MAX;
  struct Cell {
    SmallText<19> name;            // the digits of a 64-bit number
    uint32_t first_order = kNone;  // of a free cell: the next free one
    uint64_t pieces = kFree;
  };
  static_assert(sizeof(Cell) == 32);

  uint64_t seed_;
  StepIndex index_;
  CellTable<Cell> cells_;
  uint32_t free_ = kNone;
  uint64_t holders_ = 0;
  size_t heap_bytes_ = 0;
};

}  // namespace sluice::engine
