// Which checkpoint a store begins with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/engine/engine.h"
#include "storage/file_system.h"
#include "storage/lsn.h"
#include "storage/result.h"

namespace sluice::engine {

struct LoadedCheckpoint {
  std::string path;  // empty: there is none, everything is replayed
  uint64_t sequence = 0;
  storage::Lsn lsn{};    // what is recorded from here on is to be replayed
  uint64_t segment = 0;  // that holds it
  uint64_t file_bytes = 0;
  uint64_t records = 0;
  uint64_t unix_ms = 0;                  // when it was begun
  uint64_t replayed = 0;                 // events applied since
  uint64_t next_sequence = 1;            // of the checkpoint to come
  std::vector<std::string> passed_over;  // why newer ones were not taken, a line each
  std::vector<std::string> unfinished;   // names of files that nobody finishes any more
};

// Fills `engine` (empty) from the newest checkpoint in `directory` that is whole, and says which it was. A
// damaged one is passed over; one that a later version wrote is refused (kInvalid). Changes nothing on disk.
storage::Result<LoadedCheckpoint> LoadNewestCheckpoint(storage::FileSystem& files,
                                                       const std::string& directory, Engine& engine);

}  // namespace sluice::engine
