#include "server/engine/look_ahead.h"

#include <span>

namespace sluice::engine {
namespace {

// Fewer than these are in the cache anyhow.
constexpr size_t kManyKeys = 4096;
constexpr size_t kManyBuyers = 32768;

}  // namespace

bool LookAhead::PaysFor(const Keyspace& keys, uint8_t db, std::string_view key) {
  if (keys.size(db) >= kManyKeys) return true;
  const Object* object = keys.Find(db, key);
  return object != nullptr && object->type() == ObjectType::kStockItem &&
         object->item().buyers().size() >= kManyBuyers;
}

void LookAhead::Walk(const Keyspace& keys, uint8_t db) {
  const std::span all(wanted_.data(), count_);
  for (Wanted& wanted : all) wanted.hash = keys.PrefetchIndex(db, wanted.key);
  for (Wanted& wanted : all) wanted.object = keys.PrefetchObject(db, wanted.hash);
  for (const Wanted& wanted : all) {
    if (wanted.object == nullptr) continue;
    if (wanted.object->type() == ObjectType::kStream) wanted.object->stream().Prefetch();
    if (wanted.object->type() == ObjectType::kStockItem)
      wanted.object->item().buyers().Prefetch(wanted.member);
  }
}

}  // namespace sluice::engine
