#include "storage/recovery.h"

#include <algorithm>
#include <array>
#include <utility>

#include "storage/check.h"

namespace sluice::storage {
Recovery::Recovery(FileSystem& files, std::string directory, const StoreHeader& store, BufferPool& buffers,
                   const SidecarMaker* sidecars)
    : files_(files),
      directory_(std::move(directory)),
      store_(store),
      buffers_(buffers),
      sidecars_(sidecars),
      reader_(store.log_id, store.incarnation) {}

Result<void> Recovery::Read(const Log::Start& start, RecoveryReport* report) {
  if (start.state_is_whole && start.replay_from < store_.first_lsn) {
    return Corrupt(directory_ + ": what the log held below LSN " + std::to_string(Value(store_.first_lsn)) +
                   " was dead and is gone, and no checkpoint that is whole reaches behind it");
  }
  auto files = FindFiles();
  if (!files) return tl::make_unexpected(files.error());
  for (size_t i = 0; i < files->size(); ++i) {
    auto begun = Begin((*files)[i]);
    if (!begun) return tl::make_unexpected(begun.error());
    if (!*begun) break;
    if (i + 1 < files->size()) {
      auto skipped = Skip((*files)[i + 1], start);
      if (!skipped) return tl::make_unexpected(skipped.error());
      if (*skipped) {
        report->skipped += 1;
        continue;
      }
    }
    if (parts_.back().header.compacted()) {
      return Corrupt(
          parts_.back().path +
          ": it has been compacted, and stands only together with a checkpoint: none that is whole "
          "reaches behind it");
    }
    if (auto followed = Follow(start, report); !followed) return followed;
  }
  if (parts_.empty()) {
    return Corrupt(directory_ + "/" + SegmentName(store_.first_sequence) +
                   ", offset 0: the log's first segment is " +
                   (damage_.empty() ? "missing" : "damaged, " + damage_));
  }
  report->log_id = store_.log_id;
  report->segments = parts_.size();
  return Judge(*files, start.replay_from, report);
}

// The base of the segment in `file`, if its header verifies.
Result<Lsn> Recovery::BaseOf(const FoundFile& file, uint64_t sequence) {
  auto opened = files_.Open(file.path, {.read_only = true});
  if (!opened) return tl::make_unexpected(opened.error());
  std::array<char, kSegmentHeaderBytes> block;
  auto size = (*opened)->ReadAt(0, block);
  if (!size) return tl::make_unexpected(size.error());
  auto header = DecodeSegmentHeader({block.data(), *size}, store_.log_id);
  if (!header) return tl::make_unexpected(header.error());
  if (header->sequence != sequence || !reader_.WhyNot(header->incarnation).empty()) {
    return Corrupt("it is not the next segment");
  }
  return header->base;
}

// Leaves the newest segment unread where it ends, as the one that follows it says, at or below the place that
// is replayed from.
Result<bool> Recovery::Skip(const FoundFile& next, const Log::Start& start) {
  Part& part = parts_.back();
  if (next.sequence != part.header.sequence + 1 || next.sequence > start.replay_segment) return false;
  const auto base = BaseOf(next, next.sequence);
  if (!base || *base > start.replay_from || *base < part.header.base + kSegmentHeaderBytes) return false;
  part.end = *base - part.header.base;
  if (part.header.compacted() && part.header.log_end != part.end) {
    return Corrupt(part.path + ": it was compacted up to another LSN than the next segment begins at");
  }
  if (part.end_in_file() > part.readable) {
    return Corrupt(part.path + ", offset " + std::to_string(part.readable) +
                   ": the file ends here, and the next segment begins further on");
  }
  if (sidecars_ == nullptr) {
    return tl::make_unexpected(
        Error{Error::Code::kInvalid, "without an index all of the log must be replayed"});
  }
  const std::shared_ptr<const char>& data = part.segment->memory();
  auto sidecar =
      sidecars_->Make({.identity = IdentityOf(parts_.size() - 1), .data = data, .may_exist = true});
  if (!sidecar) return Corrupt(part.path + ", " + sidecar.error().message);
  part.segment->SetIndex(std::move(*sidecar), sidecars_->visitor());
  part.segment->Seal(store_.log_id, part.end_in_file(), part.end);
  part.segment->ShowMapped(data);
  reader_.Skip(part.segment->stretches().back().incarnation);
  if (start.attach) {
    if (auto attached = start.attach(*part.segment); !attached) return tl::make_unexpected(attached.error());
  }
  return true;
}

SidecarIdentity Recovery::IdentityOf(size_t n) const {
  const Part& part = parts_.at(n);
  return {.log_id = store_.log_id,
          .sequence = part.header.sequence,
          .base = part.header.base,
          .incarnation = part.header.incarnation,
          .end = part.end_in_file()};
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
  parts_.back().segment->SetPath(file.path);
  reader_.Skip(header->incarnation);
  return true;
}

// Replays the newest segment's batches, each as soon as it is verified: whatever comes behind it, it is kept.
// What lies below the place to replay from is indexed only.
Result<void> Recovery::Follow(const Log::Start& start, RecoveryReport* report) {
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
    const auto& stretches = part.segment->stretches();
    if (stretches.empty() || stretches.back().incarnation != batch->incarnation) {
      part.segment->BeginStretch({Value(batch->base), batch->incarnation, part.end});
    }
    uint64_t at = part.end + kBatchHeaderBytes;
    for (uint32_t i = 0; i < batch->records; ++i) {
      const RecordView record = ReadRecord(bytes.data(), at);
      const Place place{part.segment.get(), static_cast<uint32_t>(record.body_offset)};
      const bool known = part.header.base + at < start.replay_from;
      auto taken = known ? start.index(place, record.body) : start.replay(place, record.body);
      if (!taken) return taken;
      at = record.next;
    }
    part.end = at;
    closed_ = (batch->flags & BatchHeader::kClosing) != 0 && batch->incarnation == store_.incarnation;
    report->batches += 1;
    report->records += batch->records;
  }
  part.segment->Seal(store_.log_id, part.end, part.end);
  part.segment->ShowMapped(part.segment->memory());
  report->bytes += part.end;
  return {};
}

// Torn tail or corruption?
Result<void> Recovery::Judge(const std::vector<FoundFile>& files, Lsn replay_from, RecoveryReport* report) {
  // What a checkpoint stands on was durable before it was.
  Traces traces{.claimed = std::max({store_.durable, reader_.claimed(), replay_from}), .end = end()};
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
  const uint64_t incarnation = reader_.incarnation();
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
  auto memory = buffers_.Take(AlignUp(part.header.capacity, kBlockBytes));
  if (!memory) return memory;
  // The last block is written as a whole.
  std::fill(memory->get() + part.end, memory->get() + AlignUp(part.end, kBlockBytes), '\0');
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
  return CorruptAt(part.path, at, "it changed while it was being read");
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
      Segment recorded(part.header.sequence, part.header.base, active_memory_);
      recorded.SetPath(part.path);
      for (const Stretch& stretch : part.segment->stretches()) recorded.BeginStretch(stretch);
      *part.segment = std::move(recorded);
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
