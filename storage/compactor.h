// Gives the disk back what trimmed, deleted and dropped messages take.
//
// The happy path: a new checkpoint leaves an older one behind it. A worker reads that older one, looks at
// each sealed segment below it, and writes anew those in which enough is dead; between two ticks the log
// takes the new file in the place of the old. Segments at the log's beginning in which nothing lives are
// removed.
//
// A pass that can find nothing is over at once: no message has died since the last one, and in no segment
// that was sealed since is there enough besides messages.
//
// What can fail: reading or writing a file (a full disk, a damaged segment). Then that segment stays as it
// is, and the next checkpoint is the next try.
//
// Always the older of the two kept checkpoints: whichever of them the store is opened with, what it needs is
// there.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "storage/checkpoint_reader.h"
#include "storage/file_system.h"
#include "storage/log.h"
#include "storage/segment_rewriter.h"

namespace sluice::storage {

// What of the log was alive at a checkpoint: the one who knows what records mean tells. Used by one thread.
class Liveness {
 public:
  virtual ~Liveness() = default;
  // What the messages of a sealed segment take that are alive, about; nullopt: Decide() would drop all of its
  // records.
  virtual std::optional<uint64_t> LiveBytes(const SealedSegment& segment) const = 0;
  // What becomes of a record in a segment below the checkpoint (see Judge).
  virtual Fate Decide(Lsn lsn, std::string_view body, std::string* replacement) = 0;
};
// Reads it from a checkpoint. Any thread.
using ReadLiveness = std::function<Result<std::unique_ptr<Liveness>>(CheckpointReader&)>;

struct CompactionOptions {
  uint32_t dead_percent = 50;            // of a segment's bytes, from which it is written anew; 0: never
  uint64_t bytes_per_second = 32 << 20;  // pace of reading and writing; 0: none
  bool background = true;                // false: nothing happens but in calls (tests)
};

// How compaction went so far in this process.
struct CompactionStatus {
  bool under_way = false;
  uint64_t passes = 0;
  uint64_t segments_rewritten = 0;
  uint64_t segments_removed = 0;
  uint64_t bytes_freed = 0;
  uint64_t errors = 0;
  std::string last_error;
};

// One thread; the worker is not visible here. The log outlives it.
class Compactor {
 public:
  Compactor(FileSystem& files, std::string directory, const CompactionOptions& options, ReadLiveness read,
            IndexVisitor visit, Log& log);
  ~Compactor();  // gives up what is under way
  Compactor(const Compactor&) = delete;
  Compactor& operator=(const Compactor&) = delete;

  // `checkpoint` is the newest from now on: look for what is dead, once the pass under way is over.
  void Request(const MadeCheckpoint& checkpoint);
  // Between ticks: takes in what the worker has done, begins the next pass. True where it should be called
  // again at once.
  bool RunSlice();
  // Called by another thread when RunSlice() has something to do.
  void set_notify(std::function<void()> notify) { notify_ = std::move(notify); }
  void set_dead_percent(uint32_t percent);

  // Ends what is under way, for good: nothing is called from another thread afterwards.
  void GiveUp();

  const CompactionStatus& status() const { return status_; }

 private:
  // What a pass looks at, and what comes of it.
  struct Pass {
    uint64_t checkpoint = 0;  // the older one's sequence number
    uint32_t dead_percent = 0;
    std::vector<SealedSegment> segments;  // below it
    Lsn same_below{};  // the messages there that were alive in the last pass are so in this one
  };
  struct Outcome {
    std::vector<RewrittenSegment> rewritten;
    uint64_t first = 0;  // the segment that the log begins with from now on; 0: as before
    uint64_t removed = 0;
    uint64_t bytes_freed = 0;
    std::vector<std::string> errors;
    bool over = false;
  };

  bool Begin();
  void TakeIn(Outcome outcome);
  void Run();
  void Work(const Pass& pass);
  static bool IsWorthwhile(const Pass& pass, const SealedSegment& segment, uint64_t live_bytes);
  static bool FindsNothing(const Pass& pass);
  void Rewrite(const Pass& pass);
  void RemoveFront(const Pass& pass);
  // The loop's; what it lets go of is dropped by the worker.
  void LetGo(Remains remains);
  void DropRemains();
  void Report(const std::function<void(Outcome&)>& add);
  bool Pace(uint64_t bytes);

  FileSystem& files_;
  const std::string directory_;
  CompactionOptions options_;
  const ReadLiveness read_;
  const IndexVisitor visit_;
  Log& log_;
  std::function<void()> notify_;
  CompactionStatus status_;
  bool wanted_ = false;
  std::deque<MadeCheckpoint> made_;  // the two that are kept, the older one first
  Lsn seen_{};      // up to there the last pass has looked at every segment; 0: it has not, or met an error
  Lsn pass_end_{};  // what that will be after the pass under way
  bool pass_failed_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t owed_ = 0;  // bytes that were read and written since the last pause
  std::unique_ptr<Pass> next_;
  Outcome outcome_;
  bool has_outcome_ = false;
  Remains remains_;  // for the worker to drop
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace sluice::storage
