#include "server/engine/journal.h"

#include "server/engine/event_codec.h"

namespace sluice::engine {

storage::Result<std::unique_ptr<Journal>> Journal::Open(storage::FileSystem& files,
                                                        const storage::LogOptions& options, Engine& engine,
                                                        storage::RecoveryReport* report) {
  auto replay = [&engine](storage::Place place, std::string_view body) -> storage::Result<void> {
    EventReader reader(body);
    while (std::optional<Event> event = reader.Next()) {
      engine.Apply(*event, {place.segment, place.offset + static_cast<uint32_t>(reader.offset())});
    }
    if (reader.ok()) return {};
    // The record verifies, so these are the bytes that were written: by a version of this program that knows
    // more.
    return tl::unexpected(storage::Error{storage::Error::Code::kCorrupt,
                                         "a record holds an event that this version does not know"});
  };
  auto log = storage::Log::Open(files, options, replay, report);
  if (!log) return tl::unexpected(log.error());
  return std::unique_ptr<Journal>(new Journal(engine, std::move(*log)));
}

storage::Result<void> Journal::Record(std::span<Event> events) {
  size_t bytes = 0;
  for (const Event& event : events) bytes += EncodedSize(event);
  auto room = log_->BeginRecord(bytes);
  if (!room) return tl::unexpected(room.error());
  char* out = room->body;
  for (Event& event : events) {
    const auto offset = static_cast<uint32_t>(out - room->body);
    if (auto* append = std::get_if<AppendEntry>(&event)) append->body_offset = offset;
    out = Encode(event, out);
    engine_.Apply(event, {room->place.segment, room->place.offset + offset});
  }
  log_->EndRecord(bytes);
  return {};
}

}  // namespace sluice::engine
