// Brings what stands in files into memory, in a thread of its own: a loop that would have to wait for the
// disk asks for it here, and goes on with something else.
//
// Requests are served in turn, a piece of each, so that a large one does not keep a small one waiting. What
// is fetched ahead of a reader comes when nobody waits.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <variant>
#include <vector>

#include "storage/chunk_cache.h"
#include "storage/file_system.h"
#include "storage/page_cache.h"

namespace sluice::storage {

// A stretch of mapped memory, and who keeps it mapped: what is being fetched may be compacted or removed
// meanwhile.
struct PageRange {
  std::shared_ptr<const void> owner;
  std::span<const char> memory;
};

using Fetched = std::variant<PageRange, std::shared_ptr<Chunk>>;

class PageFetcher {
 public:
  // `background`: false: nothing is fetched but in Work(), in the caller (tests). `files`: of chunks.
  PageFetcher(PageCache& pages, FileSystem* files, bool background)
      : pages_(pages), files_(files), background_(background) {}
  ~PageFetcher() { Stop(); }
  PageFetcher(const PageFetcher&) = delete;
  PageFetcher& operator=(const PageFetcher&) = delete;

  // Called by another thread when TakeFetched() has something. Before the first Fetch().
  void set_notify(std::function<void()> notify) { notify_ = std::move(notify); }

  // Brings all of `wanted` in; `ticket` (a number of the caller's) is told by TakeFetched() then. After
  // Stop() nothing is fetched.
  void Fetch(uint64_t ticket, std::vector<Fetched> wanted);
  // Nobody waits for `ticket` any more. It may be told all the same.
  void Cancel(uint64_t ticket);
  // Somebody will probably read this soon. Forgotten where much is to be fetched already.
  void FetchAhead(Fetched wanted);

  // Cheap: whether TakeFetched() has something.
  bool has_fetched() const { return has_fetched_; }
  // What was fetched since the last call, in the order in which it was done.
  std::vector<uint64_t> TakeFetched();
  // Fetched so far: what was there already does not count.
  uint64_t bytes() const { return bytes_; }

  // Ends the thread, once the piece in work is there: nothing is called from another thread afterwards.
  void Stop();
  // Without a background: fetches a piece. False where nothing is left.
  bool Work();

 private:
  // Large enough for a disk to be quick, small enough to take turns.
  static constexpr size_t kPieceBytes = 1 << 20;
  static constexpr size_t kMostAhead = 64;

  struct Job {
    uint64_t ticket = 0;
    std::deque<Fetched> wanted;
  };

  void Run();
  std::vector<Fetched> TakePiece(std::deque<Fetched>& wanted) const;
  void BringIn(const std::vector<Fetched>& piece);
  bool WorkOn(std::unique_lock<std::mutex>& lock);

  PageCache& pages_;
  FileSystem* const files_;
  const bool background_;
  std::function<void()> notify_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  uint64_t in_work_ = 0;  // ticket; 0: none, or it was cancelled
  std::deque<Fetched> ahead_;
  std::vector<uint64_t> fetched_;
  bool ending_ = false;
  std::atomic<bool> has_fetched_ = false;
  std::atomic<uint64_t> bytes_ = 0;
  std::thread thread_;
};

}  // namespace sluice::storage
