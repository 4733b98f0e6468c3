#include "storage/page_fetcher.h"

#include <algorithm>
#include <utility>

namespace sluice::storage {

void PageFetcher::Fetch(uint64_t ticket, std::vector<Fetched> wanted) {
  {
    const std::lock_guard lock(mutex_);
    if (ending_) return;
    jobs_.push_back(
        {ticket, {std::make_move_iterator(wanted.begin()), std::make_move_iterator(wanted.end())}});
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

void PageFetcher::FetchAhead(Fetched wanted) {
  {
    const std::lock_guard lock(mutex_);
    if (ending_ || ahead_.size() >= kMostAhead) return;
    ahead_.push_back(std::move(wanted));
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
    std::vector<Fetched> piece = TakePiece(ahead_);
    lock.unlock();
    BringIn(piece);
    piece.clear();
    lock.lock();
    return true;
  }
  Job job = std::move(jobs_.front());
  jobs_.pop_front();
  in_work_ = job.ticket;
  lock.unlock();
  BringIn(TakePiece(job.wanted));
  lock.lock();
  if (std::exchange(in_work_, 0) != job.ticket) return true;
  if (!job.wanted.empty()) {
    jobs_.push_back(std::move(job));
    return true;
  }
  fetched_.push_back(job.ticket);
  has_fetched_ = true;
  if (notify_) notify_();
  return true;
}

// Takes about kPieceBytes off the front of `wanted`.
std::vector<Fetched> PageFetcher::TakePiece(std::deque<Fetched>& wanted) const {
  std::vector<Fetched> piece;
  for (size_t room = kPieceBytes; !wanted.empty() && room > 0;) {
    auto* range = std::get_if<PageRange>(&wanted.front());
    if (range == nullptr) {
      piece.push_back(std::move(wanted.front()));
      wanted.pop_front();
      break;  // it is one by itself
    }
    const size_t bytes = std::min(room, range->memory.size());
    piece.push_back(PageRange{range->owner, range->memory.first(bytes)});
    range->memory = range->memory.subspan(bytes);
    if (range->memory.empty()) wanted.pop_front();
    room -= bytes;
  }
  return piece;
}

void PageFetcher::BringIn(const std::vector<Fetched>& piece) {
  // All pages are announced before the first is waited for: a disk does several things at once.
  std::vector<std::span<const char>> away;
  for (const Fetched& wanted : piece) {
    if (const auto* chunk = std::get_if<std::shared_ptr<Chunk>>(&wanted)) {
      bytes_ += (*chunk)->Load(*files_, pages_);
      continue;
    }
    const std::span<const char> memory = std::get<PageRange>(wanted).memory;
    if (pages_.Has(memory)) continue;
    pages_.Announce(memory);
    away.push_back(memory);
  }
  for (const std::span<const char> memory : away) {
    pages_.BringIn(memory);
    bytes_ += memory.size();
  }
}

}  // namespace sluice::storage
