#include "server/engine/order_table.h"

#include <algorithm>

#include "storage/check.h"

namespace sluice::engine {

size_t OrderTable::StretchOf(StreamId id) const {
  const auto behind =
      std::upper_bound(stretches_.begin(), stretches_.end(), id,
                       [](StreamId wanted, const Stretch& stretch) { return wanted < stretch.first; });
  return static_cast<size_t>(behind - stretches_.begin()) - 1;
}

uint32_t OrderTable::Find(StreamId id) const {
  if (stretches_.empty() || id < stretches_.front().first) return kNone;
  const Stretch& stretch = stretches_[StretchOf(id)];
  if (stretch.live == 0) return kNone;
  // A forgotten cell keeps its ID, so that the order of IDs has no holes.
  uint32_t low = 0;
  uint32_t high = stretch.used;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (cells_[stretch.cells + middle].id < id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const uint32_t number = stretch.cells + low;
  if (low == stretch.used || cells_[number].id != id) return kNone;
  return cells_[number].state == OrderState::kForgotten ? kNone : number;
}

uint32_t OrderTable::Add(StreamId id) {
  if (stretches_.empty() || stretches_.back().used == kStretch) {
    uint32_t cells;
    if (free_.empty()) {
      cells = cells_.Add();
      for (uint32_t i = 1; i < kStretch; ++i) cells_.Add();
    } else {
      cells = free_.back();
      free_.pop_back();
      cells_.RenewChunk(cells);
    }
    stretches_.push_back({.first = id, .cells = cells, .used = 0, .live = 0, .open = 0});
  }
  Stretch& last = stretches_.back();
  const uint32_t number = last.cells + last.used++;
  ++last.live;
  ++size_;
  cells_.Change(number).id = id;
  return number;
}

void OrderTable::Forget(uint32_t number) {
  Order& order = cells_.Change(number);
  CHECK(order.state != OrderState::kForgotten);
  order.state = OrderState::kForgotten;
  --size_;
  Stretch& stretch = stretches_[StretchOf(order.id)];
  if (--stretch.live == 0 && stretch.used == kStretch) Drop(stretch);
}

void OrderTable::CountOpen(uint32_t number, bool opens) {
  const StreamId id = cells_[number].id;
  Stretch& last = stretches_.back();
  Stretch& stretch = id >= last.first ? last : stretches_[StretchOf(id)];
  stretch.open += opens ? 1 : UINT32_MAX;
}

uint32_t OrderTable::FirstOpen() const {
  const auto stretch =
      std::find_if(stretches_.begin(), stretches_.end(), [](const Stretch& s) { return s.open != 0; });
  if (stretch == stretches_.end()) return kNone;
  uint32_t number = stretch->cells;
  while (!cells_[number].open()) ++number;
  return number;
}

// Empty stretches between others are left out together, once they are the larger part: each costs one move
// then.
void OrderTable::Drop(Stretch& stretch) {
  cells_.DropChunk(stretch.cells);
  free_.push_back(stretch.cells);
  ++empty_;
  const auto empty = [](const Stretch& s) { return s.live == 0 && s.used == kStretch; };
  while (!stretches_.empty() && empty(stretches_.front())) {
    stretches_.pop_front();
    --empty_;
  }
  if (empty_ * 2 <= stretches_.size()) return;
  stretches_.erase(std::remove_if(stretches_.begin(), stretches_.end(), empty), stretches_.end());
  empty_ = 0;
}

}  // namespace sluice::engine
