#include "storage/recovery.h"

#include <algorithm>
#include <utility>

#include "storage/buffer.h"
#include "storage/check.h"

namespace sluice::storage {
namespace {

tl::unexpected<Error> Corrupt(std::string message) {
  return tl::make_unexpected(Error{Error::Code::kCorrupt, std::move(message)});
}

}  // namespace

Recovery::Recovery(FileSystem& files, std::string directory, const StoreHeader& store)
    : files_(files),
      directory_(std::move(directory)),
      store_(store),
      reader_(store.log_id, store.incarnation) {}

Result<void> Recovery::Read(const Log::Replay& replay, RecoveryReport* report) {
  auto files = FindFiles();
  if (!files) return tl::make_unexpected(files.error());
  for (const FoundFile& file : *files) {
    auto begun = Begin(file);
    if (!begun) return tl::make_unexpected(begun.error());
    if (!*begun) break;
    if (auto followed = Follow(replay, report); !followed) return followed;
  }
  if (parts_.empty()) {
    return Corrupt(directory_ + "/" + SegmentName(store_.first_sequence) +
                   ", offset 0: the log's first segment is " +
                   (damage_.empty() ? "missing" : "damaged, " + damage_));
  }
  report->log_id = store_.log_id;
  report->segments = parts_.size();
  return Judge(*files, report);
}

Result<std::vector<Recovery::FoundFile>> Recovery::FindFiles() {
  auto names = files_.List(directory_);
  if (!names) return tl::make_unexpected(names.error());
  std::vector<FoundFile> found;
  for (const std::string& name : *names) {
    if (auto sequence = SegmentSequence(name); sequence && *sequence >= store_.first_sequence) {
      found.push_back({*sequence, directory_ + "/" + name});
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
  return found;
}

// Adds the segment in `file`, if it is the one that the log goes on in.
Result<bool> Recovery::Begin(const FoundFile& file) {
  const bool first = parts_.empty();
  const uint64_t sequence = first ? store_.first_sequence : parts_.back().header.sequence + 1;
  const Lsn base = first ? store_.first_lsn : end();
  if (file.sequence != sequence) return false;
  auto opened = files_.Open(file.path, {.read_only = true});
  if (!opened) return tl::make_unexpected(opened.error());
  auto size = (*opened)->Size();
  if (!size) return tl::make_unexpected(size.error());
  if (*size == 0) return false;
  auto mapped = (*opened)->Map(*size);
  if (!mapped) return tl::make_unexpected(mapped.error());
  auto header = DecodeSegmentHeader({mapped->get(), *size}, store_.log_id);
  if (!header && header.error().code == Error::Code::kInvalid) {
    return tl::make_unexpected(Error{header.error().code, file.path + ": " + header.error().message});
  }
  const std::string unfit = !header                        ? header.error().message
                            : header->sequence != sequence ? "it was written as another segment"
                            : header->base != base         ? "it does not begin where the log ends"
                                                           : reader_.WhyNot(header->incarnation);
  if (!unfit.empty()) {
    damage_ += (damage_.empty() ? "" : ", and ") + file.path + " does not go on from there: " + unfit;
    return false;
  }
  parts_.push_back({.path = file.path,
                    .header = *header,
                    .segment = std::make_unique<Segment>(sequence, base, std::move(*mapped)),
                    .readable = std::min(*size, header->capacity),
                    .end = kSegmentHeaderBytes});
  return true;
}

// Replays the newest segment's batches, each as soon as it is verified: whatever comes behind it, it is kept.
Result<void> Recovery::Follow(const Log::Replay& replay, RecoveryReport* report) {
  Part& part = parts_.back();
  const std::span<const char> bytes(part.segment->data(), part.readable);
  while (true) {
    const auto batch = reader_.Read(bytes, part.header.base, part.end);
    if (!batch && batch.error().code == Error::Code::kInvalid) {
      return tl::make_unexpected(
          Error{batch.error().code,
                part.path + ", offset " + std::to_string(part.end) + ": " + batch.error().message});
    }
    if (!batch) {
      damage_ = batch.error().message;
      break;
    }
    uint64_t at = part.end + kBatchHeaderBytes;
    for (uint32_t i = 0; i < batch->records; ++i) {
      const RecordView record = ReadRecord(bytes.data(), at);
      auto replayed = replay({part.segment.get(), static_cast<uint32_t>(record.body_offset)}, record.body);
      if (!replayed) return replayed;
      at = record.next;
    }
    part.end = at;
    closed_ = (batch->flags & BatchHeader::kClosing) != 0 && batch->incarnation == store_.incarnation;
    report->batches += 1;
    report->records += batch->records;
  }
  report->bytes += part.end;
  return {};
}

// Torn tail or corruption?
Result<void> Recovery::Judge(const std::vector<FoundFile>& files, RecoveryReport* report) {
  Traces traces{.claimed = std::max(store_.durable, reader_.claimed()), .end = end()};
  // Behind the closing batch of the last life nothing was ever written: no need to search there.
  if (!closed_) {
    if (auto searched = SearchRest(files, &traces); !searched) return searched;
  }
  const Part& last = parts_.back();
  if (traces.unknown_incarnation) {
    return Corrupt(
        last.path + ", offset " + std::to_string(last.end) +
        ": batches follow that are younger than the STORE file, which is not the one they were written with");
  }
  if (traces.claimed > end()) {
    return Corrupt(last.path + ", offset " + std::to_string(last.end) + ": " + damage_ +
                   "; the log was durable up to " + std::to_string(traces.claimed - end()) +
                   " bytes further");
  }
  proven_ = traces.claimed;
  if (traces.end > end()) {
    report->cut_bytes = traces.end - end();
    report->cut_file = last.path;
    report->cut_offset = last.end;
  }
  return {};
}

Result<void> Recovery::SearchRest(const std::vector<FoundFile>& files, Traces* traces) {
  const Part& last = parts_.back();
  const uint64_t incarnation = std::max(reader_.incarnation(), last.header.incarnation);
  const bool header_fits = last.end + kBatchHeaderBytes <= last.readable;
  if (header_fits && IsDamagedHeader(last.segment->data() + last.end, end(), store_.log_id)) {
    traces->end = end() + kBatchHeaderBytes;  // at least: the length may be what is wrong
  }
  SearchBatches({last.segment->data() + last.end, last.readable - last.end}, store_.log_id, incarnation,
                store_.incarnation, traces);
  for (const FoundFile& file : files) {
    if (file.sequence <= last.header.sequence) continue;
    auto opened = files_.Open(file.path, {.read_only = true});
    if (!opened) return tl::make_unexpected(opened.error());
    auto size = (*opened)->Size();
    if (!size) return tl::make_unexpected(size.error());
    if (*size == 0) continue;
    auto mapped = (*opened)->Map(*size);
    if (!mapped) return tl::make_unexpected(mapped.error());
    SearchBatches({mapped->get(), *size}, store_.log_id, incarnation, store_.incarnation, traces);
  }
  return {};
}

// A segment's part of the log in memory of our own, zeros behind it, verified there: what is served and
// written again must not come from pages that the kernel may have dropped and read anew since they were
// verified.
Result<std::shared_ptr<char>> Recovery::Load(const Part& part) {
  auto memory = AllocateBuffer(AlignUp(part.header.capacity, kBlockBytes));
  if (!memory) return memory;
  auto file = files_.Open(part.path, {.read_only = true});
  if (!file) return tl::make_unexpected(file.error());
  auto size = (*file)->ReadAt(0, {memory->get(), part.end});
  if (!size) return tl::make_unexpected(size.error());
  const std::span<const char> bytes(memory->get(), part.end);
  const auto header = DecodeSegmentHeader(bytes, store_.log_id);
  BatchReader reader(store_.log_id, store_.incarnation);
  uint64_t at = kSegmentHeaderBytes;
  while (header && at < part.end) {
    const auto batch = reader.Read(bytes, part.header.base, at);
    if (!batch) break;
    at += batch->length;
  }
  if (at == part.end && header) return memory;
  return Corrupt(part.path + ", offset " + std::to_string(at) + ": it changed while it was being read");
}

Result<void> Recovery::Harden() {
  for (Part& part : parts_) {
    const bool active = &part == &parts_.back();
    const bool proven = part.header.base + part.end <= proven_;
    if (proven && !active) continue;
    auto memory = Load(part);
    if (!memory) return tl::make_unexpected(memory.error());
    if (active) {
      active_memory_ = *memory;
      *part.segment = Segment(part.header.sequence, part.header.base, active_memory_);
    }
    if (proven) continue;
    const uint64_t from = proven_ > part.header.base ? AlignDown(proven_ - part.header.base, kBlockBytes) : 0;
    const uint64_t to = AlignUp(part.end, kBlockBytes);
    auto file = files_.Open(part.path, {});
    if (!file) return tl::make_unexpected(file.error());
    auto wrote = (*file)->WriteBlocks(from, {memory->get() + from, to - from}, {}, true);
    if (!wrote) return wrote;
  }
  return {};
}

std::vector<std::unique_ptr<Segment>> Recovery::TakeSegments() {
  std::vector<std::unique_ptr<Segment>> segments;
  for (Part& part : parts_) segments.push_back(std::move(part.segment));
  return segments;
}

}  // namespace sluice::storage
