#include "server/engine/liveness.h"

#include <algorithm>
#include <utility>

#include "server/engine/field_codec.h"
#include "server/engine/state_record.h"
#include "server/engine/stream_run.h"

namespace sluice::engine {
namespace {

using storage::Error;
using storage::Fate;
using storage::Lsn;
using storage::Result;

void AppendEvent(std::string& to, AppendEntry entry) {
  entry.body_offset = static_cast<uint32_t>(to.size());
  const Event event = entry;
  to.resize(to.size() + EncodedSize(event));
  Encode(event, to.data() + entry.body_offset);
}

}  // namespace

Result<std::unique_ptr<storage::Liveness>> StreamLiveness::Read(storage::CheckpointReader& checkpoint) {
  auto liveness = std::make_unique<StreamLiveness>();
  std::vector<StreamId> ids;
  std::vector<ObjectId> objects;
  const auto take = [&](std::string_view block) -> Result<void> {
    FieldReader reader{block, &ids, &objects};
    while (!reader.in.empty()) {
      uint8_t type = 0;
      reader(type);
      StateRecord record;
      if (!ReadAs(type, reader, record)) {
        return tl::make_unexpected(
            Error{Error::Code::kCorrupt, checkpoint.path() + ": a record is malformed"});
      }
      if (const auto* stream = std::get_if<StreamState>(&record)) {
        Head& head = liveness->streams_[static_cast<uint64_t>(stream->stream)];
        head.emptied_at = stream->emptied_at;
        head.length = stream->length;
        head.first = stream->first;
      } else if (const auto* part = std::get_if<DeletedPart>(&record)) {
        auto& deleted = liveness->streams_[static_cast<uint64_t>(part->stream)].deleted;
        deleted.insert(deleted.end(), part->ids.begin(), part->ids.end());
      }
    }
    return {};
  };
  uint64_t records = 0;
  if (auto read = checkpoint.Read(take, &records); !read) return tl::make_unexpected(read.error());
  return liveness;
}

const StreamLiveness::Head* StreamLiveness::Find(uint64_t object) const {
  const auto found = streams_.find(object);
  return found == streams_.end() || found->second.length == 0 ? nullptr : &found->second;
}

uint64_t StreamLiveness::LiveBytes(const storage::SealedSegment& segment) const {
  constexpr size_t kAhead = 8;  // each stream is in another corner of memory
  uint64_t bytes = 0;
  const auto runs = segment.index->runs();
  for (size_t i = 0; i < runs.size(); ++i) {
    const storage::IndexRun& run = runs[i];
    if (i + kAhead < runs.size()) streams_.prefetch(runs[i + kAhead].object);
    const Head* head = Find(run.object);
    const StreamId first{run.first_ms, run.first_seq};
    const StreamId last{run.last_ms, run.last_seq};
    const Lsn lsn = segment.compacted() ? segment.end_lsn() : segment.identity.base + run.last_offset;
    if (head == nullptr || last < head->first || lsn < head->emptied_at) continue;
    uint64_t alive = run.count;
    if (first < head->first) {
      const storage::IndexCell* cells = segment.index->Cells(run);
      if (BaseOf(head->first) == BaseOf(first)) {
        const uint32_t delta = storage::CellDelta(head->first.ms, head->first.seq);
        const auto* begin = std::partition_point(
            cells, cells + run.count, [delta](const storage::IndexCell& cell) { return cell.delta < delta; });
        alive = static_cast<uint64_t>(cells + run.count - begin);
      }
    }
    const auto& deleted = head->deleted;
    const auto from = std::lower_bound(deleted.begin(), deleted.end(), std::max(first, head->first));
    const auto to = std::upper_bound(from, deleted.end(), last);
    alive -= std::min<uint64_t>(alive, static_cast<uint64_t>(to - from));
    bytes += run.bytes * alive / run.count;
  }
  return bytes;
}

StreamLiveness::Standing StreamLiveness::StandingOf(const AppendEntry& entry, Lsn lsn) const {
  const Head* head = Find(static_cast<uint64_t>(entry.stream));
  if (head == nullptr || entry.id < head->first || lsn < head->emptied_at) return Standing::kGone;
  const bool deleted = std::binary_search(head->deleted.begin(), head->deleted.end(), entry.id);
  return deleted ? Standing::kDeleted : Standing::kAlive;
}

Fate StreamLiveness::Decide(Lsn lsn, std::string_view body, std::string* replacement) {
  bool alive = false;
  bool before_emptied = false;
  replacement->clear();
  EventReader reader(body);
  while (const std::optional<Event> event = reader.Next()) {
    const auto* entry = std::get_if<AppendEntry>(&*event);
    if (entry == nullptr) continue;
    switch (StandingOf(*entry, lsn + reader.offset())) {
      case Standing::kAlive:
        alive = true;
        AppendEvent(*replacement, *entry);
        break;
      case Standing::kDeleted:
        AppendEvent(*replacement,
                    {.body_offset = 0, .stream = entry->stream, .id = entry->id, .pairs = 0, .fields = {}});
        break;
      case Standing::kGone:
        if (const Head* head = Find(static_cast<uint64_t>(entry->stream))) {
          before_emptied |= lsn + reader.offset() < head->emptied_at;
        }
        break;
    }
  }
  // A message of a stream that was emptied behind it must not come along with others of its record: nobody
  // could tell it from those that came after.
  if (alive && !before_emptied) return Fate::kKeep;
  return replacement->empty() ? Fate::kDrop : Fate::kReplace;
}

}  // namespace sluice::engine
