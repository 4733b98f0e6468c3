// A consistent copy of a store, taken while a server may be writing to it, and without its help.
//
// The happy path: every file is opened first, so that none can vanish on the way; then the segments are
// copied in order and each copy is verified batch by batch. The one that the server is writing to ends
// somewhere: the copy is cut there at a whole batch. STORE is written last, so a copy that was not finished
// is no store.
//
// What can fail: the files change while they are being opened (it begins again, a few times); the copy does
// not reach what was known to be durable when it began (kCorrupt: the source is damaged, and the message says
// where); its newest checkpoint does not verify (kCorrupt); the target is not empty (kInvalid) or has no room
// (kFull).
#pragma once

#include <cstdint>
#include <string>

#include "storage/file_system.h"
#include "storage/lsn.h"
#include "storage/result.h"

namespace sluice::storage {

class CopyWatcher {
 public:
  virtual ~CopyWatcher() = default;
  // Called after each piece (at most 1 MiB); may take its time, to leave the disk to others.
  virtual void OnCopied(uint64_t /*bytes*/, uint64_t /*of_bytes*/) {}
};

struct CopyReport {
  uint64_t segments = 0;
  uint64_t batches = 0;
  uint64_t records = 0;
  uint64_t bytes = 0;  // of log
  Lsn end{};           // where the copy ends
  Lsn known{};         // what was known to be durable when it began
};

// Copies the store in `from` to `to`, a directory that is empty or missing. All is on stable storage when
// this returns.
Result<CopyReport> CopyStore(FileSystem& files, const std::string& from, const std::string& to,
                             CopyWatcher& watcher);

}  // namespace sluice::storage
