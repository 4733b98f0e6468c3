#include "server/engine/stream.h"

#include <algorithm>

#include "server/engine/estimate.h"
#include "server/engine/event_codec.h"
#include "server/engine/free_some.h"
#include "storage/block_pool.h"
#include "storage/check.h"

namespace sluice::engine {
namespace {

StreamId EndOf(const SealedRun& run) {
  return run.last;
}
StreamId EndOf(const StreamRun& run) {
  return run.last();
}
uint64_t EndRankOf(const SealedRun& run) {
  return run.end_rank;
}
uint64_t EndRankOf(const StreamRun& run) {
  return run.end_rank();
}

storage::BlockPool& Streams() {
  static auto& pool = *new storage::BlockPool(sizeof(Stream));  // never ends: streams may, until the very end
  return pool;
}

}  // namespace

void* Stream::operator new(size_t) {
  return Streams().Take();
}

void Stream::operator delete(void* memory) {
  Streams().GiveBack(memory);
}

StreamId Stream::last_existing_id() const {
  StreamId last{};
  ScanBack(kMinStreamId, kMaxStreamId, [&](StreamId id, storage::Place) {
    last = id;
    return false;
  });
  return last;
}

std::optional<storage::Place> Stream::Find(StreamId id) const {
  if (length_ == 0 || id < first_) return std::nullopt;
  const size_t r = RunAt(id);
  if (r == runs()) return std::nullopt;
  const RunView run = Run(r);
  const uint32_t i = run.LowerBound(id);
  if (run.IdAt(i) != id || (!deleted_.empty() && deleted_.contains(id))) return std::nullopt;
  return run.PlaceAt(i);
}

bool Stream::CanFind(StreamId id, storage::ColdReads& cold) const {
  if (length_ == 0 || id < first_) return true;
  const size_t r = RunAt(id);
  return r == runs() || HasIndex(r, &cold);
}

bool Stream::Contains(StreamId id) const {
  return Find(id).has_value();
}

uint64_t Stream::CountAfter(StreamId id) const {
  if (length_ == 0 || id == kMaxStreamId) return 0;
  const StreamId from = std::max(*Next(id), first_);
  return appended_ - RankOf(from) - DeletedBetween(from, kMaxStreamId);
}

StreamId Stream::Select(uint64_t n) const {
  CHECK(n < length_);
  uint64_t rank = RankOf(first_) + n;
  // How many deleted entries stand before the one that is wanted: the n-th of them has so many existing ones
  // before it as its rank says, less n.
  size_t least = 0;
  size_t most = deleted_.size();
  while (least < most) {
    const size_t middle = (least + most) / 2;
    if (RankOf(deleted_.At(middle)) - middle > rank) {
      most = middle;
    } else {
      least = middle + 1;
    }
  }
  return IdOfRank(rank + least);
}

std::optional<uint64_t> Stream::DistanceFromFirst(StreamId id) const {
  if (entries_added_ == 0) return 0;
  if (length_ == 0 && id <= last_id_) return entries_added_;
  if (id != kMinStreamId && id < max_deleted_) return std::nullopt;
  if (id == last_id_) return entries_added_;
  if (id > last_id_) return std::nullopt;
  if (max_deleted_ == kMinStreamId || max_deleted_ < first_) {
    if (id < first_) return entries_added_ - length_;
    if (id == first_) return entries_added_ - length_ + 1;
  }
  return std::nullopt;
}

bool Stream::HasTombstoneIn(StreamId from, StreamId to) const {
  if (length_ == 0) return false;
  if (max_deleted_ != kMinStreamId && from <= max_deleted_ && max_deleted_ <= to) return true;
  return DeletedBetween(from, to) != 0;  // what ACKED trimming left out
}

uint64_t Stream::Lag(const ConsumerGroup& group) const {
  if (entries_added_ == 0 || length_ == 0) return 0;
  const StreamId last = group.last_delivered();
  if (!deleted_.empty() && deleted_.CountBelow(last) != deleted_.size()) return CountAfter(last);
  if (last < first_ && max_deleted_ < first_) return length_;
  std::optional<uint64_t> read;
  if (group.entries_read() && !HasTombstoneIn(last, kMaxStreamId)) {
    read = group.entries_read();
  } else {
    read = DistanceFromFirst(last);
  }
  if (read) return entries_added_ > *read ? entries_added_ - *read : 0;
  return CountAfter(last);
}

const ConsumerGroup* Stream::FindGroup(std::string_view name) const {
  auto it = groups_.find(name);
  return it == groups_.end() ? nullptr : it->second.get();
}

const ConsumerGroup* Stream::FindGroup(uint32_t number) const {
  auto it = groups_by_number_.find(number);
  return it == groups_by_number_.end() ? nullptr : it->second;
}

bool Stream::FreeSome(size_t& pieces) {
  for (; !open_.empty() && pieces > 0; --pieces) open_.pop_back();
  if (!open_.empty() || deleted_.FreeSome(pieces)) return true;
  if (idempotence_.producers && idempotence_.producers->FreeSome(pieces)) return true;
  if (EraseSome(groups_by_number_, pieces)) return true;
  return EraseLarge(groups_, pieces, [](auto& group, size_t& left) { return group.second->FreeSome(left); });
}

size_t Stream::memory_bytes(size_t samples) const {
  size_t bytes = sizeof *this + deleted_.memory_bytes() + sealed_.memory_bytes() + open_.memory_bytes();
  if (idempotence_.producers) bytes += idempotence_.producers->memory_bytes(samples);
  bytes += EstimateSum(open_, samples, [](const StreamRun& run) { return run.memory_bytes(); });
  return bytes + EstimateSum(groups_, samples, [samples](const auto& named) {
           return named.second->memory_bytes(samples) + named.first.capacity();
         });
}

void Stream::AddToIndex(StreamId id, storage::Place place, uint64_t rank) {
  const uint64_t bytes = EntryBytes(place);
  if (open_.empty() || !open_.back().Append(id, place, bytes)) open_.emplace_back(id, place, bytes, rank);
}

void Stream::Append(StreamId id, storage::Place place) {
  AddToIndex(id, place, appended_);
  ++appended_;
  if (length_ == 0) first_ = id;
  ++length_;
  ++entries_added_;
  last_id_ = id;
}

void Stream::Delete(StreamId id, storage::Lsn at) {
  max_deleted_ = std::max(max_deleted_, id);
  Remove(id, at);
}

void Stream::Remove(StreamId id, storage::Lsn at) {
  --length_;
  deleted_.Insert(id);
  if (id == first_ || length_ == 0) ForgetHead(at);
}

void Stream::TrimThrough(StreamId last_removed, storage::Lsn at) {
  if (length_ == 0 || last_removed < first_) return;
  const std::optional<StreamId> head = Next(last_removed);
  const uint64_t kept = head ? appended_ - RankOf(*head) - DeletedBetween(*head, kMaxStreamId) : 0;
  length_ = kept;
  if (kept != 0) first_ = *head;
  ForgetHead(at);
}

// Moves first_ to the first entry that exists and lets go of all below it. O(what it forgets).
void Stream::ForgetHead(storage::Lsn at) {
  if (length_ == 0) {
    sealed_.clear();
    open_.clear();
    deleted_.Clear();
    first_ = kMinStreamId;
    node_base_ = appended_;  // an emptied stream begins its nodes anew
    emptied_at_ = at;
    return;
  }
  for (;;) {
    const size_t r = RunAt(first_);
    const size_t sealed = std::min(r, sealed_.size());
    sealed_.pop_front(sealed);
    open_.pop_front(r - sealed);
    const RunView head = Run(0);
    first_ = head.IdAt(head.LowerBound(first_));
    deleted_.EraseBelow(first_);
    if (deleted_.empty() || deleted_.At(0) != first_) return;
    first_ = *Next(first_);
  }
}

// ---- the index

void Stream::SealRuns(const storage::Segment& segment, std::span<const storage::IndexRun> own) {
  size_t count = 0;
  while (count < open_.size() && open_[count].segment() == &segment) ++count;
  if (count == 0) return;  // trimmed meanwhile, or emptied
  const uint64_t end = open_[count - 1].end_rank();
  const size_t first = sealed_.size();
  TakeRuns(segment, own, 0);
  // A run in the sidecar may begin further up front, with what was there before the stream was emptied: only
  // the ends are the same.
  if (sealed_.size() == first) return;
  const uint64_t shift = end - sealed_.back().end_rank;
  for (size_t r = first; r < sealed_.size(); ++r) sealed_[r].end_rank += shift;
  open_.pop_front(count);
}

void Stream::AttachRuns(const storage::Segment& segment, std::span<const storage::IndexRun> own) {
  TakeRuns(segment, own, end_rank());
}

// Those that hold something of the stream's own: in the order of last IDs they are in the log's order.
void Stream::TakeRuns(const storage::Segment& segment, std::span<const storage::IndexRun> own,
                      uint64_t rank) {
  if (length_ == 0) return;
  for (const storage::IndexRun& run : own) {
    const StreamId last{run.last_ms, run.last_seq};
    if (last < first_ || segment.Counts(run.last_offset) < emptied_at_) continue;
    rank += run.count;
    sealed_.push_back({last, &segment, rank});
  }
}

void Stream::AttachEntry(StreamId id, storage::Place place) {
  if (length_ == 0 || id < first_ || place.lsn() < emptied_at_) return;
  AddToIndex(id, place, end_rank());
}

bool Stream::EndAttaching() {
  const uint64_t attached = end_rank();
  const uint64_t shift = appended_ - attached;
  for (SealedRun& run : sealed_) run.end_rank += shift;
  for (StreamRun& run : open_) run.ShiftRank(shift);
  return attached >= length_ + deleted_.size();
}

uint64_t Stream::end_rank() const {
  if (!open_.empty()) return open_.back().end_rank();
  return sealed_.empty() ? 0 : sealed_.back().end_rank;
}

// ---- groups

ConsumerGroup& Stream::AddGroup(uint32_t number, std::string_view name) {
  auto group = std::make_unique<ConsumerGroup>(number, name);
  ConsumerGroup& added = *group;
  CHECK(groups_.emplace(name, std::move(group)).second);
  groups_by_number_[number] = &added;
  next_group_ = number + 1;
  return added;
}

std::unique_ptr<ConsumerGroup> Stream::RemoveGroup(uint32_t number) {
  const auto by_number = groups_by_number_.find(number);
  const auto by_name = groups_.find(std::string_view(by_number->second->name()));
  std::unique_ptr<ConsumerGroup> removed = std::move(by_name->second);
  groups_.erase(by_name);
  groups_by_number_.erase(by_number);
  return removed;
}

ConsumerGroup& Stream::Group(uint32_t number) {
  return *groups_by_number_.find(number)->second;
}

size_t Stream::RunAt(StreamId id) const {
  const auto ends_below = [](const auto& run, StreamId wanted) { return EndOf(run) < wanted; };
  if (!open_.empty() && (sealed_.empty() || id > sealed_.back().last)) {
    if (id > open_.back().first()) return id > open_.back().last() ? runs() : runs() - 1;
    const auto it = std::lower_bound(open_.begin(), open_.end(), id, ends_below);
    return sealed_.size() + static_cast<size_t>(it - open_.begin());
  }
  const auto it = std::lower_bound(sealed_.begin(), sealed_.end(), id, ends_below);
  return static_cast<size_t>(it - sealed_.begin());
}

uint64_t Stream::RankOf(StreamId id) const {
  const size_t r = RunAt(id);
  if (r == runs()) return appended_;
  const RunView run = Run(r);
  return run.rank() + run.LowerBound(id);
}

StreamId Stream::IdOfRank(uint64_t rank) const {
  const auto ends_at = [](uint64_t wanted, const auto& run) { return wanted < EndRankOf(run); };
  size_t r;
  if (!sealed_.empty() && rank < sealed_.back().end_rank) {
    const auto it = std::upper_bound(sealed_.begin(), sealed_.end(), rank, ends_at);
    r = static_cast<size_t>(it - sealed_.begin());
  } else {
    const auto it = std::upper_bound(open_.begin(), open_.end(), rank, ends_at);
    r = sealed_.size() + static_cast<size_t>(it - open_.begin());
  }
  const RunView run = Run(r);
  return run.IdAt(static_cast<uint32_t>(rank - run.rank()));
}

uint64_t Stream::DeletedBetween(StreamId from, StreamId to) const {
  if (deleted_.empty()) return 0;
  const std::optional<StreamId> beyond = Next(to);
  return (beyond ? deleted_.CountBelow(*beyond) : deleted_.size()) - deleted_.CountBelow(from);
}

}  // namespace sluice::engine
