// Brings closed batches to the disk, one at a time and in order, and says how far the log is committed.
//
// The happy path: Enqueue() a batch, Pump() starts its write and waits for it a little, committed() moves to
// its end. When the disk is slower than the wait, Reap() finds the outcome later and starts the next.
//
// Three positions follow each other: `written` (the kernel or the device has it), `stable` (a power cut
// cannot take it back), and `claimed` (a batch on disk says that it is stable, which lets recovery tell
// corruption from a torn tail). Under always, written and stable move together; otherwise stable follows with
// the background sync.
//
// A write or sync that fails is the end: failure() is set, nothing moves any more.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "storage/background_sync.h"
#include "storage/batch.h"
#include "storage/commit_wait.h"
#include "storage/log.h"
#include "storage/lsn.h"
#include "storage/write_path.h"

namespace sluice::storage {

class Committer {
 public:
  struct Identity {
    uint64_t log_id = 0;
    uint64_t incarnation = 0;
    uint64_t epoch = 0;
  };

  // Goes on at `end`, below which all is stable and known to be.
  static Result<std::unique_ptr<Committer>> Create(std::unique_ptr<WritePath> path, Identity identity,
                                                   Durability durability, uint32_t wait_us, Lsn end);

  // Waits for the batch in flight; what is queued is dropped.
  ~Committer() { path_.reset(); }  // before what its write still needs: the file, the copied block
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  void Enqueue(Batch batch) { queue_.push_back(std::move(batch)); }
  // Starts what is queued for as long as each batch is finished within the wait.
  void Pump();
  // Takes in the batch in flight, if it is finished, and pumps. False where there was nothing to take in.
  bool Reap();
  // Waits until nothing is in flight or queued, or failure().
  void Drain();
  bool in_flight() const { return in_flight_.has_value(); }
  bool idle() const { return !in_flight() && queue_.empty(); }

  // Takes in a finished background sync; begins the next where it is due.
  void Tick(uint64_t now_ms);
  // Makes stable what is written, waiting for it.
  void SyncWritten();
  void SetDurability(Durability durability);
  // The next batches are durable on their own, whatever the durability.
  void MakeDurableFromHere();

  // Ends it all: a sync of something else than a batch failed.
  void Fail(const Error& error);

  // The end of the last committed batch that held records.
  Lsn committed() const { return committed_; }
  // The end of what a power cut cannot take back.
  Lsn stable() const { return stable_; }
  // The end of the last batch that was written, empty ones included.
  Lsn written() const { return written_; }
  // All committed records are stable, and no batch says so yet.
  bool ClaimIsDue() const { return stable_ >= committed_ && claimed_ < committed_; }
  const std::optional<Error>& failure() const { return failure_; }
  int completion_fd() const { return path_->completion_fd(); }
  uint64_t median_us() const { return wait_.median_us(); }
  const CommitDurations& durations() const { return durations_; }
  uint64_t batches() const { return batches_; }
  uint64_t bytes() const { return bytes_; }
  std::string_view path_name() const { return path_->name(); }

 private:
  using Clock = std::chrono::steady_clock;

  Committer(std::unique_ptr<WritePath> path, Identity identity, Durability durability, uint32_t wait_us,
            Lsn end, std::shared_ptr<char> last_block);
  void Start(Batch batch);
  void Finish(const WritePath::Outcome& outcome);
  BlockWrite Prepare(const Batch& batch);
  uint64_t EndOfWrite(const Batch& batch);
  void NoteUnsynced(const std::shared_ptr<File>& file);
  void TakeBackgroundSync(bool wait);

  std::unique_ptr<WritePath> path_;
  Identity identity_;
  Durability durability_;
  CommitWait wait_;
  std::shared_ptr<char> last_block_;  // a copy of the block that is still being filled, and zeros behind it
  uint64_t once_written_end_ = 0;     // of the blocks that this wrote to the segment of the last batch

  std::deque<Batch> queue_;
  std::optional<Batch> in_flight_;
  bool in_flight_durable_ = false;
  Clock::time_point started_;

  Lsn committed_;
  Lsn written_;
  Lsn stable_;
  Lsn claimed_;
  std::vector<std::shared_ptr<File>> unsynced_;  // written to since their last sync
  BackgroundSync background_;
  Lsn background_end_{};  // what the sync under way makes stable
  uint64_t last_sync_ms_ = 0;
  std::optional<Error> failure_;

  CommitDurations durations_;
  uint64_t batches_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace sluice::storage
