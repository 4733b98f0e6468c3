// Reads a store from its beginning to its end, believes none of it, and changes nothing.
//
// Opening a log (storage/recovery.h) stops at the first byte that is wrong. This walk goes on: behind a
// damaged place it looks for the next batch that verifies, so that it can say everything that is wrong, and
// how much stands behind it. Whether a place is a torn tail or damage is decided by the same rule:
// docs/formats.md, "Where the log ends". A test holds the two against each other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/file_system.h"
#include "storage/format.h"
#include "storage/lsn.h"
#include "storage/result.h"

namespace sluice::storage {

struct WalkedSegment {
  std::string path;
  SegmentHeader header;
  uint64_t file_bytes = 0;
};

// What a walk shows on its way, in the log's order: each segment, its batches, their records. Only what
// verifies is shown. Views die when the call returns.
class StoreVisitor {
 public:
  virtual ~StoreVisitor() = default;
  virtual void OnSegment(const WalkedSegment&) {}
  // Behind the last batch of the segment, at `end` in its file.
  virtual void OnSegmentEnd(const WalkedSegment&, uint64_t /*end*/) {}
  virtual void OnBatch(const WalkedSegment&, uint64_t /*offset*/, const BatchHeader&) {}
  // False: the body is not what this version knows; the walk ends with kInvalid.
  virtual bool OnRecord(const WalkedSegment&, uint64_t /*offset*/, std::string_view /*body*/) { return true; }
  virtual void OnProgress(uint64_t /*bytes*/, uint64_t /*of_bytes*/) {}
};

// A place where the store is not what it should be.
struct Finding {
  enum class Kind : uint8_t {
    kTornTail,  // the end of a write that nobody was told of: the next start cuts it
    kDamage,    // bytes that were durable are gone: the store is refused
  };
  enum class Remedy : uint8_t {
    kCut,            // end the log here
    kRebuildStore,   // what STORE said can be worked out
    kRebuildHeader,  // what the segment's header said can be worked out
  };
  Kind kind;
  Remedy remedy;
  std::string path;
  uint64_t offset = 0;  // in the file
  std::string what;
};

// A segment's file, and what its header says or, where that is damaged, has said.
struct SegmentFacts {
  std::string path;
  SegmentHeader header;
  uint64_t end = 0;  // behind its last batch
};

struct StoreFindings {
  std::string directory;
  StoreHeader store;  // as read, or as worked out where STORE is damaged
  std::vector<SegmentFacts> segments;
  uint64_t batches = 0;
  uint64_t records = 0;
  uint64_t bytes = 0;   // of log that verifies
  bool closed = false;  // the log ends with the closing batch of a clean stop
  std::vector<Finding> findings;

  // Files behind the log's end that hold batches which would follow it, if they could be reached.
  std::vector<std::string> strays;

  // Where the log has to end: at the first place that only a cut can mend, or at its own end.
  size_t cut_segment = 0;  // in `segments`
  uint64_t cut_offset = 0;
  // What verifies and stands behind the cut, and would be lost with it.
  uint64_t records_behind = 0;
  uint64_t bytes_behind = 0;  // from the cut to the furthest byte of the log that is known of

  bool torn() const { return Has(Finding::Kind::kTornTail); }
  bool damaged() const { return Has(Finding::Kind::kDamage); }

 private:
  bool Has(Finding::Kind kind) const;
};

// Walks the store in `directory`. Damage is not an error but a finding. Errors: kInvalid where there is no
// store, or one of a later version; kIo where the device refuses.
Result<StoreFindings> WalkStore(FileSystem& files, const std::string& directory, StoreVisitor& visitor);

}  // namespace sluice::storage
