// The whole state, and the one way to change it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "server/engine/event.h"
#include "server/engine/keyspace.h"
#include "storage/segment.h"

namespace sluice::engine {

// State is a function of the events applied: nothing here asks a clock, a random source or a disk, and two
// engines that applied the same events are equal (StateHash says so). Reads go through a const Engine; only
// Apply() changes what counts as state.
class Engine {
 public:
  // `hash_seed` is any number, drawn anew by each process.
  explicit Engine(uint64_t hash_seed) : hash_seed_(hash_seed), keys_(hash_seed) {}

  const Keyspace& keys() const { return keys_; }
  const Object* Find(uint8_t db, std::string_view key) const { return keys_.Find(db, key); }

  // Applies one event, whose record stands at `place` (that of the event's own first byte). Cannot fail: an
  // event that is decided or read from a verified record fits the state it was decided on.
  void Apply(const Event& event, storage::Place place);

  // A hash over all state, in an order that depends on nothing else. O(state).
  uint64_t StateHash() const;

  // A consumer has tried to read or claim. Volatile on purpose: an idle poll must not cost a commit.
  void Touch(ObjectId stream, uint32_t group, uint32_t consumer, uint64_t now_ms);

  // A buyer has tried, with that answer; nothing is left. Volatile likewise.
  void CountTry(ObjectId item, size_t code);
  void NoteSoldOut(ObjectId item, uint64_t unix_ms);

  // Items by when their next hold ends, and by when they have something to forget.
  const ItemAlarms& deadlines() const { return deadlines_; }
  const ItemAlarms& stale() const { return stale_; }

  // Frees some of what was dropped; false where nothing is left.
  bool FreeSome();

 private:
  friend class Applier;

  uint64_t hash_seed_;
  Keyspace keys_;
  // Both follow from the items, so they are no state of their own.
  ItemAlarms deadlines_;
  ItemAlarms stale_;
  std::vector<Object> dropped_;  // no state any more, only memory
};

}  // namespace sluice::engine
