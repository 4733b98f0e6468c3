// The log: everything that ever changed, in order, durable in batches.
//
// The happy path: BeginRecord() hands out room at the tail of the active segment's buffer, the caller writes
// a record's body there, EndRecord() seals it with a checksum. Once a tick Submit() closes the batch of
// records sealed since and writes it with one write; when that write is durable, committed() moves up and
// what waited for it may be shown.
//
// What can fail: no space for the next segment (BeginRecord says kFull, nothing was recorded); a write or a
// sync (failure() is set once and for ever, committed() never moves again: the process must end).
//
// While there is no space for a next segment, the last eighth of the active one is a reserve: records that
// let work go on or give space back may use it, others are refused before they touch it.
//
// One thread owns a Log. Committing may use the kernel or a thread of its own behind it; that is not visible
// here.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/file_system.h"
#include "storage/lsn.h"
#include "storage/result.h"
#include "storage/segment.h"
#include "storage/segment_rewriter.h"

namespace sluice::storage {

class BufferPool;
class Committer;
class Recovery;
class SegmentWriter;
class SidecarMaker;
class SpareFiles;
class TailCache;
struct StoreHeader;

enum class Durability : uint8_t {
  kAlways,       // committed = on stable storage
  kEverySecond,  // committed = handed to the kernel or device; on stable storage within about a second
  kNo,           // committed = handed to the kernel or device
};

enum class CommitPath : uint8_t {
  kAuto,    // io_uring, or the thread where the kernel refuses it
  kUring,   // io_uring from the calling thread
  kThread,  // a committer thread
  kInline,  // a write (and sync) inside Submit(): tests, and files without a descriptor
};

struct LogOptions {
  std::string directory;
  uint64_t segment_bytes = 32 << 20;  // a multiple of 4096, 64 KiB to 1 GiB
  Durability durability = Durability::kAlways;
  CommitPath commit_path = CommitPath::kAuto;
  bool direct_io = true;          // O_DIRECT where the file system takes it
  uint32_t commit_wait_us = 700;  // how long Submit() waits for its own batch (commit_wait.h); 0: never
  uint32_t spare_segments = 2;    // files kept ready, zeroed; 0: none (a file is allocated when it is needed)
  uint64_t zeroing_bytes_per_second = 30 << 20;
  uint64_t tail_cache_bytes =
      64 << 20;                  // of sealed segments, kept in the memory that they were recorded into
  uint64_t max_disk_bytes = 0;   // of all files in the directory; no segment is begun beyond it. 0: no bound
  IndexVisitor index = nullptr;  // what sealed segments' indexes are made of; null: they get none
  uint64_t epoch = 1;            // replication's term; stored in every batch
  uint64_t new_log_id = 0;       // of a store that is created here; 0: a random one
};

// What opening a store found, for the start-up line.
struct RecoveryReport {
  uint64_t log_id = 0;
  uint64_t incarnation = 0;  // of this opening
  uint64_t segments = 0;
  uint64_t batches = 0;
  uint64_t records = 0;
  uint64_t skipped = 0;    // segments that were not read
  uint64_t bytes = 0;      // of log read
  uint64_t cut_bytes = 0;  // of a torn tail, now gone
  std::string cut_file;    // where it was cut, if it was
  uint64_t cut_offset = 0;
};

// How long commits took, in powers of two: buckets[i] counts those under 2^i us (and not under 2^(i-1)), the
// last all that took longer.
struct CommitDurations {
  std::array<uint64_t, 25> buckets{};
  uint64_t sum_us = 0;

  void Add(uint64_t us) {
    ++buckets[std::min<size_t>(static_cast<size_t>(std::bit_width(us)), buckets.size() - 1)];
    sum_us += us;
  }
};

// How committing went so far.
struct CommitStats {
  uint64_t batches = 0;
  uint64_t bytes = 0;      // written, blocks included
  uint64_t median_us = 0;  // of recent commits
  std::string_view path;   // "io_uring", "thread", "inline"
  bool direct = false;
  uint64_t segments = 0;
  CommitDurations durations{};  // from submission until the end was noticed
};

class Log {
 public:
  // Called for each record that recovery keeps, in order: where its body stands and its bytes.
  using Replay = std::function<Result<void>(Place, std::string_view body)>;

  // Where an opening begins, for who has the state at one LSN (a checkpoint) already.
  struct Start {
    // Records from here on are replayed. An LSN behind a record (tail(), once), which was durable; 0: all of
    // them.
    Lsn replay_from{};
    // What lies below replay_from is known: where the log's beginning is gone, and this begins before it
    // does, the store is refused.
    bool state_is_whole = false;
    // The segment that holds it: those before are known to be followed by the next one. A file behind it may
    // be what an earlier life left, though its header verifies.
    uint64_t replay_segment = UINT64_MAX;
    Replay replay;
    // Called first, for each segment that ends at or below replay_from, in order: it is not read, but its
    // index is there. May be empty.
    std::function<Result<void>(const Segment&)> attach;
    // Then called for the records below replay_from in the segment that holds it, in order.
    Replay index;
  };

  // Opens the store in options.directory, creating it where there is none: takes its lock, raises its
  // incarnation, replays it, cuts a torn tail. kCorrupt, naming file and offset, where damage lies below what
  // was known to be durable; nothing is changed then. `files` must outlive the log. What is called keeps
  // nothing of its arguments but places and segments, which live as long as the log does.
  static Result<std::unique_ptr<Log>> Open(FileSystem& files, const LogOptions& options, const Start& start,
                                           RecoveryReport* report);
  // All of it is replayed.
  static Result<std::unique_ptr<Log>> Open(FileSystem& files, const LogOptions& options, const Replay& replay,
                                           RecoveryReport* report);
  // Waits for the batch in flight; what was recorded since is lost, as if the process had been killed.
  // Close() first.
  ~Log();

  // Room for a record's body of at most `max_bytes` (contiguous memory at the tail). Begins the next segment
  // where the active one has no room (a body larger than a segment gets a segment of its own size). kFull
  // where the disk has no space for it: then nothing has changed. At most one record is open at a time. The
  // place is where the body's first byte will stand, and stays true after EndRecord(). After kFull, the disk
  // is asked again at the first call that follows a Tick(). A body that no segment could hold (above 4 GiB)
  // is kInvalid.
  struct Room {
    char* body;
    Place place;
  };
  enum class Use : uint8_t {
    kGrowth,   // leaves the reserve alone
    kReserve,  // may use it
  };
  Result<Room> BeginRecord(size_t max_bytes, Use use = Use::kReserve);
  // Seals the open record with the `bytes` (<= max_bytes, > 0) that were written. Cannot fail.
  void EndRecord(size_t bytes);
  // Takes the open record back: nothing was recorded.
  void CancelRecord();

  // The LSN behind the last sealed record: what a reply that shows the present state must wait for.
  Lsn tail() const;
  // Everything below is committed, as the durability says.
  Lsn committed() const;
  // Everything below is on stable storage, whatever the durability.
  Lsn stable() const;
  // Whether segments pass the page cache.
  bool direct_io() const { return direct_; }
  // The segment that the log begins with, by its sequence number; the others follow it one by one.
  uint64_t first_segment() const { return segments_.front()->sequence(); }
  // The segment that holds the tail.
  uint64_t active_segment() const { return segments_.back()->sequence(); }
  // Bytes sealed and not committed.
  uint64_t uncommitted_bytes() const { return tail() - committed(); }

  // Submits what was sealed since the last batch, unless a batch is in flight (then it goes when that one
  // completes, by Reap()). While recent commits are quick it waits for the completion (commit_wait.h).
  // What was read through a Place before this call, Reap() or Tick() may stand elsewhere afterwards: ask
  // again.
  void Submit();
  // Becomes readable when a batch completed; -1 where batches complete inside Submit().
  int completion_fd() const;
  // Takes in completions; then submits what has been sealed meanwhile. Cheap where there are none.
  void Reap();
  // Waits (without limit) until all that is sealed is committed, or failure() is set.
  void Flush();
  // To be called about ten times a second: the background sync of kEverySecond, and, when nothing was
  // recorded for 100 ms, an empty batch that says how far the log is durable. `now_ms` is any monotonic
  // clock's. (Under kNo the log is synced too, every 30 s: an empty claim of durability would make recovery
  // blind.)
  void Tick(uint64_t now_ms);
  // Commits everything, makes it durable whatever the durability, and ends the log with a closing batch. The
  // log takes no record afterwards.
  Result<void> Close();

  // Takes in the indexes that are ready: the oldest sealed segment that has one since the last call; null
  // where there is none. Those that attach() was called for are not among them.
  const Segment* TakeIndexed();

  // The segment that goes on where `segment` ends; null: there is none yet.
  const Segment* After(const Segment& segment) const;
  // The sealed segments that are read from their files and have their index, oldest first: what a compaction
  // may look at. Those that end above `below` are left out.
  std::vector<SealedSegment> SealedSegments(Lsn below) const;
  // Between two commands: another file has taken the place of a sealed segment's. The caller drops what stood
  // there.
  [[nodiscard]] Remains Replace(RewrittenSegment rewritten);
  // Between two commands: the log begins with segment `first` from now on. Nothing refers to what came
  // before, which the caller drops.
  [[nodiscard]] Remains ForgetBefore(uint64_t first);

  // The write or sync that failed, if one did.
  const std::optional<Error>& failure() const;

  uint64_t log_id() const;
  uint64_t incarnation() const { return incarnation_; }
  // Waits, when it becomes kAlways, until all that was written before is on stable storage.
  void set_durability(Durability durability);
  CommitStats stats() const;

  // Files in the directory may take so many bytes from now on; 0: as many as they like.
  void set_max_disk_bytes(uint64_t bytes);

 private:
  static constexpr uint64_t kReserveShare = 8;  // of a segment's capacity

  // For a segment that is to come.
  struct NextSegment {
    std::shared_ptr<File> file;
    std::shared_ptr<char> memory;
    bool zeroed = false;
  };

  struct Sealed {
    Segment* segment;
    SidecarIdentity identity;
  };

  Log(FileSystem& files, const LogOptions& options);
  Result<void> CreateFirstSegment(const StoreHeader& store);
  Result<void> GoOn(Recovery& recovery);
  Result<std::shared_ptr<File>> OpenSegmentFile(uint64_t sequence, bool create);
  Result<void> MakeRoom(size_t max_bytes, Use use);
  Result<void> Roll(size_t max_bytes);
  bool HasSpace(uint64_t bytes);
  Result<NextSegment> Next(uint64_t sequence, uint64_t capacity);
  Result<std::shared_ptr<File>> Allocate(uint64_t sequence, uint64_t capacity);
  const Error& FailForGood(const Error& error);
  void Seal();
  void Settle();
  void MakeSidecar(Segment& segment, const SidecarIdentity& identity, bool may_exist);
  void WriteEmptyBatch(uint32_t flags);

  FileSystem& files_;
  LogOptions options_;
  std::shared_ptr<void> lock_;
  uint64_t log_id_ = 0;
  uint64_t incarnation_ = 0;
  uint64_t active_incarnation_ = 0;  // that began the active segment
  bool direct_ = false;
  bool closed_ = false;
  std::vector<std::unique_ptr<Segment>> segments_;  // the last one is active
  std::unique_ptr<BufferPool> buffers_;
  std::unique_ptr<TailCache> tail_cache_;
  std::unique_ptr<SidecarMaker> sidecars_;  // none where there is nothing to index
  std::deque<Sealed> sealed_;               // not written to their end yet
  std::deque<const Segment*> indexed_;      // not asked for yet; behind a null in front: one that is in use
  std::unique_ptr<SegmentWriter> writer_;
  std::unique_ptr<SpareFiles> spares_;  // none where nothing may happen in the background
  std::shared_ptr<File> held_;  // a spare that found no memory, or was too small for the segment wanted
  bool held_is_zeroed_ = false;
  uint64_t reserve_bytes_ = 0;           // of the active segment; 0 once the next one is at hand
  bool growth_refused_ = false;          // since the last Tick()
  uint64_t refused_bytes_ = UINT64_MAX;  // records from this size on found no space since the last Tick()
  std::optional<Error> refusal_;
  Lsn idle_tail_{};                       // nothing was recorded
  uint64_t idle_since_ms_ = 0;            // since then
  std::unique_ptr<Committer> committer_;  // dies first: the kernel may still read from the segments
};

}  // namespace sluice::storage
