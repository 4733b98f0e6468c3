// The sealed segments whose bytes are still in the memory that they were recorded into: the newest ones,
// which is where consumers read that keep up.
//
// What is older is read from its file, mapped. A segment goes from the one to the other between two commands,
// once all of it has been written: before, the file lacks what the memory has.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include "storage/file_system.h"
#include "storage/lsn.h"
#include "storage/segment.h"

namespace sluice::storage {

class TailCache {
 public:
  explicit TailCache(uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}

  // Takes in a segment that was sealed, younger than all before. `file` is its file, `bytes` its memory's
  // size.
  void Add(Segment* segment, std::shared_ptr<File> file, uint64_t bytes);

  // Lets the oldest ones go while more is held than may be. Those stay that are not `written` to their end,
  // and one whose file the system refuses to map (it is asked again next time).
  void Trim(Lsn written);

  uint64_t bytes() const { return bytes_; }

 private:
  struct Held {
    Segment* segment;
    std::shared_ptr<File> file;
    uint64_t bytes;
  };

  uint64_t limit_bytes_;
  uint64_t bytes_ = 0;
  std::deque<Held> held_;  // oldest first
};

}  // namespace sluice::storage
