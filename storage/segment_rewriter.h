// Writes a sealed segment anew without what is dead in it.
//
// What is left keeps its order and moves to the front. The new file is a segment of the same sequence number,
// base and incarnation, with batches of its own, marked as compacted; its header says where the old one
// ended, so that the next segment still follows. It takes the old file's place under the same name in one
// step.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "storage/file_system.h"
#include "storage/result.h"
#include "storage/segment.h"
#include "storage/sidecar.h"

namespace sluice::storage {

enum class Fate : uint8_t { kKeep, kDrop, kReplace };

// Says what becomes of a record; with kReplace, of the body that takes its place (not empty). `lsn` is what
// the body's first byte counts with (Segment::Counts). No function at all: none remains, and none is read.
using Judge = std::function<Fate(Lsn lsn, std::string_view body, std::string* replacement)>;

// Called with bytes read and written so far, as the work goes on: may sleep. False gives the work up.
using Progress = std::function<bool(uint64_t bytes)>;

// What a segment is, for a thread that may not look at the log's own.
struct SealedSegment {
  SidecarIdentity identity;
  uint64_t log_end = 0;
  std::string path;
  std::shared_ptr<const Sidecar> index;

  bool compacted() const { return log_end != identity.end; }
  Lsn end_lsn() const { return identity.base + log_end; }
};

struct RewrittenSegment {
  uint64_t sequence = 0;
  std::shared_ptr<const char> data;  // mapped
  uint64_t end = 0;
  std::shared_ptr<const Sidecar> index;
  uint64_t bytes_before = 0;  // of the file
  uint64_t bytes_after = 0;
};

// Any thread, one at a time for a segment. All is durable when it returns. kCorrupt where the old file is
// damaged: then it stays as it is.
Result<RewrittenSegment> RewriteSegment(FileSystem& files, const SealedSegment& segment, IndexVisitor visit,
                                        const Judge& judge, const Progress& progress);

}  // namespace sluice::storage
