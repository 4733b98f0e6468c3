#include "storage/sidecar_maker.h"

#include <utility>

#include "storage/background_thread.h"
#include "storage/format.h"
#include "storage/sidecar_builder.h"

namespace sluice::storage {

SidecarMaker::SidecarMaker(FileSystem& files, std::string directory, IndexVisitor visit)
    : files_(files), directory_(std::move(directory)), visit_(visit) {}

SidecarMaker::~SidecarMaker() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void SidecarMaker::WorkInBackground() {
  thread_ = StartBackground("sidecars", [this] { Run(); });
}

void SidecarMaker::Enqueue(Job job) {
  if (!thread_.joinable()) {
    auto made = Make(job);
    made_.push_back({job.identity.sequence, made ? std::move(*made) : nullptr});
    has_made_ = true;
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  changed_.notify_all();
}

std::vector<SidecarMaker::Made> SidecarMaker::Take() {
  const std::lock_guard lock(mutex_);
  has_made_ = false;
  return std::exchange(made_, {});
}

void SidecarMaker::Drain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return jobs_.empty() && !working_; });
}

void SidecarMaker::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
    if (ending_) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    working_ = true;
    lock.unlock();
    auto made = Make(job);
    const uint64_t sequence = job.identity.sequence;
    job = {};  // its memory may be used again
    lock.lock();
    working_ = false;
    made_.push_back({sequence, made ? std::move(*made) : nullptr});
    has_made_ = true;
    changed_.notify_all();
  }
}

Result<std::shared_ptr<const Sidecar>> SidecarMaker::Make(const Job& job) const {
  if (job.may_exist) {
    if (auto loaded = Load(job.identity)) return loaded;
  }
  const auto origin = job.may_exist ? SegmentBytes::kOfFile : SegmentBytes::kOfThisProcess;
  const auto bytes = BuildSidecar(job.data.get(), job.identity, visit_, origin);
  if (!bytes) return tl::make_unexpected(bytes.error());
  if (Write(job.identity.sequence, *bytes)) {
    if (auto loaded = Load(job.identity)) return loaded;
  }
  return Sidecar::FromMemory(*bytes, job.identity);
}

Result<std::shared_ptr<const Sidecar>> SidecarMaker::Load(const SidecarIdentity& identity) const {
  auto file = files_.Open(directory_ + "/" + SidecarName(identity.sequence), {.read_only = true});
  if (!file) return tl::make_unexpected(file.error());
  auto size = (*file)->Size();
  if (!size) return tl::make_unexpected(size.error());
  if (*size == 0) return tl::make_unexpected(Error{Error::Code::kCorrupt, "the index is empty"});
  return (*file)->Map(*size).and_then([&](std::shared_ptr<const char> bytes) {
    return Sidecar::FromFile(std::move(bytes), *size, identity);
  });
}

Result<void> SidecarMaker::Write(uint64_t sequence, const std::string& bytes) const {
  const std::string path = directory_ + "/" + SidecarName(sequence);
  const std::string unfinished = path + std::string(kUnfinishedSuffix);
  (void)files_.Remove(unfinished);  // it may be longer than what is written now
  auto file = files_.Open(unfinished, {.create = true});
  if (!file) return tl::make_unexpected(file.error());
  auto written = (*file)->WriteAt(0, bytes).and_then([&] { return files_.Rename(unfinished, path); });
  if (!written) (void)files_.Remove(unfinished);
  return written;
}

Result<void> RemoveStraySidecars(FileSystem& files, const std::string& directory, uint64_t first,
                                 uint64_t active) {
  auto names = files.List(directory);
  if (!names) return tl::make_unexpected(names.error());
  for (const std::string& name : *names) {
    std::string stem = name;
    const bool unfinished = stem.ends_with(kUnfinishedSuffix);
    if (unfinished) stem.resize(stem.size() - kUnfinishedSuffix.size());
    const auto sequence = SidecarSequence(stem);
    if (!sequence || (!unfinished && *sequence >= first && *sequence < active)) continue;
    if (auto removed = files.Remove(directory + "/" + name); !removed) return removed;
  }
  return {};
}

}  // namespace sluice::storage
