#include "server/engine/buyer_table.h"

#include "server/engine/hash.h"
#include "storage/check.h"

namespace sluice::engine {

uint64_t BuyerTable::HashOf(std::string_view user) const {
  return HashBytes(user, seed_);
}

BuyerTable::Known BuyerTable::Find(std::string_view user, uint64_t hash) const {
  const auto number = index_.Find(hash, [&](uint32_t i) { return cells_[i].name.view() == user; });
  return number ? Known{hash, *number, cells_[*number].pieces} : Known{hash, kNone, 0};
}

uint32_t BuyerTable::Add(std::string_view user, uint64_t hash) {
  uint32_t number = free_;
  if (number == kNone) {
    number = cells_.Add();
  } else {
    free_ = cells_[number].first_order;
  }
  Cell& cell = cells_.Change(number);
  cell.name.Assign(user);
  cell.pieces = 0;
  cell.first_order = kNone;
  heap_bytes_ += cell.name.heap_bytes();
  index_.Insert(hash, number);
  return number;
}

void BuyerTable::AddPieces(uint32_t number, uint32_t pieces) {
  Cell& cell = cells_.Change(number);
  if (cell.pieces == 0 && pieces != 0) ++holders_;
  cell.pieces += pieces;
}

void BuyerTable::TakePieces(uint32_t number, uint32_t pieces) {
  Cell& cell = cells_.Change(number);
  CHECK(cell.pieces >= pieces);
  cell.pieces -= pieces;
  if (cell.pieces == 0 && pieces != 0) --holders_;
}

void BuyerTable::Forget(uint32_t number) {
  Cell& cell = cells_.Change(number);
  CHECK(cell.pieces == 0 && cell.first_order == kNone);
  index_.Erase(HashOf(cell.name.view()), number);
  heap_bytes_ -= cell.name.heap_bytes();
  cell.name.Clear();
  cell.pieces = kFree;
  cell.first_order = free_;
  free_ = number;
}

}  // namespace sluice::engine
