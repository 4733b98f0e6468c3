// Makes the sidecars of sealed segments: in a thread of its own, or at once where nothing may happen in the
// background.
//
// The happy path: the index is made from the segment's bytes, written beside it under another name, renamed,
// and mapped. Where the file cannot be written the index stays in memory: it is needed all the same.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "storage/file_system.h"
#include "storage/sidecar.h"

namespace sluice::storage {

class SidecarMaker {
 public:
  struct Job {
    SidecarIdentity identity;
    std::shared_ptr<const char> data;  // the segment's bytes, which nothing changes any more
    bool may_exist = false;            // an earlier life wrote the segment, and may have left the file
  };
  struct Made {
    uint64_t sequence = 0;
    std::shared_ptr<const Sidecar> sidecar;  // null: the segment itself is damaged
  };

  SidecarMaker(FileSystem& files, std::string directory, IndexVisitor visit);
  ~SidecarMaker();  // waits for the one in work; the rest is left undone
  SidecarMaker(const SidecarMaker&) = delete;
  SidecarMaker& operator=(const SidecarMaker&) = delete;

  // From now on jobs are done in a thread.
  void WorkInBackground();
  void Enqueue(Job job);
  // Cheap: whether Take() has something.
  bool has_made() const { return has_made_; }
  // What has been made since the last call, in the order of the jobs.
  std::vector<Made> Take();
  // Waits until everything is made.
  void Drain();

  // One job, at once, in the caller. kCorrupt where the segment is damaged, naming the offset.
  Result<std::shared_ptr<const Sidecar>> Make(const Job& job) const;

  IndexVisitor visitor() const { return visit_; }

 private:
  void Run();
  Result<std::shared_ptr<const Sidecar>> Load(const SidecarIdentity& identity) const;
  Result<void> Write(uint64_t sequence, const std::string& bytes) const;

  FileSystem& files_;
  const std::string directory_;
  const IndexVisitor visit_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool working_ = false;
  bool ending_ = false;
  std::vector<Made> made_;
  std::atomic<bool> has_made_ = false;
  std::thread thread_;
};

// Removes the sidecars in `directory` that belong to no sealed segment: those below `first` and from `active`
// on, and what was not finished. To be followed by a sync of the directory before the active segment is
// recorded into: an index of what a power cut took from it must not come back.
Result<void> RemoveStraySidecars(FileSystem& files, const std::string& directory, uint64_t first,
                                 uint64_t active);

}  // namespace sluice::storage
