// Segment files made ahead of time, so that a roll waits for nothing and a commit writes data only.
//
// A worker always keeps one file ready under the name of the segment to come, its directory synced: one whose
// blocks are allocated only, until there is a better one. The better ones are spares (`spare-N`), whose
// blocks have been written with zeros, slowly, since at full speed that takes the disk from the commits. What
// is not finished is called `spare-N.new`. Where the disk is full the worker tries again from time to time;
// the log notices at its next roll.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "storage/buffer_pool.h"
#include "storage/file_system.h"

namespace sluice::storage {

class SpareFiles {
 public:
  struct Options {
    std::string directory;
    uint64_t segment_bytes = 0;
    uint32_t count = 0;  // zeroed files to keep, the one that has its name included; at least 1
    uint64_t zeroing_bytes_per_second = 0;
    uint64_t max_disk_bytes = 0;  // of all files in the directory; none is made beyond it. 0: no bound
    bool direct = false;
  };
  struct Ready {
    std::shared_ptr<File> file;
    bool zeroed = false;  // the file's blocks have been written once
  };

  // `next_sequence` is the segment that will be asked for first. `buffers` are warmed along with each file:
  // nobody may wait for their pages.
  SpareFiles(FileSystem& files, BufferPool& buffers, Options options, uint64_t next_sequence);
  ~SpareFiles();
  SpareFiles(const SpareFiles&) = delete;
  SpareFiles& operator=(const SpareFiles&) = delete;

  // The file for `sequence`, durably named, if it is ready. If not, the caller makes the file itself. Either
  // way the one for `sequence` + 1 is prepared from now on.
  std::optional<Ready> Take(uint64_t sequence);
  // The caller could not make the file for `sequence` either: it is the one to prepare again.
  void GiveBack(uint64_t sequence);
  // Whether a file is ready to be taken (and has been zeroed).
  bool ready(bool zeroed) const;
  // As in the options, from now on.
  void set_max_disk_bytes(uint64_t bytes) { max_disk_bytes_ = bytes; }
  // The sync of the directory that failed, if one did: final, as for every sync.
  std::optional<Error> failure() const;

 private:
  void Run();
  void AdoptLeftovers();
  bool NextIsMissing();
  bool NextIsPoor();
  Result<void> PrepareNext();
  Result<void> MakeSpare();
  Result<std::unique_ptr<File>> AllocateUnfinished(std::string* path);
  Result<void> GiveName(const std::string& path, bool zeroed);
  Result<void> AdoptNamed();
  Result<void> EndNaming(const std::string& named, bool zeroed);
  Result<void> Zero(File& file);
  bool Sleep(uint64_t us);
  std::string Path(const std::string& name) const { return options_.directory + "/" + name; }

  FileSystem& files_;
  BufferPool& buffers_;
  const Options options_;
  std::atomic<uint64_t> max_disk_bytes_;
  std::vector<std::string> spares_;  // zeroed, by path; the worker's own
  uint64_t next_number_ = 1;         // of a spare; the worker's own

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t next_sequence_;
  bool naming_ = false;  // the worker is giving a file the next segment's name
  std::optional<Ready> ready_;
  std::optional<Error> failure_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace sluice::storage
