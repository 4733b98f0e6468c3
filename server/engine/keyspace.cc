#include "server/engine/keyspace.h"

#include <utility>

#include "server/engine/hash.h"
#include "storage/check.h"

namespace sluice::engine {

uint64_t Keyspace::Hash(std::string_view key) const {
  return HashBytes(key, seed_);
}

const Object* Keyspace::Find(uint8_t db, std::string_view key) const {
  auto slot = indexes_[db].Find(Hash(key), [&](uint32_t i) { return SlotAt(i).object.key == key; });
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
  slot.object.db = db;
  slot.object.key = key;
  indexes_[db].Insert(Hash(key), slot_number);
  return slot.object;
}

Object Keyspace::Remove(ObjectId id) {
  const uint32_t slot_number = SlotOf(id);
  Slot& slot = SlotAt(slot_number);
  CHECK(slot.object.id == id);
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
  indexes_[object.db].Erase(Hash(object.key), slot_number);
  object.db = db;
  object.key = key;
  indexes_[db].Insert(Hash(key), slot_number);
}

const Object* Keyspace::At(size_t slot) const {
  const Object& object = SlotAt(slot).object;
  return object.id == kNoObject ? nullptr : &object;
}

}  // namespace sluice::engine
