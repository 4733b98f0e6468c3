#include "server/engine/journal.h"

#include <utility>

#include "server/engine/event_codec.h"
#include "server/engine/liveness.h"

namespace sluice::engine {

storage::Result<std::unique_ptr<Journal>> Journal::Open(storage::FileSystem& files,
                                                        const storage::LogOptions& options, Engine& engine,
                                                        storage::RecoveryReport* report,
                                                        const CheckpointOptions& checkpoints,
                                                        const storage::CompactionOptions& compaction,
                                                        const storage::ColdReadOptions& cold_reads) {
  if (auto made = files.CreateDirectory(options.directory); !made) return tl::unexpected(made.error());
  auto loaded = LoadNewestCheckpoint(files, options.directory, engine);
  if (!loaded) return tl::unexpected(loaded.error());
  Indexer indexer(engine);
  bool attaching = loaded->lsn != storage::Lsn{};
  const auto end_attaching = [&]() -> storage::Result<void> {
    return std::exchange(attaching, false) ? indexer.EndAttaching() : storage::Result<void>{};
  };
  storage::Log::Start start;
  start.replay_from = loaded->lsn;
  start.state_is_whole = true;
  start.replay_segment = loaded->segment;
  start.attach = [&](const storage::Segment& segment) -> storage::Result<void> {
    indexer.Attach(segment);
    return {};
  };
  start.index = [&](storage::Place place, std::string_view body) -> storage::Result<void> {
    indexer.AttachRecord(place, body);
    return {};
  };
  start.replay = [&](storage::Place place, std::string_view body) -> storage::Result<void> {
    if (auto attached = end_attaching(); !attached) return attached;
    EventReader reader(body);
    while (std::optional<Event> event = reader.Next()) {
      engine.Apply(*event, {place.segment, place.offset + static_cast<uint32_t>(reader.offset())});
      ++loaded->replayed;
    }
    if (reader.ok()) return {};
    // The record verifies, so these are the bytes that were written: by a version of this program that knows
    // more.
    return tl::unexpected(storage::Error{storage::Error::Code::kCorrupt,
                                         "a record holds an event that this version does not know"});
  };
  storage::LogOptions with_index = options;
  with_index.index = VisitEntries;
  auto log = storage::Log::Open(files, with_index, start, report);
  if (!log) return tl::unexpected(log.error());
  if (auto attached = end_attaching(); !attached) return tl::unexpected(attached.error());
  if (log->get()->tail() < loaded->lsn) {
    return tl::unexpected(storage::Error{
        storage::Error::Code::kCorrupt,
        loaded->path + ": it shows the state at LSN " + std::to_string(storage::Value(loaded->lsn)) +
            ", but the log ends at " + std::to_string(storage::Value(log->get()->tail())) +
            ": bytes that were durable are gone"});
  }
  // Only now is the store known to be ours alone.
  for (const std::string& name : loaded->unfinished) {
    if (auto removed = files.Remove(options.directory + "/" + name); !removed)
      return tl::unexpected(removed.error());
  }
  std::unique_ptr<Journal> journal(new Journal(engine, std::move(*log), std::move(*loaded)));
  journal->checkpointer_ = std::make_unique<Checkpointer>(files, options.directory, checkpoints,
                                                          journal->loaded_, engine, *journal->log_);
  journal->compactor_ = std::make_unique<storage::Compactor>(
      files, options.directory, compaction, StreamLiveness::Read, VisitEntries, *journal->log_);
  journal->RequestCompaction();
  journal->cold_reads_ = std::make_unique<storage::ColdReads>(*journal->log_, cold_reads);
  return journal;
}

storage::Result<void> Journal::Close(bool checkpoint, uint64_t unix_ms) {
  // Written before the log ends, named after: its name promises that the log is durable up to there.
  compactor_->GiveUp();
  if (checkpoint) {
    checkpointer_->BeforeClose(unix_ms);
  } else {
    checkpointer_->GiveUp();
  }
  auto closed = log_->Close();
  if (closed && checkpoint) checkpointer_->AfterClose();
  return closed;
}

void Journal::StopWorkers() {
  checkpointer_->GiveUp();
  compactor_->GiveUp();
  cold_reads_->Stop();
}

void Journal::RequestCompaction() {
  const storage::MadeCheckpoint& newest = checkpointer_->status().newest;
  if (newest.sequence != 0) compactor_->Request(newest);
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
