#include "storage/committer.h"

#include <algorithm>
#include <utility>

#include "storage/buffer.h"
#include "storage/check.h"
#include "storage/format.h"

namespace sluice::storage {
namespace {

constexpr uint64_t kEverySecondMs = 1000;
// A block that is only allocated takes the file system's journal and, with io_uring, a thread of the kernel's
// for its first write. So that one batch in several pays for it, and not each one, so much is written at a
// time.
constexpr uint64_t kZerosBytes = 64 << 10;
constexpr uint64_t kNoSyncMs = 30'000;  // about what the kernel takes to write back on its own

}  // namespace

Result<std::unique_ptr<Committer>> Committer::Create(std::unique_ptr<WritePath> path, Identity identity,
                                                     Durability durability, uint32_t wait_us, Lsn end) {
  auto last_block = AllocateBuffer(kZerosBytes);
  if (!last_block) return tl::make_unexpected(last_block.error());
  return std::unique_ptr<Committer>(
      new Committer(std::move(path), identity, durability, wait_us, end, std::move(*last_block)));
}

Committer::Committer(std::unique_ptr<WritePath> path, Identity identity, Durability durability,
                     uint32_t wait_us, Lsn end, std::shared_ptr<char> last_block)
    : path_(std::move(path)),
      identity_(identity),
      durability_(durability),
      wait_(wait_us),
      last_block_(std::move(last_block)),
      committed_(end),
      written_(end),
      stable_(end),
      claimed_(end) {}

void Committer::Pump() {
  while (!in_flight_ && !queue_.empty() && !failure_) {
    Batch next = std::move(queue_.front());
    queue_.pop_front();
    Start(std::move(next));
  }
}

bool Committer::Reap() {
  auto outcome = path_->Take(0);
  if (!outcome) return false;
  Finish(*outcome);
  Pump();
  return true;
}

void Committer::Drain() {
  Pump();
  while (in_flight_) {
    auto outcome = path_->Take(WritePath::kForever);
    CHECK(outcome.has_value());
    Finish(*outcome);
    Pump();
  }
}

void Committer::Start(Batch batch) {
  in_flight_ = std::move(batch);
  in_flight_durable_ = durability_ == Durability::kAlways;
  const BlockWrite write = Prepare(*in_flight_);
  ++batches_;
  bytes_ += write.blocks.size() + write.last.size();
  const uint64_t wait_us = wait_.Next(in_flight_->end - in_flight_->begin);
  started_ = Clock::now();
  if (auto outcome = path_->Start(write, wait_us)) Finish(*outcome);
}

// Completes the batch's header and finds its whole blocks. The last one is copied where it is not full: the
// caller goes on recording into it.
BlockWrite Committer::Prepare(const Batch& batch) {
  claimed_ = stable_;
  Encode(BatchHeader{.flags = batch.flags,
                     .base = batch.segment_base + batch.begin,
                     .durable = stable_,
                     .incarnation = identity_.incarnation,
                     .epoch = identity_.epoch,
                     .digest = batch.digest,
                     .length = static_cast<uint32_t>(batch.end - batch.begin),
                     .records = batch.records},
         identity_.log_id, batch.memory.get() + batch.begin);
  const uint64_t from = batch.first ? 0 : AlignDown(batch.begin, kBlockBytes);
  const uint64_t whole_end = AlignDown(batch.end, kBlockBytes);
  const uint64_t in_last = batch.end - whole_end;
  std::copy_n(batch.memory.get() + whole_end, in_last, last_block_.get());
  std::fill_n(last_block_.get() + in_last, kBlockBytes - in_last, '\0');
  return {.file = batch.file.get(),
          .offset = from,
          .blocks = {batch.memory.get() + from, whole_end - from},
          .last = {last_block_.get(), EndOfWrite(batch) - whole_end},
          .durable = in_flight_durable_};
}

// Behind the block that holds the batch's end, or further: where that block is the first to be written of
// those that are allocated only, zeros go out with it.
uint64_t Committer::EndOfWrite(const Batch& batch) {
  const uint64_t end = AlignUp(batch.end, kBlockBytes);
  if (batch.first) once_written_end_ = 0;
  if (batch.allocated_end == 0 || end <= once_written_end_) return end;
  const bool small = batch.end - batch.begin < kZerosBytes;
  const uint64_t whole_end = AlignDown(batch.end, kBlockBytes);
  once_written_end_ = small ? std::max(end, std::min(whole_end + kZerosBytes, batch.allocated_end)) : end;
  return once_written_end_;
}

void Committer::Finish(const WritePath::Outcome& outcome) {
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - started_);
  durations_.Add(static_cast<uint64_t>(took.count()));
  wait_.Note(static_cast<uint64_t>(took.count()));
  const Batch batch = std::move(*in_flight_);
  in_flight_.reset();
  if (!outcome) return Fail(outcome.error());
  if (failure_) return;  // a background sync's: nothing that comes after it counts
  written_ = batch.end_lsn();
  if (in_flight_durable_) {
    CHECK(unsynced_.empty());
    stable_ = written_;
  } else {
    NoteUnsynced(batch.file);
  }
  if (batch.records != 0) committed_ = written_;
}

void Committer::NoteUnsynced(const std::shared_ptr<File>& file) {
  if (unsynced_.empty() || unsynced_.back() != file) unsynced_.push_back(file);
}

void Committer::Tick(uint64_t now_ms) {
  TakeBackgroundSync(false);
  const uint64_t interval_ms = durability_ == Durability::kNo ? kNoSyncMs : kEverySecondMs;
  if (unsynced_.empty() || background_.under_way() || failure_) return;
  if (now_ms - last_sync_ms_ < interval_ms) return;
  last_sync_ms_ = now_ms;
  if (path_->completion_fd() < 0) return SyncWritten();  // nothing happens behind an inline log's back
  background_end_ = written_;
  background_.Start(std::exchange(unsynced_, {}));
}

void Committer::TakeBackgroundSync(bool wait) {
  auto outcome = background_.Take(wait);
  if (!outcome) return;
  if (!*outcome) return Fail(outcome->error());
  stable_ = std::max(stable_, background_end_);
}

void Committer::SyncWritten() {
  TakeBackgroundSync(true);
  const auto files = std::exchange(unsynced_, {});
  for (const auto& file : files) {
    if (failure_) return;
    if (auto synced = file->Sync(); !synced) return Fail(synced.error());
  }
  if (!failure_) stable_ = written_;
}

void Committer::SetDurability(Durability durability) {
  if (durability == Durability::kAlways) {
    MakeDurableFromHere();
  } else {
    durability_ = durability;
  }
}

// A durable write answers for its own bytes only, so what went before it has to be synced first. The batch in
// flight belongs to what went before.
void Committer::MakeDurableFromHere() {
  if (durability_ == Durability::kAlways) return;
  if (in_flight_) {
    auto outcome = path_->Take(WritePath::kForever);
    CHECK(outcome.has_value());
    Finish(*outcome);
  }
  SyncWritten();
  durability_ = Durability::kAlways;
}

void Committer::Fail(const Error& error) {
  if (!failure_) failure_ = error;
}

}  // namespace sluice::storage
