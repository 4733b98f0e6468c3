#include "storage/store_copy.h"

#include <linux/fs.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "storage/batch_reader.h"
#include "storage/buffer.h"
#include "storage/checkpoint_format.h"
#include "storage/checkpoint_reader.h"
#include "storage/format.h"
#include "storage/store_file.h"

namespace sluice::storage {
namespace {

constexpr uint64_t kCopyBytes = 1 << 20;
constexpr int kTries = 5;

struct Source {
  uint64_t sequence = 0;
  std::string name;
  std::unique_ptr<File> file;
  uint64_t bytes = 0;
};

bool IsZero(std::span<const char> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == 0; });
}

class StoreCopy {
 public:
  StoreCopy(FileSystem& files, std::string from, std::string to, CopyWatcher& watcher)
      : files_(files), from_(std::move(from)), to_(std::move(to)), watcher_(watcher) {}

  Result<CopyReport> Run();

 private:
  Result<void> PrepareTarget();
  Result<void> OpenSources();
  Result<bool> TryOpenSources();
  Result<StoreHeader> ReadStore();
  Lsn KnownDurable();
  Result<bool> CopySegment(const Source& source);
  std::string Unfit(const Source& source, const Result<SegmentHeader>& header) const;
  Result<void> CopyContents(const Source& source, File& target);
  uint64_t Follow(std::span<const char> bytes, const Source& source, const SegmentHeader& header,
                  BatchReader* reader, CopyReport* report);
  Result<void> CopyCheckpoint();
  Result<void> ClearBehind(File& target, std::span<const char> bytes, uint64_t end);
  Result<void> AllocateLast();

  FileSystem& files_;
  const std::string from_;
  const std::string to_;
  CopyWatcher& watcher_;
  StoreHeader store_;
  std::vector<Source> sources_;
  std::vector<Source> checkpoints_;  // oldest first
  std::unique_ptr<BatchReader> reader_;
  CopyReport report_;
  uint64_t known_sequence_ = 0;  // of the segment that says what was durable
  struct {
    std::string path;
    uint64_t capacity = 0;
  } last_;               // segment copied
  std::string stopped_;  // where and why the log does not go on
  uint64_t done_bytes_ = 0;
  uint64_t all_bytes_ = 0;
};

Result<CopyReport> StoreCopy::Run() {
  if (auto prepared = PrepareTarget(); !prepared) return tl::make_unexpected(prepared.error());
  if (auto opened = OpenSources(); !opened) return tl::make_unexpected(opened.error());
  report_.known = KnownDurable();
  report_.end = store_.first_lsn;
  reader_ = std::make_unique<BatchReader>(store_.log_id, store_.incarnation);
  for (const Source& source : sources_) {
    auto copied = CopySegment(source);
    if (!copied) return tl::make_unexpected(copied.error());
    if (!*copied) break;
  }
  if (report_.end < report_.known || report_.segments == 0) {
    return tl::make_unexpected(
        Error{Error::Code::kCorrupt, "the store is damaged: " + stopped_ + "; it was durable up to " +
                                         std::to_string(report_.known - report_.end) + " bytes further"});
  }
  if (auto copied = CopyCheckpoint(); !copied) return tl::make_unexpected(copied.error());
  if (auto allocated = AllocateLast(); !allocated) return tl::make_unexpected(allocated.error());
  // The names before STORE, which says that they are there. The durable LSN of a running server's STORE is
  // where its life began: the copy has more.
  if (auto synced = files_.SyncDirectory(to_); !synced) return tl::make_unexpected(synced.error());
  if (auto written = StoreFile(files_, to_).Write(store_); !written)
    return tl::make_unexpected(written.error());
  return report_;
}

Result<void> StoreCopy::PrepareTarget() {
  if (auto made = files_.CreateDirectory(to_); !made) return made;
  auto names = files_.List(to_);
  if (!names) return tl::make_unexpected(names.error());
  if (names->empty()) return {};
  return tl::make_unexpected(Error{Error::Code::kInvalid, to_ + " is not empty"});
}

Result<void> StoreCopy::OpenSources() {
  for (int i = 0; i < kTries; ++i) {
    auto opened = TryOpenSources();
    if (!opened) return tl::make_unexpected(opened.error());
    if (*opened) return {};
  }
  return tl::make_unexpected(
      Error{Error::Code::kIo, from_ + ": its files change faster than they can be opened"});
}

// False where the store changed meanwhile.
Result<bool> StoreCopy::TryOpenSources() {
  sources_.clear();
  checkpoints_.clear();
  all_bytes_ = 0;
  auto store = ReadStore();
  if (!store) return tl::make_unexpected(store.error());
  auto names = files_.List(from_);
  if (!names) return tl::make_unexpected(names.error());
  // Before the segments: a compaction keeps what the older of the checkpoints needs that stand when it
  // begins.
  for (const std::string& name : *names) {
    bool unfinished = false;
    const auto sequence = CheckpointSequence(name, &unfinished);
    if (!sequence || unfinished) continue;
    auto file = files_.Open(from_ + "/" + name, {.read_only = true});
    if (!file) return false;
    auto bytes = (*file)->Size();
    if (!bytes) return tl::make_unexpected(bytes.error());
    checkpoints_.push_back({*sequence, name, std::move(*file), *bytes});
    all_bytes_ += *bytes;
  }
  for (const std::string& name : *names) {
    const auto sequence = SegmentSequence(name);
    if (!sequence || *sequence < store->first_sequence) continue;
    auto file = files_.Open(from_ + "/" + name, {.read_only = true});
    if (!file) {
      auto still_there = files_.List(from_);
      if (still_there && std::find(still_there->begin(), still_there->end(), name) == still_there->end())
        return false;
      return tl::make_unexpected(file.error());
    }
    auto bytes = (*file)->Size();
    if (!bytes) return tl::make_unexpected(bytes.error());
    sources_.push_back({*sequence, name, std::move(*file), *bytes});
    all_bytes_ += *bytes;
  }
  std::sort(sources_.begin(), sources_.end(),
            [](const Source& a, const Source& b) { return a.sequence < b.sequence; });
  auto again = ReadStore();
  if (!again) return tl::make_unexpected(again.error());
  store_ = *again;
  // The newest one opened is still one of the two kept: so what it needs was there.
  auto later = files_.List(from_);
  if (!later) return tl::make_unexpected(later.error());
  std::sort(checkpoints_.begin(), checkpoints_.end(),
            [](const Source& a, const Source& b) { return a.sequence < b.sequence; });
  if (!checkpoints_.empty() &&
      std::find(later->begin(), later->end(), checkpoints_.back().name) == later->end()) {
    return false;
  }
  return store->incarnation == again->incarnation && store->first_sequence == again->first_sequence;
}

Result<StoreHeader> StoreCopy::ReadStore() {
  auto header = ReadStoreFile(files_, from_);
  if (!header || header->incarnation != 0) return header;
  return tl::make_unexpected(
      Error{Error::Code::kInvalid, from_ + "/STORE: the store is still being created"});
}

// What the batch headers of the segment that was begun last say. (Those before it can only say less.)
Lsn StoreCopy::KnownDurable() {
  Lsn known = store_.durable;
  std::array<char, kSegmentHeaderBytes> block;
  for (auto source = sources_.rbegin(); source != sources_.rend(); ++source) {
    auto got = source->file->ReadAt(0, block);
    const auto header =
        got ? DecodeSegmentHeader({block.data(), *got}, store_.log_id) : tl::make_unexpected(got.error());
    if (!header || header->sequence != source->sequence) continue;
    known_sequence_ = source->sequence;
    for (uint64_t at = kSegmentHeaderBytes; at + kBatchHeaderBytes <= source->bytes;) {
      std::array<char, kBatchHeaderBytes> bytes;
      got = source->file->ReadAt(at, bytes);
      if (!got || *got < bytes.size()) break;
      const auto batch = DecodeBatchHeader(bytes.data(), store_.log_id);
      if (!batch || batch->base != header->base + at || batch->length < kBatchHeaderBytes) break;
      known = std::max(known, batch->durable);
      at += batch->length;
    }
    break;
  }
  return known;
}

// False where the log does not go on in this file: it is no part of the copy.
Result<bool> StoreCopy::CopySegment(const Source& source) {
  const std::string path = to_ + "/" + source.name;
  const uint64_t done_before = done_bytes_;
  for (int i = 1;; ++i) {
    done_bytes_ = done_before;
    auto target = files_.Open(path, {.create = true, .exclusive = true});
    if (!target) return tl::make_unexpected(target.error());
    if (auto copied = CopyContents(source, **target); !copied) return tl::make_unexpected(copied.error());
    auto size = (*target)->Size();
    if (!size) return tl::make_unexpected(size.error());
    auto memory = *size == 0 ? Result<std::shared_ptr<const char>>() : (*target)->Map(*size);
    if (!memory) return tl::make_unexpected(memory.error());
    const std::span<const char> bytes(memory->get(), *size);
    const auto header = DecodeSegmentHeader(bytes, store_.log_id);
    if (!header && header.error().code == Error::Code::kInvalid)
      return tl::make_unexpected(Error{Error::Code::kInvalid, source.name + ": " + header.error().message});
    if (const std::string unfit = Unfit(source, header); !unfit.empty()) {
      stopped_ += "; " + from_ + "/" + source.name + " does not go on from there: " + unfit;
      return files_.Remove(path).map([] { return false; });
    }
    BatchReader reader = *reader_;
    CopyReport report = report_;
    const uint64_t end =
        Follow(bytes.first(std::min(*size, header->capacity)), source, *header, &reader, &report);
    // A page that was read while its block was being written may be an old one: it is read again.
    if (source.sequence == known_sequence_ && report.end < report.known && i < kTries) {
      if (auto removed = files_.Remove(path); !removed) return tl::make_unexpected(removed.error());
      continue;
    }
    *reader_ = reader;
    report_ = report;
    if (header->compacted() && end == header->end) report_.end = header->base + header->log_end;
    report_.segments += 1;
    last_ = {path, header->capacity};
    return ClearBehind(**target, bytes, end).and_then([&] { return (*target)->Sync(); }).map([] {
      return true;
    });
  }
}

// The newest: all that is needed to open the copy. It shows a state that was durable before it had its name.
// The one before it is no way out where it is damaged: what that needs may have been compacted away
// meanwhile.
Result<void> StoreCopy::CopyCheckpoint() {
  if (checkpoints_.empty()) return {};
  const Source& source = checkpoints_.back();
  auto target = files_.Open(to_ + "/" + source.name, {.create = true, .exclusive = true});
  if (!target) return tl::make_unexpected(target.error());
  return CopyContents(source, **target)
      .and_then([&] { return (*target)->Sync(); })
      .and_then([&] { return CheckpointReader::Open(files_, to_, source.sequence, store_.log_id); })
      .and_then([](CheckpointReader&& copy) {
        uint64_t records = 0;
        return copy.Read([](std::string_view) { return Result<void>(); }, &records);
      })
      .map_error([&](Error&& error) {
        if (error.code != Error::Code::kCorrupt) return error;
        return Error{error.code,
                     "the newest checkpoint does not verify: " + error.message + "; BGSAVE makes another"};
      });
}

std::string StoreCopy::Unfit(const Source& source, const Result<SegmentHeader>& header) const {
  if (!header) return header.error().message;
  if (header->sequence != source.sequence || header->sequence != store_.first_sequence + report_.segments)
    return "it was written as another segment";
  if (header->base != report_.end) return "it does not begin where the log ends";
  return reader_->WhyNot(header->incarnation);
}

// The whole file: shared with the source where the file system can do that, else without its zeros.
Result<void> StoreCopy::CopyContents(const Source& source, File& target) {
  const bool shared =
      source.file->fd() >= 0 && target.fd() >= 0 && ioctl(target.fd(), FICLONE, source.file->fd()) == 0;
  if (shared) {
    watcher_.OnCopied(done_bytes_ += source.bytes, all_bytes_);
    return {};
  }
  auto buffer = AllocateBuffer(kCopyBytes);
  if (!buffer) return tl::make_unexpected(buffer.error());
  uint64_t at = 0;
  while (at < source.bytes) {
    auto got = source.file->ReadAt(at, {buffer->get(), std::min(kCopyBytes, source.bytes - at)});
    if (!got) return tl::make_unexpected(got.error());
    if (*got == 0) break;
    const std::span<const char> bytes(buffer->get(), *got);
    // The last byte goes out in any case: it makes the file as long as the source.
    const bool last = at + *got == source.bytes;
    if (!IsZero(bytes)) {
      if (auto wrote = target.WriteAt(at, bytes); !wrote) return wrote;
    } else if (last) {
      if (auto wrote = target.WriteAt(source.bytes - 1, bytes.last(1)); !wrote) return wrote;
    }
    at += *got;
    watcher_.OnCopied(done_bytes_ += *got, all_bytes_);
  }
  return {};
}

// Verifies a copied segment's batches; where the last one ends.
uint64_t StoreCopy::Follow(std::span<const char> bytes, const Source& source, const SegmentHeader& header,
                           BatchReader* reader, CopyReport* report) {
  uint64_t at = kSegmentHeaderBytes;
  while (true) {
    const auto batch = reader->Read(bytes, header.base, at);
    if (!batch) {
      stopped_ = from_ + "/" + source.name + ", offset " + std::to_string(at) + ": " + batch.error().message;
      break;
    }
    at += batch->length;
    report->batches += 1;
    report->records += batch->records;
    report->bytes += batch->length;
  }
  report->end = header.base + at;
  return at;
}

// Zeros behind the last batch: a batch that was only begun must not be taken for one that was lost.
Result<void> StoreCopy::ClearBehind(File& target, std::span<const char> bytes, uint64_t end) {
  const std::string zeros(kBlockBytes, '\0');
  for (uint64_t at = end; at < bytes.size();) {
    const uint64_t piece = std::min(kBlockBytes - at % kBlockBytes, bytes.size() - at);
    if (!IsZero(bytes.subspan(at, piece))) {
      if (auto wrote = target.WriteAt(at, {zeros.data(), piece}); !wrote) return wrote;
    }
    at += piece;
  }
  return {};
}

// The last segment is the one that a server will go on in: its space is taken now.
Result<void> StoreCopy::AllocateLast() {
  auto file = files_.Open(last_.path, {});
  if (!file) return tl::make_unexpected(file.error());
  return (*file)->Allocate(last_.capacity).and_then([&] { return (*file)->Sync(); });
}

}  // namespace

Result<CopyReport> CopyStore(FileSystem& files, const std::string& from, const std::string& to,
                             CopyWatcher& watcher) {
  return StoreCopy(files, from, to, watcher).Run();
}

}  // namespace sluice::storage
