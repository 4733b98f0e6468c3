#include "storage/page_fetcher.h"

#include <algorithm>
#include <utility>

namespace sluice::storage {

void PageFetcher::Fetch(uint64_t ticket, std::vector<PageRange> ranges) {
  {
    const std::lock_guard lock(mutex_);
    if (ending_) return;
    jobs_.push_back(
        {ticket, {std::make_move_iterator(ranges.begin()), std::make_move_iterator(ranges.end())}});
  }
  // Most servers never need it.
  if (background_ && !thread_.joinable()) thread_ = std::thread([this] { Run(); });
  changed_.notify_one();
}

void PageFetcher::Cancel(uint64_t ticket) {
  const std::lock_guard lock(mutex_);
  if (in_work_ == ticket) in_work_ = 0;
  std::erase_if(jobs_, [ticket](const Job& job) { return job.ticket == ticket; });
}

void PageFetcher::FetchAhead(PageRange range) {
  {
    const std::lock_guard lock(mutex_);
    if (ending_ || ahead_.size() >= kMostAhead) return;
    ahead_.push_back(std::move(range));
  }
  changed_.notify_one();
}

std::vector<uint64_t> PageFetcher::TakeFetched() {
  const std::lock_guard lock(mutex_);
  has_fetched_ = false;
  return std::exchange(fetched_, {});
}

void PageFetcher::Stop() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool PageFetcher::Work() {
  std::unique_lock lock(mutex_);
  return WorkOn(lock);
}

void PageFetcher::Run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    if (!WorkOn(lock)) changed_.wait(lock);
  }
}

// A piece of what comes first. The lock is open while the disk works.
bool PageFetcher::WorkOn(std::unique_lock<std::mutex>& lock) {
  if (jobs_.empty()) {
    if (ahead_.empty()) return false;
    const std::vector<PageRange> piece = TakePiece(ahead_);
    lock.unlock();
    BringIn(piece);
    lock.lock();
    return true;
  }
  Job job = std::move(jobs_.front());
  jobs_.pop_front();
  in_work_ = job.ticket;
  lock.unlock();
  BringIn(TakePiece(job.ranges));
  lock.lock();
  if (std::exchange(in_work_, 0) != job.ticket) return true;
  if (!job.ranges.empty()) {
    jobs_.push_back(std::move(job));
    return true;
  }
  fetched_.push_back(job.ticket);
  has_fetched_ = true;
  if (notify_) notify_();
  return true;
}

// Takes up to kPieceBytes off the front of `ranges`.
std::vector<PageRange> PageFetcher::TakePiece(std::deque<PageRange>& ranges) const {
  std::vector<PageRange> piece;
  size_t room = kPieceBytes;
  while (!ranges.empty() && room > 0) {
    PageRange& range = ranges.front();
    const size_t bytes = std::min(room, range.memory.size());
    piece.push_back({range.owner, range.memory.first(bytes)});
    range.memory = range.memory.subspan(bytes);
    if (range.memory.empty()) ranges.pop_front();
    room -= bytes;
  }
  return piece;
}

void PageFetcher::BringIn(const std::vector<PageRange>& piece) {
  // All are announced before the first is waited for: a disk does several things at once.
  std::vector<std::span<const char>> away;
  for (const PageRange& range : piece) {
    if (pages_.Has(range.memory)) continue;
    pages_.Announce(range.memory);
    away.push_back(range.memory);
  }
  for (const std::span<const char> memory : away) {
    pages_.BringIn(memory);
    bytes_ += memory.size();
  }
}

}  // namespace sluice::storage
