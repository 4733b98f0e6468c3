// The whole state, and the one way to change it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>

#include <absl/container/btree_set.h>

#include "server/engine/event.h"
#include "server/engine/keyspace.h"
#include "server/engine/state_dump.h"
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
  uint64_t hash_seed() const { return hash_seed_; }
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

  // Items by when their next hold ends, and by when they have something to forget. Those that a flush ended
  // stand there too: DropDeadAlarms() takes up to `most` of them away from the front, reduced by those, and
  // is true where it met one.
  const ItemAlarms& deadlines() const { return deadlines_; }
  const ItemAlarms& stale() const { return stale_; }
  bool DropDeadAlarms(size_t& most);

  // Streams that lose something by themselves, whatever the server's options: those that have a Retention of
  // their own, and those that know messages of producers. Some that a flush has ended are among them.
  const absl::btree_set<ObjectId>& swept() const { return swept_; }

  // Frees some of what was dropped; false where nothing is left.
  bool FreeSome();

  // Begins to show the state as it is now, for a checkpoint. No dump is under way. See StateDump.
  void BeginDump(StateDump::Out out);
  bool dumping() const { return dump_ != nullptr; }
  // Events applied so far, those of a replay included.
  uint64_t events() const { return events_; }
  // Where the last event stands that took entries from a stream, of those that were applied.
  storage::Lsn last_loss() const { return last_loss_; }
  // Shows about `bytes` more; false once all is shown.
  bool ContinueDump(size_t bytes);

  // By the dump that ended last.
  uint64_t dumped_records() const { return dumped_records_; }

  // Takes over what a checkpoint held (StateLoad): all but the streams' indexes. The engine was empty.
  void Adopt(Keyspace keys);

 private:
  friend class Applier;
  friend class Indexer;

  uint64_t hash_seed_;
  Keyspace keys_;
  // An item's orders have changed: when it has something due, and whether its own end has to wait.
  void Rearm(ObjectId id, StockItem& item);

  void Bury(Object object);
  // A stream's limits have changed, or what it knows of producers.
  void NoteSwept(ObjectId id, Stream& stream);

  // Both follow from the items, so they are no state of their own.
  ItemAlarms deadlines_;
  ItemAlarms stale_;
  absl::btree_set<ObjectId> swept_;  // follows from the streams
  std::deque<Dropped> dropped_;      // no state any more, only memory
  std::unique_ptr<StateDump> dump_;  // a checkpoint is under way
  uint64_t dumped_records_ = 0;
  uint64_t events_ = 0;
  storage::Lsn last_loss_{};
};

}  // namespace sluice::engine
