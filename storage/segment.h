// One file of the log, as readers see it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/lsn.h"
#include "storage/sidecar.h"

namespace sluice::storage {

class ColdReads;

// Mappings, and what holds them, that nobody reads any more. Where the last holder lets go of a file that has
// been removed, the file system frees it there and then, which takes milliseconds.
using Remains = std::vector<std::shared_ptr<const void>>;

// What reading a record in place comes to.
enum class RecordState : uint8_t {
  kSound,
  kDamaged,
  kAway,  // not in memory; it has been noted
};
// And where it is in memory, its header first, if it is sound: until the end of the command.
struct RecordLook {
  RecordState state;
  const char* record = nullptr;
};

// A stretch of the log. Readers see one pointer, first to the memory that the bytes were recorded into, later
// to a read-only mapping of the file. It changes between two commands only: what a command has found stays
// where it is until the command is over. Offsets are file offsets, so base() is the LSN of offset 0 (the
// segment's own header).
//
// A segment is sealed once the log goes on in the next one: then it has an end, and some time later an index.
// The log changes a segment; everybody else has it const. One thread.
class Segment {
 public:
  // In memory, and to be recorded into.
  Segment(uint64_t sequence, Lsn base, std::shared_ptr<const char> data)
      : sequence_(sequence), base_(base), data_(std::move(data)) {}

  uint64_t sequence() const { return sequence_; }
  Lsn base() const { return base_; }
  const char* data() const { return data_.get(); }
  const std::shared_ptr<const char>& memory() const { return data_; }

  // Behind the last batch; 0 while the segment is not sealed.
  uint64_t end() const { return end_; }
  // Where the next segment begins: base() + end(), unless the segment has been compacted.
  Lsn end_lsn() const { return base_ + log_end_; }
  // Some of what it held is gone, and what is left stands nearer to its front.
  bool compacted() const { return log_end_ != end_; }
  // The LSN that what stands at `offset` counts with when it is held against another. Nothing that a
  // compaction left was above an LSN of its own segment and is not so now: all of it counts as the segment's
  // end.
  Lsn Counts(uint64_t offset) const { return compacted() ? end_lsn() : base_ + offset; }

  // The bytes come from the file: they may have been damaged since they were written.
  bool mapped() const { return mapped_; }
  // Whether the record whose header stands at `offset` is there as it was written. O(its length), but for the
  // one that was asked for last. Any offset will do.
  bool RecordIsSound(uint64_t offset) const {
    return LookAtRecord(offset, nullptr).state == RecordState::kSound;
  }
  // The same for who must not wait for the disk. `cold` null: reads in place.
  RecordLook LookAtRecord(uint64_t offset, ColdReads* cold) const;

  // Whether the index has come.
  bool has_index() const { return index_ != nullptr; }
  // The runs of the index, without their cells.
  const Sidecar& index_runs() const { return *index_; }
  std::shared_ptr<const Sidecar> shared_index() const { return index_; }
  // The index, its cells verified when they are first asked for. Where they are damaged the index is made
  // again from the segment; where that cannot be done either, the process ends with a message that names the
  // file.
  const Sidecar& index() const {
    if (!index_checked_) CheckIndex();
    return *index_;
  }

  // Where it stands on disk.
  const std::string& path() const { return path_; }
  // How often Replace() was called: what was read of the file before is not what it holds now.
  uint64_t rewrites() const { return rewrites_; }
  // Notes that a chunk of the file is read past the page cache; false where it was before, or may have been.
  bool NoteReadPastCache(uint64_t chunk) const {
    const uint64_t bit = uint64_t{1} << std::min<uint64_t>(chunk, 63);
    return (std::exchange(read_past_cache_, read_past_cache_ | bit) & bit) == 0;
  }

  // ---- the log's

  void SetPath(std::string path) { path_ = std::move(path); }
  // From here on another incarnation wrote (the first one from kSegmentHeaderBytes on).
  void BeginStretch(const Stretch& stretch) { stretches_.push_back(stretch); }
  const std::vector<Stretch>& stretches() const { return stretches_; }
  // `log_end` is where it ended before it was compacted, and `end` where it was not.
  void Seal(uint64_t log_id, uint64_t end, uint64_t log_end) {
    log_id_ = log_id;
    end_ = end;
    log_end_ = log_end;
  }
  // Other bytes take the place of these, with an index of their own.
  Remains Replace(std::shared_ptr<const char> data, uint64_t end, std::shared_ptr<const Sidecar> index);
  void ShowMapped(std::shared_ptr<const char> data) {
    data_ = std::move(data);
    mapped_ = true;
    sound_ = 0;
  }
  // `visit` is what the index is made of.
  void SetIndex(std::shared_ptr<const Sidecar> index, IndexVisitor visit);

 private:
  void CheckIndex() const;

  uint64_t sequence_;
  Lsn base_;
  std::shared_ptr<const char> data_;
  bool mapped_ = false;
  uint64_t log_id_ = 0;
  uint64_t end_ = 0;
  uint64_t log_end_ = 0;
  std::vector<Stretch> stretches_;
  std::string path_;
  uint64_t rewrites_ = 0;
  mutable uint64_t read_past_cache_ = 0;  // chunks, as bits
  // The record that was verified last: offset, length, and where it was in memory then.
  mutable uint64_t sound_ = 0;
  mutable uint64_t sound_bytes_ = 0;
  mutable const char* sound_at_ = nullptr;

  IndexVisitor visit_ = nullptr;
  mutable std::shared_ptr<const Sidecar> index_;
  mutable std::shared_ptr<const Sidecar> damaged_index_;  // who looks at it may go on doing so
  mutable bool index_checked_ = false;
};

// Where something stands in the log: valid for as long as its segment is kept.
struct Place {
  const Segment* segment = nullptr;
  uint32_t offset = 0;

  const char* data() const { return segment->data() + offset; }
  Lsn lsn() const { return segment->base() + offset; }
};

}  // namespace sluice::storage
