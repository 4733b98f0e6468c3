#include "server/admin/key_walk.h"

#include <algorithm>
#include <chrono>

namespace sluice::admin {
namespace {

using engine::ConsumerGroup;
using engine::Object;
using engine::ObjectType;

constexpr auto kSlice = std::chrono::microseconds(500);
constexpr size_t kSlotsPerClock = 64;
// A label longer than this serves nobody who looks at a graph.
constexpr size_t kMaxLabelBytes = 512;
// Entries that were given back stand before those that somebody has; not more of them than this are passed
// over.
constexpr size_t kMaxPassedOver = 128;

std::optional<uint64_t> OldestPendingMs(const ConsumerGroup& group, uint64_t unix_ms) {
  std::optional<uint64_t> age_ms;
  size_t passed = 0;
  group.pending().ScanLongestWaiting([&](const engine::Pending& pending) {
    if (!pending.owned()) return ++passed < kMaxPassedOver;
    age_ms = unix_ms - std::min(unix_ms, pending.delivered_ms);
    return false;
  });
  return age_ms;
}

}  // namespace

bool KeyWalk::Slice(uint64_t unix_ms) {
  const auto end = std::chrono::steady_clock::now() + kSlice;
  const engine::Keyspace& keys = engine_.keys();
  while (slot_ < keys.slots()) {
    const Object* object = keys.At(slot_++);
    if (object != nullptr && !object->IsDue(unix_ms)) Visit(*object, unix_ms);
    if (slot_ % kSlotsPerClock == 0 && std::chrono::steady_clock::now() > end) return false;
  }
  return true;
}

void KeyWalk::Visit(const Object& object, uint64_t unix_ms) {
  if (object.type() == ObjectType::kStream) return VisitStream(object, unix_ms);
  if (object.type() != ObjectType::kStockItem || !HasRoom(object.key.size())) return;
  const engine::StockItem& item = object.item();
  found_->items.push_back({.db = engine_.keys().DatabaseOf(object),
                           .key = object.key,
                           .total = item.total(),
                           .available = item.available(),
                           .held = item.held(),
                           .sold = item.sold(),
                           .orders = item.orders_placed(),
                           .tries = item.statistics().tries});
}

void KeyWalk::VisitStream(const Object& object, uint64_t unix_ms) {
  const engine::Stream& stream = object.stream();
  const uint8_t db = engine_.keys().DatabaseOf(object);
  if (!HasRoom(object.key.size())) {
    found_->left_out += stream.groups().size();
    return;
  }
  found_->streams.push_back({.db = db, .key = object.key, .length = stream.length()});
  size_t left = stream.groups().size();
  for (const auto& [name, group] : stream.groups()) {
    if (room_ == 0) {
      found_->left_out += left;
      return;
    }
    --left;
    if (!HasRoom(name.size())) continue;
    found_->groups.push_back({.db = db,
                              .key = object.key,
                              .group = name,
                              .lag = stream.Lag(*group),
                              .pending = group->pending().size(),
                              .oldest_pending_ms = OldestPendingMs(*group, unix_ms)});
  }
}

// Takes room for one more, or counts it as left out.
bool KeyWalk::HasRoom(size_t label_bytes) {
  if (room_ == 0 || label_bytes > kMaxLabelBytes) {
    ++found_->left_out;
    return false;
  }
  --room_;
  return true;
}

}  // namespace sluice::admin
