#include "server/engine/liveness.h"

#include <algorithm>
#include <utility>

#include <absl/container/flat_hash_map.h>

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
  Heads& heads = liveness->streams_;
  absl::flat_hash_map<uint64_t, std::vector<StreamId>> deleted;
  const auto take = [&](std::string_view block) -> Result<void> {
    FieldReader reader{block, &ids, &objects};
    const auto malformed = [&] {
      return tl::make_unexpected(Error{Error::Code::kCorrupt, checkpoint.path() + ": a record is malformed"});
    };
    while (!reader.in.empty()) {
      uint8_t type = 0;
      reader(type);
      if (!TellsOfMessages(type)) {
        FieldSkipper skipper{reader.in};
        if (!SkipAs<StateRecord>(type, skipper) || !skipper.ok) return malformed();
        reader.in = skipper.in;
        continue;
      }
      StateRecord record;
      if (!ReadAs(type, reader, record)) return malformed();
      if (const auto* stream = std::get_if<StreamState>(&record)) {
        if (stream->length == 0) continue;
        heads.push_back({static_cast<uint64_t>(stream->stream), stream->emptied_at, stream->first, {}});
      } else if (const auto* part = std::get_if<DeletedPart>(&record)) {
        auto& of_stream = deleted[static_cast<uint64_t>(part->stream)];
        of_stream.insert(of_stream.end(), part->ids.begin(), part->ids.end());
      }
    }
    return {};
  };
  uint64_t records = 0;
  if (auto read = checkpoint.Read(take, &records, storage::CheckpointReader::Part::kMessages); !read)
    return tl::make_unexpected(read.error());
  std::sort(heads.begin(), heads.end(), [](const Head& a, const Head& b) { return a.object < b.object; });
  if (!deleted.empty()) {
    for (Head& head : heads) {
      if (const auto found = deleted.find(head.object); found != deleted.end()) {
        head.deleted = std::move(found->second);
      }
    }
  }
  return liveness;
}

StreamLiveness::Heads::const_iterator StreamLiveness::Seek(Heads::const_iterator from,
                                                           uint64_t object) const {
  const auto below = [object](const Head& head) { return head.object < object; };
  std::ptrdiff_t step = 1;
  while (streams_.end() - from > step && below(from[step])) {
    from += step;
    step *= 2;
  }
  return std::partition_point(from, from + std::min(step + 1, streams_.end() - from), below);
}

const StreamLiveness::Head* StreamLiveness::Find(uint64_t object) const {
  const auto found = Seek(streams_.begin(), object);
  return found != streams_.end() && found->object == object ? &*found : nullptr;
}

std::optional<uint64_t> StreamLiveness::LiveBytes(const storage::SealedSegment& segment) const {
  std::optional<uint64_t> bytes;
  auto head = streams_.begin();
  for (const storage::IndexRun& run : segment.index->runs()) {
    head = Seek(head, run.object);
    if (head == streams_.end()) break;
    const StreamId first{run.first_ms, run.first_seq};
    const StreamId last{run.last_ms, run.last_seq};
    const Lsn lsn = segment.compacted() ? segment.end_lsn() : segment.identity.base + run.last_offset;
    if (head->object != run.object || last < head->first || lsn < head->emptied_at) continue;
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
    bytes = bytes.value_or(0) + run.bytes * alive / run.count;
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
