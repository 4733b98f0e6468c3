#include "server/engine/event_codec.h"

#include "server/engine/field_codec.h"
#include "server/engine/stream.h"
#include "storage/format.h"

namespace sluice::engine {

size_t EncodedSize(const Event& event) {
  return EncodedSizeOf(event);
}

char* Encode(const Event& event, char* out) {
  return EncodeAt(event, out);
}

std::optional<Event> EventReader::Next() {
  if (!ok_ || next_ == body_.size()) return std::nullopt;
  offset_ = next_;
  FieldReader reader{body_.substr(next_), &ids_, &objects_};
  uint8_t type = 0;
  reader(type);
  Event event;
  ok_ = ReadAs(type, reader, event);
  if (!ok_) return std::nullopt;
  next_ = body_.size() - reader.in.size();
  return event;
}

std::optional<AppendEntry> EventReader::NextEntry() {
  while (ok_ && next_ != body_.size()) {
    offset_ = next_;
    const std::string_view rest = body_.substr(next_);
    const auto type = static_cast<uint8_t>(rest.front());
    if (type == AppendEntry::kType) {
      FieldReader reader{rest.substr(1), &ids_, &objects_};
      AppendEntry append;
      AppendEntry::Visit(append, reader);
      ok_ = reader.ok;
      next_ = body_.size() - reader.in.size();
      if (ok_) return append;
    } else {
      FieldSkipper skipper{rest.substr(1)};
      ok_ = SkipAs<Event>(type, skipper) && skipper.ok;
      next_ = body_.size() - skipper.in.size();
    }
  }
  return std::nullopt;
}

EntryView ReadEntry(const char* event) {
  using Layout = EntryLayout;
  return {.id = Layout::Load<StreamId>(event, Layout::kIdAt),
          .pairs = Layout::Load<uint32_t>(event, Layout::kPairsAt),
          .fields = {event + Layout::kFieldsAt, Layout::Load<uint32_t>(event, Layout::kFieldBytesAt)}};
}

uint64_t EntryBytes(storage::Place place) {
  return EntryLayout::kFieldsAt + EntryLayout::Load<uint32_t>(place.data(), EntryLayout::kFieldBytesAt);
}

namespace {

// The event says how far it stands from its record's header, which says how long the record is.
EntryLook LookOnce(storage::Place place, storage::ColdReads& cold) {
  using storage::RecordState;
  constexpr uint64_t kHead = EntryLayout::kStreamAt;
  constexpr uint64_t kFirstBody = storage::kSegmentHeaderBytes + storage::kRecordHeaderBytes;
  const storage::Segment& segment = *place.segment;
  if (place.offset < kFirstBody || place.offset + kHead > segment.end()) return {RecordState::kDamaged};
  // Most entries have a record of their own: its header stands right in front of them.
  const char* at =
      cold.At(segment, place.offset - storage::kRecordHeaderBytes, storage::kRecordHeaderBytes + kHead);
  if (at == nullptr) return {RecordState::kAway};
  const char* event = at + storage::kRecordHeaderBytes;
  if (static_cast<uint8_t>(*event) != AppendEntry::kType) return {RecordState::kDamaged};
  const auto body_offset = EntryLayout::Load<uint32_t>(event, EntryLayout::kBodyOffsetAt);
  if (body_offset > place.offset - kFirstBody) return {RecordState::kDamaged};
  const uint64_t in_record = storage::kRecordHeaderBytes + body_offset;
  const storage::RecordLook found = segment.LookAtRecord(place.offset - in_record, &cold);
  if (found.state != RecordState::kSound) return {found.state};
  return {RecordState::kSound, found.record + in_record};
}

}  // namespace

EntryLook LookAtRecordedEntry(storage::Place place, storage::ColdReads& cold) {
  EntryLook look = LookOnce(place, cold);
  // Damage is what the file shows, and not what was read of it elsewhere.
  while (look.state == storage::RecordState::kDamaged && cold.Distrust(*place.segment, place.offset))
    look = LookOnce(place, cold);
  return look;
}

}  // namespace sluice::engine
