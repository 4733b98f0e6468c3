#include "storage/spare_files.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include "storage/background_thread.h"
#include "storage/buffer.h"
#include "storage/check.h"
#include "storage/format.h"

namespace sluice::storage {
namespace {

constexpr std::string_view kSparePrefix = "spare-";
constexpr uint64_t kZerosBytes = 256 << 10;  // zeroed at a time: about what a disk does within one commit
constexpr uint64_t kRetryUs = 2'000'000;     // after a failure, most likely of space

// The number in `spare-N`.
std::optional<uint64_t> SpareNumber(std::string_view name) {
  if (!name.starts_with(kSparePrefix)) return std::nullopt;
  name.remove_prefix(kSparePrefix.size());
  uint64_t number = 0;
  const auto [stop, failed] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (failed != std::errc() || stop != name.data() + name.size()) return std::nullopt;
  return number;
}

}  // namespace

SpareFiles::SpareFiles(FileSystem& files, BufferPool& buffers, Options options, uint64_t next_sequence)
    : files_(files),
      buffers_(buffers),
      options_(std::move(options)),
      max_disk_bytes_(options_.max_disk_bytes),
      next_sequence_(next_sequence) {
  CHECK(options_.count > 0 && options_.zeroing_bytes_per_second > 0);
  thread_ = StartBackground("spare files", [this] { Run(); });
}

SpareFiles::~SpareFiles() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::optional<SpareFiles::Ready> SpareFiles::Take(uint64_t sequence) {
  std::unique_lock lock(mutex_);
  // Two must not make one file. Naming is a rename and a directory's sync: what the caller would do itself.
  changed_.wait(lock, [this] { return !naming_; });
  CHECK(next_sequence_ == sequence);
  ++next_sequence_;
  changed_.notify_all();
  return std::exchange(ready_, std::nullopt);
}

void SpareFiles::GiveBack(uint64_t sequence) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !naming_; });
  CHECK(next_sequence_ == sequence + 1);
  next_sequence_ = sequence;
  if (!ready_) return;
  // The worker found space for the one after it meanwhile.
  auto renamed = files_.Rename(Path(SegmentName(sequence + 1)), Path(SegmentName(sequence)));
  auto synced = files_.SyncDirectory(options_.directory);
  if (!synced) failure_ = synced.error();
  if (!renamed || !synced) ready_.reset();
}

bool SpareFiles::ready(bool zeroed) const {
  const std::lock_guard lock(mutex_);
  return ready_ && (ready_->zeroed || !zeroed);
}

std::optional<Error> SpareFiles::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void SpareFiles::Run() {
  AdoptLeftovers();
  (void)AdoptNamed();  // failure() has it
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] {
        return ending_ || !ready_ || !ready_->zeroed || spares_.size() + 1 < options_.count;
      });
      if (ending_) return;
    }
    const bool next = NextIsMissing() || (NextIsPoor() && !spares_.empty());
    auto done = next ? PrepareNext() : MakeSpare();
    if (!done && Sleep(kRetryUs)) return;
  }
}

// What an earlier life left is as good as new, if it was finished.
void SpareFiles::AdoptLeftovers() {
  auto names = files_.List(options_.directory);
  if (!names) return;
  for (const std::string& name : *names) {
    std::string_view stem = name;
    const bool unfinished = stem.ends_with(kUnfinishedSuffix);
    if (unfinished) stem.remove_suffix(kUnfinishedSuffix.size());
    const auto number = SpareNumber(stem);
    if (!number) continue;
    next_number_ = std::max(next_number_, *number + 1);
    bool fits = false;
    if (auto file = files_.Open(Path(name), {.read_only = true}); file && !unfinished) {
      auto size = (*file)->Size();
      fits = size && *size >= options_.segment_bytes;
    }
    if (fits && spares_.size() < options_.count) {
      spares_.push_back(Path(name));
    } else {
      (void)files_.Remove(Path(name));  // it holds zeros at most; if it stays, it is only in the way
    }
  }
}

bool SpareFiles::NextIsMissing() {
  const std::lock_guard lock(mutex_);
  return !ready_;
}

bool SpareFiles::NextIsPoor() {
  const std::lock_guard lock(mutex_);
  return ready_ && !ready_->zeroed;
}

// Names the best file there is for the segment to come.
Result<void> SpareFiles::PrepareNext() {
  if (!spares_.empty()) {
    const std::string spare = spares_.back();
    spares_.pop_back();
    return GiveName(spare, true);
  }
  std::string path;
  auto allocated = AllocateUnfinished(&path);
  if (!allocated) return tl::make_unexpected(allocated.error());
  return GiveName(path, false);
}

Result<void> SpareFiles::MakeSpare() {
  std::string unfinished;
  auto file = AllocateUnfinished(&unfinished);
  if (!file) return tl::make_unexpected(file.error());
  const std::string path = unfinished.substr(0, unfinished.size() - kUnfinishedSuffix.size());
  auto made = Zero(**file).and_then([&] { return (*file)->Sync(); }).and_then([&] {
    return files_.Rename(unfinished, path);
  });
  if (made) {
    spares_.push_back(path);
  } else {
    (void)files_.Remove(unfinished);
  }
  return made;
}

Result<std::unique_ptr<File>> SpareFiles::AllocateUnfinished(std::string* path) {
  if (const uint64_t most = max_disk_bytes_; most != 0) {
    const auto used = files_.UsedBytes(options_.directory);
    if (used && *used + options_.segment_bytes > most) {
      return tl::make_unexpected(Error{Error::Code::kFull, "the files would take more than maxdisk"});
    }
  }
  *path = Path(std::string(kSparePrefix) + std::to_string(next_number_++) + std::string(kUnfinishedSuffix));
  auto file = files_.Open(*path, {.create = true, .exclusive = true, .direct = options_.direct});
  if (!file) return file;
  if (auto allocated = (*file)->Allocate(options_.segment_bytes); !allocated) {
    (void)files_.Remove(*path);  // gives back what it got: others need the space
    return tl::make_unexpected(allocated.error());
  }
  return file;
}

Result<void> SpareFiles::Zero(File& file) {
  auto zeros = AllocateBuffer(kZerosBytes);
  if (!zeros) return tl::make_unexpected(zeros.error());
  for (uint64_t at = 0; at < options_.segment_bytes;) {
    const uint64_t bytes = std::min(kZerosBytes, options_.segment_bytes - at);
    if (auto wrote = file.WriteAt(at, {zeros->get(), bytes}); !wrote) return wrote;
    at += bytes;
    if (Sleep(bytes * 1'000'000 / options_.zeroing_bytes_per_second)) {
      return tl::make_unexpected(Error{Error::Code::kIo, "the log is being closed"});
    }
    // The log went on to the next segment meanwhile, and may do so again before this file is finished.
    if (NextIsMissing()) {
      if (auto prepared = PrepareNext(); !prepared) return prepared;
    }
  }
  return {};
}

// Gives the file at `path` the name of the segment to come, in place of a poorer one.
Result<void> SpareFiles::GiveName(const std::string& path, bool zeroed) {
  buffers_.Warm();
  std::string named;
  {
    const std::lock_guard lock(mutex_);
    named = Path(SegmentName(next_sequence_));
    naming_ = true;
  }
  auto renamed = files_.Rename(path, named);
  return renamed ? EndNaming(named, zeroed) : EndNaming({}, false);
}

// An earlier life may have ended with its next file named and not used.
Result<void> SpareFiles::AdoptNamed() {
  std::string named;
  {
    const std::lock_guard lock(mutex_);
    named = Path(SegmentName(next_sequence_));
    naming_ = true;
  }
  auto file = files_.Open(named, {.read_only = true});
  auto size = file ? (*file)->Size() : tl::make_unexpected(file.error());
  if (!size || *size < options_.segment_bytes) return EndNaming({}, false);
  buffers_.Warm();
  return EndNaming(named, true);
}

// Makes the name durable and the file ready; with no `named` file, only lets others go on.
Result<void> SpareFiles::EndNaming(const std::string& named, bool zeroed) {
  Result<void> synced;
  std::unique_ptr<File> opened;
  if (!named.empty()) {
    synced = files_.SyncDirectory(options_.directory);
    if (auto file = files_.Open(named, {.direct = options_.direct}); file) opened = std::move(*file);
  }
  {
    const std::lock_guard lock(mutex_);
    naming_ = false;
    ready_.reset();  // a poorer one's name is another file's now
    if (!synced) failure_ = synced.error();
    if (opened && synced) ready_ = Ready{std::move(opened), zeroed};
  }
  changed_.notify_all();
  return synced;
}

// True where the worker has to end.
bool SpareFiles::Sleep(uint64_t us) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::microseconds(us), [this] { return ending_; });
}

}  // namespace sluice::storage
