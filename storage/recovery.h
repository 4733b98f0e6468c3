// Finds out what of a log is there after a stop, clean or not.
//
// The happy path: the segments are read in order, each batch verified and its records replayed, until the
// batch that would come next does not verify; the log ends there.
//
// Did it end there when the server stopped, or is it broken? Every batch says up to where the log was durable
// when it was written, and so does the STORE file. If a batch anywhere behind the place, or the STORE file,
// knows of a durable LSN above it, bytes that were durable are gone: kCorrupt, and nothing is touched.
// Otherwise nobody was ever told of what is missing: a torn tail, cut off.
//
// Where replay begins further up (there is a checkpoint), segments that end below are not read at all: their
// headers must follow each other, their indexes must be there or are made, and their records are verified
// when they are served.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/batch_reader.h"
#include "storage/buffer_pool.h"
#include "storage/file_system.h"
#include "storage/format.h"
#include "storage/log.h"
#include "storage/segment.h"
#include "storage/sidecar_maker.h"

namespace sluice::storage {

class Recovery {
 public:
  // `sidecars` may be null where replay begins at the log's beginning.
  Recovery(FileSystem& files, std::string directory, const StoreHeader& store, BufferPool& buffers,
           const SidecarMaker* sidecars);

  // Reads and replays the log; changes nothing of it on disk (an index that is missing is made).
  Result<void> Read(const Log::Start& start, RecoveryReport* report);

  // Writes again what was kept and is not known to be durable: it may stand in a cache only, and after a
  // failed write-back a sync would not bring it to the disk. The segment's Places stay what they are.
  Result<void> Harden();

  // After both, the log's segments in order; the last one is the active one, in memory of its own.
  std::vector<std::unique_ptr<Segment>> TakeSegments();
  uint64_t first_sequence() const { return parts_.front().header.sequence; }
  // Of the segments, in the same order.
  SidecarIdentity IdentityOf(size_t n) const;
  size_t size() const { return parts_.size(); }
  const std::shared_ptr<char>& active_memory() const { return active_memory_; }
  uint64_t active_capacity() const { return parts_.back().header.capacity; }
  uint64_t active_offset() const { return parts_.back().end; }
  // Where the log ends.
  Lsn end() const { return parts_.back().header.base + parts_.back().end; }

 private:
  // A segment of the log.
  struct Part {
    std::string path;
    SegmentHeader header;
    std::unique_ptr<Segment> segment;  // as mapped
    uint64_t readable = 0;             // bytes of the file that may hold batches
    uint64_t end = 0;                  // behind its last batch, before a compaction if there was one

    // Behind the last batch that stands in the file.
    uint64_t end_in_file() const { return header.compacted() ? header.end : end; }
  };
  struct FoundFile {
    uint64_t sequence = 0;
    std::string path;
  };

  Result<std::vector<FoundFile>> FindFiles();
  Result<bool> Begin(const FoundFile& file);
  Result<Lsn> BaseOf(const FoundFile& file, uint64_t sequence);
  Result<bool> Skip(const FoundFile& next, const Log::Start& start);
  Result<void> Follow(const Log::Start& start, RecoveryReport* report);
  Result<void> Judge(const std::vector<FoundFile>& files, Lsn replay_from, RecoveryReport* report);
  Result<void> SearchRest(const std::vector<FoundFile>& files, Traces* traces);
  Result<std::shared_ptr<char>> Load(const Part& part);

  FileSystem& files_;
  std::string directory_;
  StoreHeader store_;
  BufferPool& buffers_;
  const SidecarMaker* sidecars_;
  BatchReader reader_;
  std::vector<Part> parts_;
  std::string damage_;   // why the log ends where it ends
  bool closed_ = false;  // the last batch read closed a clean stop
  Lsn proven_{};         // known to be durable
  std::shared_ptr<char> active_memory_;
};

}  // namespace sluice::storage
