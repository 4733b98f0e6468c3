// Record, then apply: the engine and its log as one.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "server/engine/engine.h"
#include "server/engine/event.h"
#include "server/engine/indexer.h"
#include "storage/log.h"

namespace sluice::engine {

class Journal {
 public:
  // Opens the store and brings `engine` (empty) to its state by applying every event of the log. An engine
  // that has the state at `replay_from` already (from a checkpoint), all but its streams' indexes, is given
  // those and what was recorded since.
  static storage::Result<std::unique_ptr<Journal>> Open(storage::FileSystem& files,
                                                        const storage::LogOptions& options, Engine& engine,
                                                        storage::RecoveryReport* report,
                                                        storage::Lsn replay_from = {});

  // Records `events` as one record, in order, and applies them. All or nothing: an error (kFull) means that
  // nothing was recorded. The events' views may die when this returns; AppendEntry.body_offset is filled in.
  storage::Result<void> Record(std::span<Event> events);

  // Makes all that is recorded until EndGroup() one record, of at most `max_bytes`. kFull where the log has
  // no room for that: then there is no group. Within a group Record() refuses with kInvalid what would not
  // fit any more.
  storage::Result<void> BeginGroup(size_t max_bytes);
  void EndGroup();

  // A slice of work (about 100 us): indexes that stand in sidecars by now leave memory. False where nothing
  // is left.
  bool SealSome() { return indexer_.SealSome(*log_); }

  const Engine& engine() const { return engine_; }
  // For what is not state: statistics that are volatile on purpose, and freeing in slices.
  Engine& mutable_engine() { return engine_; }
  storage::Log& log() { return *log_; }
  const storage::Log& log() const { return *log_; }

 private:
  Journal(Engine& engine, std::unique_ptr<storage::Log> log)
      : engine_(engine), log_(std::move(log)), indexer_(engine) {}

  Engine& engine_;
  std::unique_ptr<storage::Log> log_;
  Indexer indexer_;

  // An open record: where its body begins, how much is written and how much there is room for.
  struct Group {
    storage::Log::Room room;
    size_t used = 0;
    size_t limit = 0;
  };
  void Append(Group& group, std::span<Event> events);
  std::optional<Group> group_;
};

}  // namespace sluice::engine
