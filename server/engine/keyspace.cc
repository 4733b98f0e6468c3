#include "server/engine/keyspace.h"

#include <utility>

#include "server/engine/hash.h"
#include "storage/check.h"

namespace sluice::engine {

Keyspace::Keyspace(uint64_t hash_seed) : seed_(hash_seed) {
  for (uint8_t db = 0; db < kDatabases; ++db) stored_[db] = db;
}

uint64_t Keyspace::Hash(std::string_view key) const {
  return HashBytes(key, seed_);
}

const Object* Keyspace::Find(uint8_t db, std::string_view key) const {
  auto slot = indexes_[stored_[db]].Find(Hash(key), [&](uint32_t i) { return SlotAt(i).object.key == key; });
  return slot ? &SlotAt(*slot).object : nullptr;
}

const Object* Keyspace::Find(ObjectId id) const {
  const uint32_t slot = SlotOf(id);
  if (slot >= slot_count_) return nullptr;
  const Object& object = SlotAt(slot).object;
  return object.id == id ? &object : nullptr;
}

ObjectId Keyspace::NextId(size_t n) const {
  if (n < free_.size()) {
    const uint32_t slot = free_[free_.size() - 1 - n];
    return MakeObjectId(slot, SlotAt(slot).generation + 1);
  }
  return MakeObjectId(static_cast<uint32_t>(slot_count_ + n - free_.size()), 1);
}

ObjectId Keyspace::NextIdWithout(ObjectId removed) const {
  const uint32_t generation = GenerationOf(removed);
  return generation == UINT32_MAX ? NextId() : MakeObjectId(SlotOf(removed), generation + 1);
}

Object& Keyspace::Create(ObjectId id, uint8_t db, std::string_view key) {
  CHECK(id == NextId());
  const uint32_t slot_number = SlotOf(id);
  if (slot_number == slot_count_) {
    if (slot_count_ % kChunk == 0) chunks_.push_back(std::make_unique<Slot[]>(kChunk));
    ++slot_count_;
  } else {
    free_.pop_back();
  }
  Slot& slot = SlotAt(slot_number);
  slot.generation = GenerationOf(id);
  slot.object.id = id;
  slot.object.db = stored_[db];
  slot.object.key = key;
  indexes_[stored_[db]].Insert(Hash(key), slot_number);
  return slot.object;
}

Object Keyspace::Remove(ObjectId id) {
  const uint32_t slot_number = SlotOf(id);
  Slot& slot = SlotAt(slot_number);
  CHECK(slot.object.id == id);
  SetExpiry(id, 0);
  indexes_[slot.object.db].Erase(Hash(slot.object.key), slot_number);
  Object removed = std::exchange(slot.object, Object{});
  // A slot whose generations are used up is left alone for ever: an identity is never given twice.
  if (slot.generation != UINT32_MAX) free_.push_back(slot_number);
  return removed;
}

void Keyspace::Rename(ObjectId id, uint8_t db, std::string_view key) {
  const uint32_t slot_number = SlotOf(id);
  Object& object = SlotAt(slot_number).object;
  CHECK(object.id == id);
  const uint64_t expire_ms = object.expire_ms;
  SetExpiry(id, 0);
  indexes_[object.db].Erase(Hash(object.key), slot_number);
  object.db = stored_[db];
  object.key = key;
  indexes_[object.db].Insert(Hash(key), slot_number);
  SetExpiry(id, expire_ms);
}

void Keyspace::SetExpiry(ObjectId id, uint64_t expire_ms) {
  Object& object = *Mutable(id);
  if (object.expire_ms == expire_ms) return;
  if (object.expire_ms != 0) {
    expiries_.erase({object.expire_ms, id});
    --expiring_[object.db];
  }
  object.expire_ms = expire_ms;
  if (expire_ms == 0) return;
  if (!object.HasHolds()) expiries_.insert({expire_ms, id});
  ++expiring_[object.db];
}

const Object* Keyspace::FirstToExpire() const {
  return expiries_.empty() ? nullptr : Find(expiries_.begin()->second);
}

uint8_t Keyspace::DatabaseOf(const Object& object) const {
  uint8_t db = 0;
  while (stored_[db] != object.db) ++db;
  return db;
}

const Object* Keyspace::At(size_t slot) const {
  const Object& object = SlotAt(slot).object;
  return object.id == kNoObject ? nullptr : &object;
}

}  // namespace sluice::engine
