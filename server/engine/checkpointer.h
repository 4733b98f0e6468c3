// Makes checkpoints while the server serves: when enough log has been written since the last one, when
// somebody asks, and at a clean stop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "server/engine/checkpoint_load.h"
#include "server/engine/engine.h"
#include "storage/checkpoint_writer.h"
#include "storage/file_system.h"
#include "storage/log.h"

namespace sluice::engine {

struct CheckpointOptions {
  uint64_t log_bytes = 64 << 20;  // since the last one, after which the next is made; 0: none by itself
  uint64_t bytes_per_second = 16 << 20;  // pace of writing; 0: none
  uint64_t slice_bytes = 64 << 10;       // of records made at once: what the loop is held up for
  bool background = true;                // false: nothing happens but in calls (tests)
};

enum class CheckpointReason : uint8_t { kSchedule, kSave, kRewrite };

// How checkpoints went so far in this process.
struct CheckpointStatus {
  bool under_way = false;
  bool scheduled = false;                                 // another one follows it
  CheckpointReason reason = CheckpointReason::kSchedule;  // of the one under way
  uint64_t began_unix_ms = 0;                             // likewise
  uint64_t finished = 0;                                  // well or not
  uint64_t made = 0;
  uint64_t rewrites = 0;  // of them, asked for as a rewrite of the log
  bool last_failed = false;
  std::string last_error;
  uint64_t last_took_ms = 0;
  // Of the newest that there is; 0 where there is none.
  storage::MadeCheckpoint newest;
  uint64_t last_unix_ms = 0;
  uint64_t last_bytes = 0;
};

// The happy path: RunSlice() notes the log's tail C and begins a dump of the engine; slice by slice its
// blocks go to a CheckpointWriter; once all is written, and the log is durable up to C, the file gets its
// name.
//
// What can fail is the file alone (no room, first of all). Then the dump runs on into nothing, the
// checkpoints before stand, and the next one is due after as much log again.
//
// One thread; the writer's worker is not visible here.
class Checkpointer {
 public:
  // `loaded`: what the engine began with. All outlive it.
  Checkpointer(storage::FileSystem& files, std::string directory, const CheckpointOptions& options,
               const LoadedCheckpoint& loaded, Engine& engine, storage::Log& log);

  // One of the state as it is at the next slice, or behind the one under way.
  void Request(CheckpointReason reason);
  // Between ticks: about slice_bytes of work, where there is some. True where it should be called again at
  // once.
  bool RunSlice(uint64_t unix_ms);
  // Called by another thread when RunSlice() has something to do.
  void set_notify(std::function<void()> notify) { notify_ = std::move(notify); }

  // Gives up the one under way, if one is: nothing is called from another thread afterwards.
  void GiveUp();
  // Before the log is closed: writes a checkpoint of its end, waiting for it, unless there is one.
  // AfterClose() gives it its name.
  void BeforeClose(uint64_t unix_ms);
  // False where there is no checkpoint of the log's end: status().last_error says why.
  bool AfterClose();

  void set_log_bytes(uint64_t bytes) { options_.log_bytes = bytes; }
  const CheckpointStatus& status() const { return status_; }
  // Events applied since the newest checkpoint, and log written.
  uint64_t changes() const { return engine_.events() - shown_events_; }
  uint64_t log_bytes() const { return log_.tail() - shown_; }

 private:
  void NoteWanted();
  bool IsDue() const;
  void Start(CheckpointReason reason, uint64_t unix_ms);
  bool Dump();
  void Settle(uint64_t unix_ms);

  storage::FileSystem& files_;
  const std::string directory_;
  CheckpointOptions options_;
  Engine& engine_;
  storage::Log& log_;
  std::function<void()> notify_;
  CheckpointStatus status_;
  uint64_t next_sequence_;
  bool wanted_ = false;
  CheckpointReason wanted_reason_ = CheckpointReason::kSchedule;
  storage::Lsn shown_;         // the newest checkpoint's state is the state here
  uint64_t shown_events_ = 0;  // applied then
  uint64_t tried_events_ = 0;
  storage::Lsn tried_;                                 // so would the one of the last attempt be
  storage::Lsn tried_loss_;                            // and that would be its last_death
  std::unique_ptr<storage::CheckpointWriter> writer_;  // while one is under way
};

}  // namespace sluice::engine
