#include "server/engine/request_table.h"

#include "server/engine/hash.h"

namespace sluice::engine {

uint32_t RequestTable::Find(std::string_view id) const {
  const auto number =
      index_.Find(HashBytes(id, seed_), [&](uint32_t i) { return cells_[i].id.view() == id; });
  return number.value_or(kNone);
}

uint32_t RequestTable::Add(std::string_view id, Request request) {
  uint32_t number = free_;
  if (number == kNone) {
    number = cells_.Add();
  } else {
    free_ = cells_[number].request.order;
  }
  Cell& cell = cells_.Change(number);
  cell.id.Assign(id);
  cell.request = request;
  cell.free = false;
  heap_bytes_ += cell.id.heap_bytes();
  index_.Insert(HashBytes(id, seed_), number);
  return number;
}

uint32_t RequestTable::AddOrder(std::string_view id, uint32_t order) {
  return Add(id, {.order = order});
}

void RequestTable::AddRestock(std::string_view id, int64_t delta, int64_t now_ms) {
  restocks_.push_back({now_ms, Add(id, {.delta = delta})});
}

void RequestTable::Forget(uint32_t number) {
  Cell& cell = cells_.Change(number);
  index_.Erase(HashBytes(cell.id.view(), seed_), number);
  heap_bytes_ -= cell.id.heap_bytes();
  cell.id.Clear();
  cell.request = {.order = free_};
  cell.free = true;
  free_ = number;
}

void RequestTable::ForgetOldestRestock() {
  Forget(restocks_.front().number);
  restocks_.pop_front();
}

}  // namespace sluice::engine
