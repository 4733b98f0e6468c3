#include "server/engine/indexer.h"

#include "server/engine/event_codec.h"
#include "storage/format.h"

namespace sluice::engine {
namespace {

// Takes about 100 us.
constexpr size_t kRunsInSlice = 512;

// Most bodies are one AppendEntry: that one without decoding it.
bool VisitSingleEntry(std::string_view body, storage::IndexSink& sink) {
  using Layout = EntryLayout;
  if (body.size() < Layout::kFieldsAt || static_cast<uint8_t>(body[0]) != AppendEntry::kType) return false;
  const char* const event = body.data();
  if (body.size() - Layout::kFieldsAt != Layout::Load<uint32_t>(event, Layout::kFieldBytesAt)) return false;
  const auto id = Layout::Load<StreamId>(event, Layout::kIdAt);
  sink.Add(Layout::Load<uint64_t>(event, Layout::kStreamAt), id.ms, id.seq, 0,
           storage::RecordBytes(body.size()));
  return true;
}

}  // namespace

void VisitEntries(std::string_view body, storage::IndexSink& sink) {
  if (VisitSingleEntry(body, sink)) return;
  EventReader reader(body);
  while (const auto append = reader.NextEntry()) {
    sink.Add(static_cast<uint64_t>(append->stream), append->id.ms, append->id.seq, reader.offset(),
             EntryLayout::kFieldsAt + append->fields.size());
  }
}

Stream* Indexer::StreamOf(ObjectId id) {
  Object* object = engine_.keys_.Mutable(id);
  return object == nullptr ? nullptr : std::get_if<std::unique_ptr<Stream>>(&object->value)->get();
}

// Where there are many streams each is in another corner of memory: what the next ones need comes while this
// one is worked on, their slots first, and the streams once these say where they are.
void Indexer::PrefetchBehind(std::span<const storage::IndexRun> runs, size_t at) {
  constexpr size_t kSlotAhead = 12;
  constexpr size_t kStreamAhead = 8;
  constexpr size_t kRunsAhead = 4;
  if (at + kSlotAhead < runs.size()) engine_.keys_.PrefetchObject(ObjectId{runs[at + kSlotAhead].object});
  if (at + kStreamAhead < runs.size()) {
    if (const Stream* stream = StreamOf(ObjectId{runs[at + kStreamAhead].object})) stream->Prefetch();
  }
  if (at + kRunsAhead < runs.size()) {
    if (const Stream* stream = StreamOf(ObjectId{runs[at + kRunsAhead].object})) stream->PrefetchSealed();
  }
}

template <typename Visit>
bool Indexer::ForEachStream(const storage::Segment& segment, size_t* at, size_t most, Visit&& visit) {
  const auto runs = segment.index_runs().runs();
  const size_t end = runs.size() - *at > most ? *at + most : runs.size();
  while (*at < end) {
    PrefetchBehind(runs, *at);
    const size_t first = *at;
    do {
      ++*at;
    } while (*at < runs.size() && runs[*at].object == runs[first].object);
    if (Stream* stream = StreamOf(ObjectId{runs[first].object})) {
      visit(*stream, runs.subspan(first, *at - first));
    }
  }
  return *at < runs.size();
}

bool Indexer::SealSome(storage::Log& log) {
  if (segment_ == nullptr) {
    segment_ = log.TakeIndexed();
    next_run_ = 0;
    if (segment_ == nullptr) return false;
  }
  const bool more = ForEachStream(*segment_, &next_run_, kRunsInSlice,
                                  [this](Stream& stream, auto runs) { stream.SealRuns(*segment_, runs); });
  if (!more) segment_ = nullptr;
  return true;
}

void Indexer::Attach(const storage::Segment& segment) {
  size_t at = 0;
  ForEachStream(segment, &at, SIZE_MAX, [&](Stream& stream, auto runs) { stream.AttachRuns(segment, runs); });
}

void Indexer::AttachRecord(storage::Place place, std::string_view body) {
  EventReader reader(body);
  while (const std::optional<Event> event = reader.Next()) {
    const auto* append = std::get_if<AppendEntry>(&*event);
    if (append == nullptr) continue;
    Stream* stream = StreamOf(append->stream);
    if (stream == nullptr) continue;
    stream->AttachEntry(append->id, {place.segment, place.offset + static_cast<uint32_t>(reader.offset())});
  }
}

storage::Result<void> Indexer::EndAttaching() {
  for (size_t slot = 0; slot < engine_.keys_.slots(); ++slot) {
    const Object* object = engine_.keys_.At(slot);
    if (object == nullptr || object->type() != ObjectType::kStream) continue;
    if (StreamOf(object->id)->EndAttaching()) continue;
    return tl::unexpected(storage::Error{
        storage::Error::Code::kCorrupt,
        "the log holds fewer entries of the stream '" + object->key + "' than its state says"});
  }
  return {};
}

}  // namespace sluice::engine
