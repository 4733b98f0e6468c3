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

storage::Result<void> Journal::Record(std::span<Event> events, storage::Log::Use use) {
  size_t bytes = 0;
  for (const Event& event : events) bytes += EncodedSize(event);
  if (group_) {
    if (bytes > group_->limit - group_->used) {
      return tl::unexpected(
          storage::Error{storage::Error::Code::kInvalid, "more than the group has room for"});
    }
    Append(*group_, events);
    return {};
  }
  auto room = log_->BeginRecord(bytes, use);
  if (!room) return tl::unexpected(room.error());
  Group single{.room = *room, .limit = bytes};
  Append(single, events);
  log_->EndRecord(bytes);
  return {};
}

storage::Result<void> Journal::BeginGroup(size_t max_bytes, storage::Log::Use use) {
  auto room = log_->BeginRecord(max_bytes, use);
  if (!room) return tl::unexpected(room.error());
  group_ = Group{.room = *room, .limit = max_bytes};
  return {};
}

void Journal::EndGroup() {
  if (group_->used == 0) {
    log_->CancelRecord();
  } else {
    log_->EndRecord(group_->used);
  }
  group_.reset();
}

// Each event acts as soon as it stands in the log, so that the next one finds the state that it was decided
// on.
void Journal::Append(Group& group, std::span<Event> events) {
  for (Event& event : events) {
    const auto offset = static_cast<uint32_t>(group.used);
    if (auto* append = std::get_if<AppendEntry>(&event)) append->body_offset = offset;
    char* out = group.room.body + offset;
    group.used += static_cast<size_t>(Encode(event, out) - out);
    engine_.Apply(event, {group.room.place.segment, group.room.place.offset + offset});
  }
}

}  // namespace sluice::engine
