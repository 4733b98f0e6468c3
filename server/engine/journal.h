// Record, then apply: the engine and its log as one.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "server/engine/checkpointer.h"
#include "server/engine/engine.h"
#include "server/engine/event.h"
#include "server/engine/indexer.h"
#include "storage/cold_reads.h"
#include "storage/compactor.h"
#include "storage/log.h"

namespace sluice::engine {

class Journal {
 public:
  // Opens the store and brings `engine` (empty) to its state: that of the newest whole checkpoint, and every
  // event of the log behind it applied.
  static storage::Result<std::unique_ptr<Journal>> Open(storage::FileSystem& files,
                                                        const storage::LogOptions& options, Engine& engine,
                                                        storage::RecoveryReport* report,
                                                        const CheckpointOptions& checkpoints = {},
                                                        const storage::CompactionOptions& compaction = {},
                                                        const storage::ColdReadOptions& cold_reads = {});
  // Ends the log in good order, everything durable, with a checkpoint of its end where that is wanted: the
  // next opening has nothing to replay then. A checkpoint that fails is no error (checkpointer().status()
  // tells).
  storage::Result<void> Close(bool checkpoint, uint64_t unix_ms);

  // Gives up the checkpoint, the compaction and what is being fetched: nothing is called from another thread
  // afterwards.
  void StopWorkers();

  // Records `events` as one record, in order, and applies them. All or nothing: an error (kFull) means that
  // nothing was recorded. The events' views may die when this returns; AppendEntry.body_offset is filled in.
  // `use`: whether they may go into the log's reserve.
  storage::Result<void> Record(std::span<Event> events, storage::Log::Use use);

  // Makes all that is recorded until EndGroup() one record, of at most `max_bytes`. kFull where the log has
  // no room for that: then there is no group. Within a group Record() refuses with kInvalid what would not
  // fit any more.
  storage::Result<void> BeginGroup(size_t max_bytes, storage::Log::Use use);
  void EndGroup();

  // A slice of work (about 100 us): indexes that stand in sidecars by now leave memory. False where nothing
  // is left.
  bool SealSome() { return indexer_.SealSome(*log_); }

  const Engine& engine() const { return engine_; }
  // For what is not state: statistics that are volatile on purpose, and freeing in slices.
  Engine& mutable_engine() { return engine_; }
  storage::Log& log() { return *log_; }
  const storage::Log& log() const { return *log_; }
  Checkpointer& checkpointer() { return *checkpointer_; }
  const Checkpointer& checkpointer() const { return *checkpointer_; }
  storage::Compactor& compactor() { return *compactor_; }
  const storage::Compactor& compactor() const { return *compactor_; }
  storage::ColdReads& cold_reads() { return *cold_reads_; }
  const storage::ColdReads& cold_reads() const { return *cold_reads_; }
  // A checkpoint has been made: what had died before the one before it is looked for.
  void RequestCompaction();
  // What the store began with.
  const LoadedCheckpoint& loaded() const { return loaded_; }

 private:
  Journal(Engine& engine, std::unique_ptr<storage::Log> log, LoadedCheckpoint loaded)
      : engine_(engine), loaded_(std::move(loaded)), log_(std::move(log)), indexer_(engine) {}

  Engine& engine_;
  LoadedCheckpoint loaded_;
  std::unique_ptr<storage::Log> log_;
  std::unique_ptr<Checkpointer> checkpointer_;
  std::unique_ptr<storage::Compactor> compactor_;
  std::unique_ptr<storage::ColdReads> cold_reads_;
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
