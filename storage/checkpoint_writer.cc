#include "storage/checkpoint_writer.h"

#include <span>
#include <utility>

#include "storage/background_thread.h"
#include "storage/check.h"

namespace sluice::storage {
namespace {

constexpr uint64_t kQueueBytes = 4 << 20;  // then it is full, until half of it has been written
constexpr uint64_t kPaceEvery = 1 << 20;
constexpr uint64_t kSyncEvery = 4 << 20;

}  // namespace

CheckpointWriter::CheckpointWriter(FileSystem& files, Options options, const CheckpointHeader& header)
    : files_(files),
      options_(std::move(options)),
      header_(header),
      bytes_per_second_(options_.bytes_per_second) {
  if (options_.background) thread_ = StartBackground("checkpoints", [this] { Run(); });
}

CheckpointWriter::~CheckpointWriter() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool CheckpointWriter::HasRoom() const {
  const std::lock_guard lock(mutex_);
  return !full_;
}

void CheckpointWriter::WaitForRoom() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !full_; });
}

void CheckpointWriter::Add(std::string block, CheckpointBlock::Type type) {
  std::unique_lock lock(mutex_);
  if (step_ != Step::kWriting) return;  // it has failed
  queued_bytes_ += block.size();
  queue_.push_back({std::move(block), type});
  full_ |= queued_bytes_ >= kQueueBytes;
  if (!options_.background) return DoAll(lock);
  if (queue_.size() == 1) changed_.notify_all();  // otherwise it is at work, or keeps its pace
}

void CheckpointWriter::Finish(uint64_t records) {
  std::unique_lock lock(mutex_);
  if (step_ != Step::kWriting) return;
  records_ = records;
  step_ = Step::kEnding;
  if (!options_.background) return DoAll(lock);
  changed_.notify_all();
}

void CheckpointWriter::GiveName() {
  std::unique_lock lock(mutex_);
  CHECK(step_ == Step::kWritten);
  step_ = Step::kNaming;
  if (!options_.background) return DoAll(lock);
  changed_.notify_all();
}

void CheckpointWriter::Hurry() {
  const std::lock_guard lock(mutex_);
  bytes_per_second_ = 0;
  changed_.notify_all();
}

void CheckpointWriter::Wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return step_ != Step::kEnding && step_ != Step::kNaming; });
}

CheckpointWriter::Step CheckpointWriter::step() const {
  const std::lock_guard lock(mutex_);
  return step_;
}

Error CheckpointWriter::error() const {
  const std::lock_guard lock(mutex_);
  return *error_;
}

uint64_t CheckpointWriter::file_bytes() const {
  const std::lock_guard lock(mutex_);
  return file_bytes_;
}

void CheckpointWriter::Run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    changed_.wait(lock, [this] {
      return ending_ || !queue_.empty() || step_ == Step::kEnding || step_ == Step::kNaming;
    });
    DoAll(lock);
  }
}

// Does what there is to do. The lock is let go while the disk works.
void CheckpointWriter::DoAll(std::unique_lock<std::mutex>& lock) {
  const auto work = [&](auto&& job) {
    lock.unlock();
    Result<void> outcome = job();
    lock.lock();
    if (outcome) return true;
    queue_.clear();
    queued_bytes_ = 0;
    full_ = false;
    error_ = std::move(outcome.error());
    Enter(Step::kFailed);
    lock.unlock();
    (void)files_.Remove(options_.directory + "/" + CheckpointName(header_.sequence) + ".new");
    lock.lock();
    return false;
  };
  while (!queue_.empty() && !ending_) {
    const Queued next = std::move(queue_.front());
    queue_.pop_front();
    if (!work([&] { return Write(next.block, next.type); })) return;
    queued_bytes_ -= next.block.size();
    file_bytes_ = file_->bytes();
    if (full_ && queued_bytes_ <= kQueueBytes / 2) {
      full_ = false;
      Enter(step_);
    }
    if (file_bytes_ - paced_ >= kPaceEvery) Pace(lock);
  }
  if (ending_) return;
  if (step_ == Step::kEnding && work([&] { return WriteEnd(*records_); })) {
    file_bytes_ = file_->bytes();
    Enter(Step::kWritten);
  }
  if (step_ == Step::kNaming && work([&] { return Name(); })) Enter(Step::kDone);
}

void CheckpointWriter::Enter(Step step) {
  step_ = step;
  changed_.notify_all();
  if (options_.notify) options_.notify();
}

Result<void> CheckpointWriter::Begin() {
  auto opened =
      SequentialFile::Open(files_, options_.directory + "/" + CheckpointName(header_.sequence) + ".new",
                           {.create = true}, options_.direct_io);
  if (!opened) return tl::make_unexpected(opened.error());
  file_.emplace(std::move(*opened));
  began_ = std::chrono::steady_clock::now();
  auto room = file_->Room(CheckpointHeader::kBytes);
  if (!room) return tl::make_unexpected(room.error());
  Encode(header_, std::span<char, CheckpointHeader::kBytes>(*room, CheckpointHeader::kBytes));
  return file_->Append(CheckpointHeader::kBytes);
}

Result<void> CheckpointWriter::Write(const std::string& payload, CheckpointBlock::Type type) {
  if (!file_) {
    if (auto begun = Begin(); !begun) return begun;
  }
  const size_t bytes = CheckpointBlock::kHeaderBytes + payload.size();
  auto room = file_->Room(bytes);
  if (!room) return tl::make_unexpected(room.error());
  CheckpointBlock block{.length = static_cast<uint32_t>(payload.size()), .type = type};
  Encode(block, *room);
  payload.copy(*room + CheckpointBlock::kHeaderBytes, payload.size());
  block.checksum = ChecksumOfCheckpoint(header_)(Lsn{file_->bytes()}, *room + sizeof block.checksum,
                                                 bytes - sizeof block.checksum);
  Encode(block, *room);
  if (auto wrote = file_->Append(bytes); !wrote) return wrote;
  if (type != CheckpointBlock::kEnd) {
    ++end_.blocks;
    end_.bytes += payload.size();
  }
  if (file_->bytes() - synced_ < kSyncEvery) return {};
  synced_ = file_->bytes();
  return file_->Sync();
}

Result<void> CheckpointWriter::WriteEnd(uint64_t records) {
  end_.records = records;
  std::string payload(CheckpointEnd::kBytes, '\0');
  Encode(end_, payload.data());
  return Write(payload, CheckpointBlock::kEnd).and_then([this] { return file_->Finish(); });
}

Result<void> CheckpointWriter::Name() {
  const std::string path = options_.directory + "/" + CheckpointName(header_.sequence);
  file_.reset();
  return files_.Rename(path + ".new", path)
      .and_then([this] { return files_.SyncDirectory(options_.directory); })
      .and_then([this] { return RemoveOlder(); });
}

// Names come sorted, so the oldest are first.
Result<void> CheckpointWriter::RemoveOlder() {
  auto names = files_.List(options_.directory);
  if (!names) return tl::make_unexpected(names.error());
  std::deque<std::string> kept;
  for (const std::string& name : *names) {
    bool unfinished = false;
    if (!CheckpointSequence(name, &unfinished) || unfinished) continue;
    kept.push_back(name);
    if (kept.size() <= kKeptCheckpoints) continue;
    if (auto removed = files_.Remove(options_.directory + "/" + kept.front()); !removed) return removed;
    kept.pop_front();
  }
  return {};
}

// Waits until the file is no further than its pace allows.
void CheckpointWriter::Pace(std::unique_lock<std::mutex>& lock) {
  paced_ = file_bytes_;
  while (bytes_per_second_ != 0 && options_.background && !ending_) {
    const auto due = began_ + std::chrono::microseconds(file_bytes_ * 1000000 / bytes_per_second_);
    if (std::chrono::steady_clock::now() >= due) return;
    changed_.wait_until(lock, due);
  }
}

}  // namespace sluice::storage
