#include "server/engine/stream.h"

#include <algorithm>

#include "server/engine/event_codec.h"
#include "storage/check.h"

namespace sluice::engine {

uint32_t StreamRun::LowerBound(StreamId id) const {
  if (id <= first_) return 0;
  if (id > last_) return size();
  if (id == last_) return size() - 1;  // acknowledging and reading new entries ask for the last one most
  // first_ < id < last_, so the run's IDs fit deltas. A sequence beyond the delta's bits lies behind all of
  // its ms.
  const uint64_t seq = std::min<uint64_t>(id.seq, kSeqLimit);
  const uint64_t wanted = ((id.ms - base_ms_) << kSeqBits) + seq;
  auto it = std::lower_bound(cells_.begin(), cells_.end(), wanted,
                             [](const Cell& cell, uint64_t delta) { return cell.delta < delta; });
  return static_cast<uint32_t>(it - cells_.begin());
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
  if (r == runs_.size()) return std::nullopt;
  const uint32_t i = runs_[r].LowerBound(id);
  if (runs_[r].IdAt(i) != id || (!deleted_.empty() && deleted_.contains(id))) return std::nullopt;
  return runs_[r].PlaceAt(i);
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

std::optional<StreamId> Stream::PlanTrim(const Trim& trim, std::optional<StreamId> coming) const {
  const uint64_t length = length_ + (coming ? 1 : 0);
  if (trim.kind == Trim::kNone || length == 0) return std::nullopt;
  if (trim.approximate) return PlanNodes(trim, coming);
  if (trim.kind == Trim::kMinId) {
    const StreamId first = length_ != 0 ? first_ : *coming;
    return first < trim.min_id ? Previous(trim.min_id) : std::nullopt;
  }
  if (length <= trim.max_length) return std::nullopt;
  const uint64_t excess = length - trim.max_length;
  return excess > length_ ? *coming : Select(excess - 1);
}

std::optional<StreamId> Stream::PlanNodes(const Trim& trim, std::optional<StreamId> coming) const {
  const uint64_t ranks = appended_ + (coming ? 1 : 0);
  uint64_t left = length_ + (coming ? 1 : 0);
  uint64_t taken = 0;
  std::optional<StreamId> last;
  for (uint64_t rank = length_ != 0 ? RankOf(first_) : appended_; rank < ranks;) {
    const Node node = NodeAt(rank, trim.node_entries, coming);
    if (!TakesNode(trim, node, left, taken)) break;
    last = node.last;
    taken += node.live;
    left -= node.live;
    rank = node.end;
  }
  return last;
}

Stream::Node Stream::NodeAt(uint64_t rank, uint64_t node_entries, std::optional<StreamId> coming) const {
  Node node;
  node.end = std::min((rank / node_entries + 1) * node_entries, appended_ + (coming ? 1 : 0));
  node.last = node.end > appended_ ? *coming : IdOfRank(node.end - 1);
  node.live = node.end - rank;
  if (rank < appended_) node.live -= DeletedBetween(IdOfRank(rank), node.last);
  return node;
}

bool Stream::TakesNode(const Trim& trim, const Node& node, uint64_t left, uint64_t taken) {
  if (trim.kind == Trim::kMaxLength && (left <= trim.max_length || left - node.live < trim.max_length))
    return false;
  if (trim.kind == Trim::kMinId && node.last >= trim.min_id) return false;
  return trim.limit == 0 || taken + node.live <= trim.limit;
}

std::vector<StreamId> Stream::PlanSelectiveTrim(const Trim& trim, std::optional<StreamId> coming,
                                                const std::function<bool(StreamId)>& keep) const {
  std::vector<StreamId> taken;
  const uint64_t length = length_ + (coming ? 1 : 0);
  // False where trimming ends before `id`.
  uint64_t node_end = length_ != 0 ? RankOf(first_) : appended_;
  auto look_at = [&](StreamId id) {
    const uint64_t left = length - taken.size();
    if (trim.approximate) {
      const uint64_t rank = coming && id == *coming ? appended_ : RankOf(id);
      if (rank >= node_end) {
        const Node node = NodeAt(rank, trim.node_entries, coming);
        if (!TakesNode(trim, node, left, taken.size())) return false;
        node_end = node.end;
      }
    } else if (trim.kind == Trim::kMaxLength ? left <= trim.max_length : id >= trim.min_id) {
      return false;
    }
    if (!keep(id)) taken.push_back(id);
    return true;
  };
  bool more = true;
  Scan(kMinStreamId, kMaxStreamId, [&](StreamId id, storage::Place) { return more = look_at(id); });
  if (more && coming) look_at(*coming);
  return taken;
}

uint64_t Stream::Nodes(uint64_t node_entries) const {
  if (length_ == 0) return 0;
  return (appended_ - 1) / node_entries - RankOf(first_) / node_entries + 1;
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

std::optional<uint64_t> Stream::EntriesReadAt(StreamId id, std::optional<uint64_t> read,
                                              StreamId last) const {
  if (read && last >= first_ && !HasTombstoneIn(last, kMaxStreamId)) return *read + 1;
  return DistanceFromFirst(id);
}

const ConsumerGroup* Stream::FindGroup(std::string_view name) const {
  auto it = groups_.find(name);
  return it == groups_.end() ? nullptr : it->second.get();
}

const ConsumerGroup* Stream::FindGroup(uint32_t number) const {
  auto it = groups_by_number_.find(number);
  return it == groups_by_number_.end() ? nullptr : it->second;
}

size_t Stream::memory_bytes() const {
  size_t bytes = sizeof *this + deleted_.memory_bytes();
  if (idempotence_.producers) bytes += idempotence_.producers->memory_bytes();
  for (const StreamRun& run : runs_) bytes += run.memory_bytes();
  for (const auto& [name, group] : groups_) bytes += group->memory_bytes() + name.capacity();
  return bytes;
}

void Stream::Append(StreamId id, storage::Place place) {
  if (runs_.empty()) floor_ = place.lsn();
  if (runs_.empty() || !runs_.back().Append(id, place)) runs_.emplace_back(id, place, appended_);
  ++appended_;
  if (length_ == 0) first_ = id;
  ++length_;
  ++entries_added_;
  last_id_ = id;
}

void Stream::Attach(StreamId id, storage::Place place) {
  if (length_ == 0 || place.lsn() < floor_ || id < first_) return;
  const uint64_t rank =
      runs_.empty() ? appended_ - length_ - deleted_.size() : runs_.back().rank() + runs_.back().size();
  if (runs_.empty() || !runs_.back().Append(id, place)) runs_.emplace_back(id, place, rank);
}

bool Stream::IsWhole() const {
  if (length_ == 0) return runs_.empty();
  if (runs_.empty() || runs_.back().rank() + runs_.back().size() != appended_) return false;
  return Contains(first_) && appended_ - RankOf(first_) == length_ + deleted_.size();
}

void Stream::Delete(StreamId id) {
  max_deleted_ = std::max(max_deleted_, id);
  Remove(id);
}

void Stream::Remove(StreamId id) {
  --length_;
  deleted_.Insert(id);
  if (id == first_ || length_ == 0) ForgetHead();
}

void Stream::TrimThrough(StreamId last_removed) {
  if (length_ == 0 || last_removed < first_) return;
  const std::optional<StreamId> head = Next(last_removed);
  const uint64_t kept = head ? appended_ - RankOf(*head) - DeletedBetween(*head, kMaxStreamId) : 0;
  length_ = kept;
  if (kept != 0) first_ = *head;
  ForgetHead();
}

// Moves first_ to the first entry that exists and lets go of all below it. O(what it forgets).
void Stream::ForgetHead() {
  if (length_ == 0) {
    runs_.clear();
    deleted_.Clear();
    first_ = kMinStreamId;
    appended_ = 0;  // an emptied stream begins its nodes anew
    return;
  }
  for (;;) {
    const size_t r = RunAt(first_);
    runs_.erase(runs_.begin(), runs_.begin() + static_cast<ptrdiff_t>(r));
    first_ = runs_.front().IdAt(runs_.front().LowerBound(first_));
    deleted_.EraseBelow(first_);
    if (deleted_.empty() || deleted_.At(0) != first_) return;
    first_ = *Next(first_);
  }
}

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
  if (!runs_.empty() && id > runs_.back().first())
    return id > runs_.back().last() ? runs_.size() : runs_.size() - 1;
  auto it = std::lower_bound(runs_.begin(), runs_.end(), id,
                             [](const StreamRun& run, StreamId wanted) { return run.last() < wanted; });
  return static_cast<size_t>(it - runs_.begin());
}

uint64_t Stream::RankOf(StreamId id) const {
  const size_t r = RunAt(id);
  return r == runs_.size() ? appended_ : runs_[r].rank() + runs_[r].LowerBound(id);
}

StreamId Stream::IdOfRank(uint64_t rank) const {
  auto it = std::upper_bound(runs_.begin(), runs_.end(), rank,
                             [](uint64_t wanted, const StreamRun& run) { return wanted < run.rank(); });
  --it;
  return it->IdAt(static_cast<uint32_t>(rank - it->rank()));
}

uint64_t Stream::DeletedBetween(StreamId from, StreamId to) const {
  if (deleted_.empty()) return 0;
  const std::optional<StreamId> beyond = Next(to);
  return (beyond ? deleted_.CountBelow(*beyond) : deleted_.size()) - deleted_.CountBelow(from);
}

}  // namespace sluice::engine
