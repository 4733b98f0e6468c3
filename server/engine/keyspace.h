// All keys of all databases.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/container/btree_set.h>

#include "server/engine/object.h"
#include "server/engine/step_index.h"
#include "storage/prefetch.h"

namespace sluice::engine {

inline constexpr size_t kDatabases = 16;

// How often each database was flushed, by where it is stored: what was put there before the last flush is
// dead.
using Flushes = std::array<uint32_t, kDatabases>;

// Objects stay in their slot from creation to removal, so a walk over slots meets every object that exists
// throughout the walk, however the table grows meanwhile: that is SCAN's promise, and its cursor is a slot
// number.
//
// A flush ends any number of objects at once: the database gets another index, and its objects, which nobody
// finds any more, lie dead in their slots until somebody takes them out.
class Keyspace {
 public:
  using Expiries = absl::btree_set<std::pair<uint64_t, ObjectId>>;

  explicit Keyspace(uint64_t hash_seed);

  const Object* Find(uint8_t db, std::string_view key) const;
  // The object, if its generation still lives.
  const Object* Find(ObjectId id) const;

  // Hints for whoever asks for a key or an identity soon, in two steps, the second of which wants in the
  // cache what the first brought: the key's place in the index, and its object, as far as the index alone can
  // tell.
  uint64_t PrefetchIndex(uint8_t db, std::string_view key) const;
  const Object* PrefetchObject(uint8_t db, uint64_t hash) const;
  void PrefetchObject(ObjectId id) const {
    if (SlotOf(id) < slot_count_) storage::Prefetch(&SlotAt(SlotOf(id)), sizeof(Slot));
  }

  // The identity that the `n`-th next Create() should be given, counted from 0. Which of the free slots comes
  // next is no state: a replay creates in the slots that its events name, whatever it would have chosen.
  ObjectId NextId(size_t n = 0) const;
  // The identity that the next Create() should be given if `removed` is removed first.
  ObjectId NextIdWithout(ObjectId removed) const;
  // `id` is the next generation of a free slot, or the first of a slot behind all others. No dead object lies
  // there (TakeDead).
  Object& Create(ObjectId id, uint8_t db, std::string_view key);
  // Takes the object out and returns it, so that freeing it can be somebody else's work.
  Object Remove(ObjectId id);
  // What a flush leaves behind besides dead objects: no state any more.
  struct Remains {
    StepIndex index;
    Expiries expiries;
    // As FreeSome() of dropped.h.
    bool FreeSome(size_t& pieces);
  };
  // Every object of the database is dead from now on. O(1).
  Remains Flush(uint8_t db);
  // Takes the next dead object out of its slot, after looking at no more than `looks` slots, of which those
  // that it does not need are left; nullopt: none so far.
  bool has_dead() const { return dead_ != 0; }
  std::optional<Object> TakeDead(size_t& looks);
  // The one in that very slot.
  std::optional<Object> TakeDeadAt(uint32_t slot);
  const Flushes& flushes() const { return flushes_; }

  // `key` must be free in `db`.
  void Rename(ObjectId id, uint8_t db, std::string_view key);
  // From `expire_ms` (unix time) on the object counts as dead; 0: it lives until it is removed.
  void SetExpiry(ObjectId id, uint64_t expire_ms);
  // While it is `delayed` the object does not expire, whatever its time; to be told after each change.
  void DelayExpiry(ObjectId id, bool delayed) {
    const Object& object = *Find(id);
    if (object.expire_ms == 0) return;
    if (delayed) {
      expiries_[object.db].erase({object.expire_ms, id});
    } else {
      expiries_[object.db].insert({object.expire_ms, id});
    }
  }
  // What was in database `a` is in `b` from now on, and the other way round.
  void SwapDatabases(uint8_t a, uint8_t b) { std::swap(stored_[a], stored_[b]); }
  Object* Mutable(ObjectId id) { return const_cast<Object*>(Find(id)); }

  size_t size(uint8_t db) const { return indexes_[stored_[db]].size(); }
  // How many of a database's keys have an end, and the one in all databases whose end comes first.
  size_t expiring(uint8_t db) const { return expiring_[stored_[db]]; }
  bool any_expiring() const { return all_expiring_ != 0; }
  const Object* FirstToExpire() const;
  // The database in which clients find the object.
  uint8_t DatabaseOf(const Object& object) const;
  uint8_t StoredAt(uint8_t db) const { return stored_[db]; }
  // Memory of a database's index and of what keeps its keys' ends in order, and of the slots of all
  // databases.
  size_t index_bytes(uint8_t db) const { return indexes_[stored_[db]].memory_bytes(); }
  size_t expiries_bytes(uint8_t db) const {
    return expiries_[stored_[db]].size() * sizeof(Expiries::value_type) * 4 / 3;
  }
  size_t slots_bytes() const { return chunks_.size() * kChunk * sizeof(Slot); }
  // For walks: how many slots there are, and the object in one, or nullptr.
  size_t slots() const { return slot_count_; }
  const Object* At(size_t slot) const;
  // The same, a dead one included.
  const Object* HeldAt(size_t slot) const;
  // The generation of what is in the slot, or was there last.
  uint32_t GenerationAt(size_t slot) const { return SlotAt(slot).generation; }

  // For an empty table that is filled from a checkpoint: there are `slots`, each of which is to be named by
  // one of the calls that follow. They say false where that cannot be: a slot beyond, or named before; a key
  // that is there already.
  void BeginRestore(uint32_t slots, const std::array<uint8_t, kDatabases>& stored);
  bool RestoreFree(uint32_t slot, uint32_t generation);
  // `stored`: the object's db.
  Object* RestoreObject(ObjectId id, uint8_t stored, std::string_view key);

 private:
  static constexpr size_t kChunk = 1024;
  struct Slot {
    Object object;            // object.id == kNoObject: free
    uint32_t generation = 0;  // of the object that was here last; 0: to be restored
    uint32_t free_place = 0;  // of a free slot: where it stands in free_
  };

  Slot& SlotAt(size_t i) { return chunks_[i / kChunk][i % kChunk]; }
  const Slot& SlotAt(size_t i) const { return chunks_[i / kChunk][i % kChunk]; }
  uint64_t Hash(std::string_view key) const;
  void AddSlot();
  bool IsDead(const Object& object) const { return object.flush != flushes_[object.db]; }
  Object TakeOut(uint32_t slot);
  void AddFree(uint32_t slot);
  void RemoveFree(uint32_t slot);

  uint64_t seed_;
  std::vector<std::unique_ptr<Slot[]>> chunks_;
  size_t slot_count_ = 0;
  std::deque<uint32_t> free_;                  // slots to use again, last first
  std::array<StepIndex, kDatabases> indexes_;  // by where objects are stored
  std::array<size_t, kDatabases> expiring_{};  // likewise
  std::array<Expiries, kDatabases> expiries_;  // likewise
  Flushes flushes_{};                          // likewise
  size_t all_expiring_ = 0;
  size_t dead_ = 0;                         // objects
  size_t next_dead_ = 0;                    // the slot to be looked at next for one
  std::array<uint8_t, kDatabases> stored_;  // where a database's objects are stored: SWAPDB moves no object
};

}  // namespace sluice::engine
