#include "server/engine/keyspace.h"

#include <utility>

#include "server/engine/free_some.h"
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
  // A free slot has the identity of nothing.
  return object.id == id && id != kNoObject && !IsDead(object) ? &object : nullptr;
}

uint64_t Keyspace::PrefetchIndex(uint8_t db, std::string_view key) const {
  const uint64_t hash = Hash(key);
  indexes_[stored_[db]].Prefetch(hash);
  return hash;
}

const Object* Keyspace::PrefetchObject(uint8_t db, uint64_t hash) const {
  const auto slot = indexes_[stored_[db]].Find(hash, [](uint32_t) { return true; });
  if (!slot) return nullptr;
  storage::Prefetch(&SlotAt(*slot), sizeof(Slot));
  return &SlotAt(*slot).object;
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
  const uint32_t slot_number = SlotOf(id);
  if (slot_number == slot_count_) {
    AddSlot();
  } else {
    RemoveFree(slot_number);
  }
  Slot& slot = SlotAt(slot_number);
  CHECK(GenerationOf(id) == slot.generation + 1);
  slot.generation = GenerationOf(id);
  slot.object.id = id;
  slot.object.db = stored_[db];
  slot.object.flush = flushes_[stored_[db]];
  slot.object.key = key;
  indexes_[stored_[db]].Insert(Hash(key), slot_number);
  return slot.object;
}

Object Keyspace::Remove(ObjectId id) {
  const uint32_t slot_number = SlotOf(id);
  Slot& slot = SlotAt(slot_number);
  CHECK(slot.object.id == id);
  const uint64_t expire_ms = slot.object.expire_ms;
  SetExpiry(id, 0);
  indexes_[slot.object.db].Erase(Hash(slot.object.key), slot_number);
  slot.object.expire_ms = expire_ms;
  return TakeOut(slot_number);
}

Object Keyspace::TakeOut(uint32_t slot_number) {
  Object object = std::exchange(SlotAt(slot_number).object, Object{});
  AddFree(slot_number);
  return object;
}

Keyspace::Remains Keyspace::Flush(uint8_t db) {
  const uint8_t stored = stored_[db];
  dead_ += indexes_[stored].size();
  all_expiring_ -= std::exchange(expiring_[stored], 0);
  ++flushes_[stored];
  return {.index = std::exchange(indexes_[stored], StepIndex()),
          .expiries = std::exchange(expiries_[stored], Expiries())};
}

std::optional<Object> Keyspace::TakeDeadAt(uint32_t slot_number) {
  const Object* object = slot_number < slot_count_ ? HeldAt(slot_number) : nullptr;
  if (object == nullptr || !IsDead(*object)) return std::nullopt;
  --dead_;
  return TakeOut(slot_number);
}

std::optional<Object> Keyspace::TakeDead(size_t& looks) {
  for (; dead_ != 0 && looks > 0; --looks) {
    if (next_dead_ >= slot_count_) next_dead_ = 0;
    if (auto object = TakeDeadAt(static_cast<uint32_t>(next_dead_++))) return object;
  }
  return std::nullopt;
}

bool Keyspace::Remains::FreeSome(size_t& pieces) {
  if (index.FreeSome(pieces)) return true;
  return EraseSome(expiries, pieces);
}

void Keyspace::AddSlot() {
  if (slot_count_ % kChunk == 0) chunks_.push_back(std::make_unique<Slot[]>(kChunk));
  ++slot_count_;
}

void Keyspace::AddFree(uint32_t slot_number) {
  Slot& slot = SlotAt(slot_number);
  // A slot whose generations are used up is left alone for ever: an identity is never given twice.
  if (slot.generation == UINT32_MAX) return;
  slot.free_place = static_cast<uint32_t>(free_.size());
  free_.push_back(slot_number);
}

void Keyspace::RemoveFree(uint32_t slot_number) {
  CHECK(slot_number < slot_count_);
  const uint32_t place = SlotAt(slot_number).free_place;
  CHECK(place < free_.size() && free_[place] == slot_number);
  free_[place] = free_.back();
  SlotAt(free_[place]).free_place = place;
  free_.pop_back();
}

void Keyspace::BeginRestore(uint32_t slots, const std::array<uint8_t, kDatabases>& stored) {
  CHECK(slot_count_ == 0);
  while (slot_count_ < slots) AddSlot();
  stored_ = stored;
}

bool Keyspace::RestoreFree(uint32_t slot, uint32_t generation) {
  if (slot >= slot_count_ || SlotAt(slot).generation != 0 || generation == 0) return false;
  SlotAt(slot).generation = generation;
  AddFree(slot);
  return true;
}

Object* Keyspace::RestoreObject(ObjectId id, uint8_t stored, std::string_view key) {
  const uint32_t slot_number = SlotOf(id);
  if (slot_number >= slot_count_ || SlotAt(slot_number).generation != 0 || GenerationOf(id) == 0)
    return nullptr;
  const uint64_t hash = Hash(key);
  if (indexes_[stored].Find(hash, [&](uint32_t i) { return SlotAt(i).object.key == key; })) return nullptr;
  Slot& slot = SlotAt(slot_number);
  slot.generation = GenerationOf(id);
  slot.object.id = id;
  slot.object.db = stored;
  slot.object.flush = flushes_[stored];
  slot.object.key = key;
  indexes_[stored].Insert(hash, slot_number);
  return &slot.object;
}

void Keyspace::Rename(ObjectId id, uint8_t db, std::string_view key) {
  const uint32_t slot_number = SlotOf(id);
  Object& object = SlotAt(slot_number).object;
  CHECK(object.id == id);
  const uint64_t expire_ms = object.expire_ms;
  SetExpiry(id, 0);
  indexes_[object.db].Erase(Hash(object.key), slot_number);
  object.db = stored_[db];
  object.flush = flushes_[object.db];
  object.key = key;
  indexes_[object.db].Insert(Hash(key), slot_number);
  SetExpiry(id, expire_ms);
}

void Keyspace::SetExpiry(ObjectId id, uint64_t expire_ms) {
  Object& object = *Mutable(id);
  if (object.expire_ms == expire_ms) return;
  if (object.expire_ms != 0) {
    expiries_[object.db].erase({object.expire_ms, id});
    --expiring_[object.db];
    --all_expiring_;
  }
  object.expire_ms = expire_ms;
  if (expire_ms == 0) return;
  if (!object.HasHolds()) expiries_[object.db].insert({expire_ms, id});
  ++expiring_[object.db];
  ++all_expiring_;
}

const Object* Keyspace::FirstToExpire() const {
  const std::pair<uint64_t, ObjectId>* first = nullptr;
  for (const Expiries& expiries : expiries_) {
    if (!expiries.empty() && (first == nullptr || *expiries.begin() < *first)) first = &*expiries.begin();
  }
  return first == nullptr ? nullptr : Find(first->second);
}

uint8_t Keyspace::DatabaseOf(const Object& object) const {
  uint8_t db = 0;
  while (stored_[db] != object.db) ++db;
  return db;
}

const Object* Keyspace::At(size_t slot) const {
  const Object* object = HeldAt(slot);
  return object == nullptr || IsDead(*object) ? nullptr : object;
}

const Object* Keyspace::HeldAt(size_t slot) const {
  const Object& object = SlotAt(slot).object;
  return object.id == kNoObject ? nullptr : &object;
}

}  // namespace sluice::engine
