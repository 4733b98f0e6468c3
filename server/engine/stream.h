// A stream: an index over the log, and what the log does not say of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/btree_map.h>

#include "server/engine/array_queue.h"
#include "server/engine/consumer_group.h"
#include "server/engine/deleted_ids.h"
#include "server/engine/object_id.h"
#include "server/engine/producer_table.h"
#include "server/engine/retention.h"
#include "server/engine/stream_id.h"
#include "server/engine/stream_run.h"
#include "storage/cold_reads.h"
#include "storage/prefetch.h"

namespace sluice::engine {

// An entry as it stands in the log.
struct EntryView {
  StreamId id;
  uint32_t pairs = 0;       // of field and value
  std::string_view fields;  // as RESP bulk strings, one behind the other; lives as long as its segment
};

// What XTRIM and XADD's MAXLEN and MINID ask for.
struct Trim {
  enum Kind : uint8_t { kNone, kMaxLength, kMinId };
  Kind kind = kNone;
  bool approximate = false;  // whole nodes only, never more than asked
  uint64_t max_length = 0;
  StreamId min_id{};
  uint64_t limit = 0;  // entries that approximate trimming may take; 0: no limit
  uint64_t node_entries = 100;
};

// What a stream knows of its producers (XADD IDMP).
struct Idempotence {
  uint64_t seconds = 0;   // that a message is known for; 0: as the server's options say
  uint64_t messages = 0;  // that are known of one producer; 0: likewise
  uint64_t added = 0;     // messages ever
  uint64_t duplicates = 0;
  std::unique_ptr<ProducerTable> producers;  // null until there is one
};

// Entries are ordered by ID and found by ID or by rank. An entry's rank counts what the stream ever held
// before it, so differences of ranks are counts, corrected by the deletions in between; and nodes are
// stretches of ranks.
//
// A group of `node_entries` consecutive ranks is what Redis calls a node: approximate trimming takes whole
// ones. Nodes are counted from where the stream was last empty.
//
// The entries' index is no state: it follows from the log, and from where the stream was last emptied. What
// is sealed is found in the segments' sidecars, only what is being recorded is in memory.
class Stream {
 public:
  explicit Stream(ObjectId id = kNoObject) : id_(id) {}

  // Streams lie together: where there are many, that is what an append waits for.
  static void* operator new(size_t bytes);
  static void operator delete(void* memory);

  using Groups = absl::btree_map<std::string, std::unique_ptr<ConsumerGroup>, std::less<>>;

  // What exists now.
  uint64_t length() const { return length_; }
  // The first and last existing entries; 0-0 where there is none.
  StreamId first_id() const { return length_ == 0 ? kMinStreamId : first_; }
  StreamId last_existing_id() const;
  // What ever was.
  StreamId last_id() const { return last_id_; }
  StreamId max_deleted_id() const { return max_deleted_; }
  uint64_t entries_added() const { return entries_added_; }

  bool Contains(StreamId id) const;
  // The existing entry's record; nullopt where there is none.
  std::optional<storage::Place> Find(StreamId id) const;

  // Visits existing entries from `from` to `to` (both included) in order, while `visit(StreamId, Place)`
  // returns true. `cold`: who reads for a client, and so ends where an index is not in memory (it has been
  // noted then, see ColdReads); null: reads it in place.
  template <typename Visit>
  void Scan(StreamId from, StreamId to, Visit&& visit, storage::ColdReads* cold = nullptr) const;
  // The same backwards, from `to` down to `from`.
  template <typename Visit>
  void ScanBack(StreamId from, StreamId to, Visit&& visit, storage::ColdReads* cold = nullptr) const;
  // Whether Find(id) needs no index that is away; it has been noted where it is.
  bool CanFind(StreamId id, storage::ColdReads& cold) const;

  // How many existing entries have an ID above `id`. Exact, whatever was deleted: O(log n).
  uint64_t CountAfter(StreamId id) const;
  // The `n`-th existing entry from the start, counted from 0; n < length().
  StreamId Select(uint64_t n) const;

  // The existing entries, from the first on, that `trim` takes away where it may not take those that `keep`
  // names: it goes on behind them. Otherwise as PlanTrim(). O(entries looked at).
  std::vector<StreamId> PlanSelectiveTrim(const Trim& trim, std::optional<StreamId> coming,
                                          const std::function<bool(StreamId)>& keep) const;
  // The last ID that `trim` takes away, if it takes any, from this stream once `coming` (an ID above
  // last_id(), if there is one) is appended to it.
  std::optional<StreamId> PlanTrim(const Trim& trim, std::optional<StreamId> coming) const;
  // The last ID that goes where entries below `id` go: all of them, unless they span more than `runs` runs of
  // the index, then those. nullopt where there is no such entry.
  std::optional<StreamId> PlanTrimBelow(StreamId id, size_t runs) const;
  // Counts on, from the newest run of the index back, until what is counted is `enough`, over at most `runs`
  // runs, of which those that it does not use are left. False where it has to go on from there.
  bool MeasureBack(SizeWalk& walk, uint64_t enough, size_t& runs) const;
  // How many nodes the existing entries span.
  uint64_t Nodes(uint64_t node_entries) const;

  // How far `id` is from the first entry ever, where Redis can say it (its estimate); nullopt where it
  // cannot.
  std::optional<uint64_t> DistanceFromFirst(StreamId id) const;
  // Whether an entry in [from, to] may have been deleted, as Redis sees it (by the highest deleted ID alone).
  bool HasTombstoneIn(StreamId from, StreamId to) const;
  // What a group has not been given: the exact count where entries are missing in between, else Redis's
  // figure.
  uint64_t Lag(const ConsumerGroup& group) const;
  // Whether a group that was `read` at `last` (nullopt: not known) only counts on with what it is given from
  // there on.
  bool CountsOn(std::optional<uint64_t> read, StreamId last) const {
    return read && last >= first_ && !HasTombstoneIn(last, kMaxStreamId);
  }

  const Groups& groups() const { return groups_; }
  const ConsumerGroup* FindGroup(std::string_view name) const;
  const ConsumerGroup* FindGroup(uint32_t number) const;
  uint32_t next_group() const { return next_group_; }

  const Idempotence& idempotence() const { return idempotence_; }
  const DeletedIds& deleted() const { return deleted_; }
  const Retention& retention() const { return retention_; }
  bool KnowsMessages() const { return idempotence_.producers && idempotence_.producers->messages() != 0; }

  // Hints for whoever will append soon, or seal: what that meets here, and then where a sealed run goes.
  void Prefetch() const { storage::Prefetch(this, kHotBytes); }
  void PrefetchSealed() const {
    if (!sealed_.empty()) storage::Prefetch(&sealed_.back() + 1);
  }

  // About; of runs in memory, groups and messages of producers `samples` are looked at.
  size_t memory_bytes(size_t samples) const;
  // Of a stream that nobody needs any more: as FreeSome() of dropped.h.
  bool FreeSome(size_t& pieces);

 private:
  friend class Applier;  // the only one who changes it
  friend class Engine;   // swept_
  friend class StateHasher;
  friend struct StreamAccess;  // of checkpoints
  friend class Indexer;        // the only one who moves its index to sidecars and back

  // `at` is where the event stands that changes it.
  void Append(StreamId id, storage::Place place);
  // The entry, `rank`-th that the stream ever had, in the index.
  void AddToIndex(StreamId id, storage::Place place, uint64_t rank);
  void Delete(StreamId id, storage::Lsn at);  // as XDEL does
  void Remove(StreamId id, storage::Lsn at);  // as trimming does
  void TrimThrough(StreamId last_removed, storage::Lsn at);
  ConsumerGroup& AddGroup(uint32_t number, std::string_view name);
  std::unique_ptr<ConsumerGroup> RemoveGroup(uint32_t number);
  ConsumerGroup& Group(uint32_t number);

  // The sealed segment's index has come, with these runs of the stream's `own`: what memory holds of them is
  // given back.
  void SealRuns(const storage::Segment& segment, std::span<const storage::IndexRun> own);
  // The index of a stream whose state was read (from a checkpoint) is put together again, in the log's order:
  // by segments, or entry by entry. Then ranks are counted back from appended_; false where there are fewer
  // entries than the state says.
  void AttachRuns(const storage::Segment& segment, std::span<const storage::IndexRun> own);
  void AttachEntry(StreamId id, storage::Place place);
  [[nodiscard]] bool EndAttaching();
  // Takes over its `own` of `segment`'s runs, with ranks as if `rank` entries came before them.
  void TakeRuns(const storage::Segment& segment, std::span<const storage::IndexRun> own, uint64_t rank);
  uint64_t end_rank() const;

  size_t runs() const { return sealed_.size() + open_.size(); }
  RunView Run(size_t r) const {
    return r < sealed_.size() ? sealed_[r].view(id_) : open_[r - sealed_.size()].view();
  }
  bool HasIndex(size_t r, storage::ColdReads* cold) const {
    return cold == nullptr || r >= sealed_.size() || cold->HasIndex(*sealed_[r].segment);
  }
  // The index of the first run whose last ID is at or above `id`.
  size_t RunAt(StreamId id) const;
  uint64_t RankOf(StreamId id) const;  // of the first entry ever held at or above `id`
  StreamId IdOfRank(uint64_t rank) const;
  // How many entries in [from, to] were deleted.
  uint64_t DeletedBetween(StreamId from, StreamId to) const;
  // What a run's entries take in the log that exist or were trimmed, and its first ID.
  struct RunSize {
    StreamId first;
    uint64_t bytes;
  };
  RunSize SizeOfRun(size_t r) const;
  // One step of approximate trimming: the node that begins at `rank`.
  struct Node {
    uint64_t end;  // the rank behind it
    StreamId last;
    uint64_t live;
  };
  Node NodeAt(uint64_t rank, uint64_t node_entries, std::optional<StreamId> coming) const;
  // Whether approximate trimming takes a node, with `left` entries in the stream and `taken` before it.
  static bool TakesNode(const Trim& trim, const Node& node, uint64_t left, uint64_t taken);
  std::optional<StreamId> PlanNodes(const Trim& trim, std::optional<StreamId> coming) const;
  void ForgetHead(storage::Lsn at);

  // What every append meets stands in front.
  static constexpr size_t kHotBytes = 192;

  ObjectId id_;
  StreamId last_id_{};
  uint64_t length_ = 0;
  uint64_t entries_added_ = 0;
  uint64_t appended_ = 0;  // ranks given so far
  StreamId first_{};
  // The index: sealed runs, then those in memory. Two of these are where a segment was just begun and the one
  // before is not sealed yet.
  ArrayQueue<SealedRun> sealed_;
  ArrayQueue<StreamRun, 2> open_;

  DeletedIds deleted_;         // of entries that the index still holds, above first_
  uint64_t node_base_ = 0;     // the rank that nodes are counted from
  storage::Lsn emptied_at_{};  // what stands in the log before is not the stream's any more
  StreamId max_deleted_{};

  Groups groups_;
  absl::btree_map<uint32_t, ConsumerGroup*> groups_by_number_;
  uint32_t next_group_ = 0;
  Idempotence idempotence_;
  Retention retention_;
  bool swept_ = false;  // as set in the engine's list of those that are
};

// Decodes the entry whose AppendEntry event stands there.
EntryView ReadEntry(const char* event);
// How many bytes of the log the AppendEntry event at `place` takes.
uint64_t EntryBytes(storage::Place place);

// Whether the entry at `place` can be read, and is there as it was recorded: what comes from a file is
// verified by its record's checksum. Then `event` is for ReadEntry(), until the end of the command.
struct EntryLook {
  storage::RecordState state;
  const char* event = nullptr;
};
EntryLook LookAtRecordedEntry(storage::Place place, storage::ColdReads& cold);
inline EntryLook LookAtEntry(storage::Place place, storage::ColdReads& cold) {
  if (place.segment->mapped()) return LookAtRecordedEntry(place, cold);
  return {storage::RecordState::kSound, place.data()};
}

template <typename Visit>
void Stream::Scan(StreamId from, StreamId to, Visit&& visit, storage::ColdReads* cold) const {
  if (length_ == 0) return;
  if (from < first_) from = first_;
  // The next deleted entry, as one goes along.
  size_t hole = deleted_.empty() ? 0 : deleted_.CountBelow(from);
  auto hole_id = [&] { return hole < deleted_.size() ? deleted_.At(hole) : kMinStreamId; };
  StreamId deleted = hole_id();
  bool first_run = true;
  for (size_t r = RunAt(from); r < runs(); ++r) {
    if (!HasIndex(r, cold)) return;
    const RunView run = Run(r);
    for (uint32_t i = first_run ? run.LowerBound(from) : 0; i < run.size(); ++i) {
      const StreamId id = run.IdAt(i);
      if (id > to) return;
      if (id == deleted) {
        ++hole;
        deleted = hole_id();
        continue;
      }
      if (!visit(id, run.PlaceAt(i))) return;
    }
    first_run = false;
  }
}

template <typename Visit>
void Stream::ScanBack(StreamId from, StreamId to, Visit&& visit, storage::ColdReads* cold) const {
  if (length_ == 0) return;
  if (from < first_) from = first_;
  size_t r = RunAt(to);
  uint32_t end;  // of the run at r: the first index above `to`
  const bool behind = r == runs();
  if (behind) --r;
  if (!HasIndex(r, cold)) return;
  if (behind) {
    end = Run(r).size();
  } else {
    const RunView run = Run(r);
    end = run.LowerBound(to);
    if (end < run.size() && run.IdAt(end) == to) ++end;
  }
  for (;;) {
    const RunView run = Run(r);
    for (uint32_t i = end; i > 0; --i) {
      const StreamId id = run.IdAt(i - 1);
      if (id < from) return;
      if (!deleted_.empty() && deleted_.contains(id)) continue;
      if (!visit(id, run.PlaceAt(i - 1))) return;
    }
    if (r == 0 || !HasIndex(--r, cold)) return;
    end = Run(r).size();
  }
}

}  // namespace sluice::engine
