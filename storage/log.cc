#include "storage/log.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "storage/buffer_pool.h"
#include "storage/check.h"
#include "storage/committer.h"
#include "storage/format.h"
#include "storage/segment_writer.h"
#include "storage/sidecar_maker.h"
#include "storage/spare_files.h"
#include "storage/tail_cache.h"

namespace sluice::storage {
namespace {

constexpr uint64_t kIdleMs = 100;
constexpr uint64_t kMostAddressable = (uint64_t{1} << 32) - kBlockBytes;  // offsets have 32 bits

}  // namespace

Log::Log(FileSystem& files, const LogOptions& options) : files_(files), options_(options) {}

Log::~Log() = default;

Result<Log::Room> Log::BeginRecord(size_t max_bytes, Use use) {
  const uint64_t spared = use == Use::kGrowth ? reserve_bytes_ : 0;
  if (__builtin_expect(!writer_->Fits(max_bytes + spared), 0)) {
    if (auto made = MakeRoom(max_bytes, use); !made) return tl::make_unexpected(std::move(made.error()));
  }
  const Place place = writer_->Begin(max_bytes);
  return Room{writer_->body(), place};
}

void Log::EndRecord(size_t bytes) {
  writer_->End(bytes);
}

void Log::CancelRecord() {
  writer_->Cancel();
}

Lsn Log::tail() const {
  return writer_->tail();
}

Lsn Log::committed() const {
  return committer_->committed();
}

Lsn Log::stable() const {
  return committer_->stable();
}

// Where the active segment has room, only its reserve is in question: that is free for all once it is clear
// that another segment can follow.
Result<void> Log::MakeRoom(size_t max_bytes, Use use) {
  if (!writer_->Fits(max_bytes)) return Roll(max_bytes);
  if (use == Use::kReserve) return {};
  if (!growth_refused_) growth_refused_ = !HasSpace(options_.segment_bytes);
  if (growth_refused_) return Fail(Error::Code::kFull, "only the log's reserve is left");
  reserve_bytes_ = 0;
  return {};
}

// Whether a file of `bytes` for the segment to come is there or can be.
bool Log::HasSpace(uint64_t bytes) {
  const bool ready = held_ || (spares_ && spares_->ready(false));
  if (!ready) {
    const auto free = files_.FreeBytes(options_.directory);
    if (free && *free < bytes) return false;
  }
  if (options_.max_disk_bytes == 0) return true;
  const auto used = files_.UsedBytes(options_.directory);
  return !used || *used + (ready ? 0 : bytes) <= options_.max_disk_bytes;
}

// Goes on in the next segment. All that can fail comes first.
Result<void> Log::Roll(size_t max_bytes) {
  if (failure()) return tl::make_unexpected(*failure());
  if (closed_) return Fail(Error::Code::kInvalid, "the log is closed");
  CHECK(!writer_->record_open());
  if (max_bytes >= refused_bytes_) return tl::make_unexpected(*refusal_);
  const uint64_t needed =
      kSegmentHeaderBytes + kBatchHeaderBytes + RecordBytes(max_bytes) + kBatchHeaderBytes;
  if (max_bytes > kMostAddressable || needed > kMostAddressable) {
    return Fail(Error::Code::kInvalid,
                "a record of " + std::to_string(max_bytes) + " bytes is more than a log can hold");
  }
  const uint64_t capacity = std::max(options_.segment_bytes, AlignUp(needed, kBlockBytes));
  const uint64_t sequence = segments_.back()->sequence() + 1;
  auto next = options_.max_disk_bytes == 0 || HasSpace(capacity)
                  ? Next(sequence, capacity)
                  : Fail(Error::Code::kFull, "the files would take more than maxdisk");
  if (!next) {
    // Whatever the kernel's reason, it may pass, and nothing was recorded: full, as far as callers are
    // concerned.
    refusal_ = failure() ? *failure() : Error{Error::Code::kFull, next.error().message};
    refused_bytes_ = max_bytes;
    return tl::make_unexpected(*refusal_);
  }

  Seal();
  const Lsn base = writer_->closed_end();
  const SegmentHeader header{.log_id = log_id_,
                             .sequence = sequence,
                             .base = base,
                             .incarnation = incarnation_,
                             .capacity = capacity};
  Encode(header, std::span<char, kSegmentHeaderBytes>(next->memory.get(), kSegmentHeaderBytes));
  segments_.push_back(std::make_unique<Segment>(sequence, base, next->memory));
  active_incarnation_ = incarnation_;
  segments_.back()->SetPath(options_.directory + "/" + SegmentName(sequence));
  segments_.back()->BeginStretch({Value(base + kSegmentHeaderBytes), incarnation_, kSegmentHeaderBytes});
  writer_->Continue({.segment = segments_.back().get(),
                     .file = std::move(next->file),
                     .memory = std::move(next->memory),
                     .capacity = capacity,
                     .offset = kSegmentHeaderBytes,
                     .fresh = true,
                     .zeroed = next->zeroed});
  reserve_bytes_ = capacity / kReserveShare;
  return {};
}

// The active segment takes no more. What it holds is written with the next batches.
void Log::Seal() {
  if (writer_->has_records()) committer_->Enqueue(writer_->CloseBatch(0));
  Segment& segment = *segments_.back();
  const uint64_t end = writer_->closed_end() - segment.base();
  segment.Seal(log_id_, end, end);
  sealed_.push_back({&segment,
                     {.log_id = log_id_,
                      .sequence = segment.sequence(),
                      .base = segment.base(),
                      .incarnation = active_incarnation_,
                      .end = segment.end()}});
  tail_cache_->Add(&segment, writer_->file(), writer_->capacity());
}

// Between two commands: sealed segments that are written to their end need their memory no more.
void Log::Settle() {
  while (!sealed_.empty() && sealed_.front().segment->end_lsn() <= committer_->written()) {
    const Sealed sealed = sealed_.front();
    sealed_.pop_front();
    MakeSidecar(*sealed.segment, sealed.identity, false);
  }
  tail_cache_->Trim(committer_->written());
}

void Log::MakeSidecar(Segment& segment, const SidecarIdentity& identity, bool may_exist) {
  if (sidecars_) sidecars_->Enqueue({.identity = identity, .data = segment.memory(), .may_exist = may_exist});
}

const Segment* Log::TakeIndexed() {
  if (sidecars_ && sidecars_->has_made()) {
    for (auto& made : sidecars_->Take()) {
      if (!made.sidecar) continue;  // damaged since it was verified: what is read of it will say so
      Segment& segment = *segments_.at(made.sequence - segments_.front()->sequence());
      segment.SetIndex(std::move(made.sidecar), options_.index);
      indexed_.push_back(&segment);
    }
  }
  // Whoever was given one is done with it when the next is asked for; until then it has to stay.
  if (!indexed_.empty() && indexed_.front() == nullptr)
    indexed_.erase(indexed_.begin(), indexed_.begin() + 2);
  if (indexed_.empty()) return nullptr;
  const Segment* segment = indexed_.front();
  indexed_.push_front(nullptr);
  return segment;
}

const Segment* Log::After(const Segment& segment) const {
  const uint64_t next = segment.sequence() + 1 - segments_.front()->sequence();
  return next < segments_.size() ? segments_[next].get() : nullptr;
}

std::vector<SealedSegment> Log::SealedSegments(Lsn below) const {
  std::vector<SealedSegment> sealed;
  for (const auto& segment : segments_) {
    if (!segment->mapped() || segment->end_lsn() > below) break;
    if (std::find(indexed_.begin(), indexed_.end(), segment.get()) != indexed_.end()) break;
    if (!segment->has_index()) continue;
    sealed.push_back({.identity = segment->index_runs().identity(),
                      .log_end = segment->end_lsn() - segment->base(),
                      .path = segment->path(),
                      .index = segment->shared_index()});
  }
  return sealed;
}

Remains Log::Replace(RewrittenSegment rewritten) {
  Segment& segment = *segments_.at(rewritten.sequence - segments_.front()->sequence());
  return segment.Replace(std::move(rewritten.data), rewritten.end, std::move(rewritten.index));
}

Remains Log::ForgetBefore(uint64_t first) {
  const uint64_t count = first - segments_.front()->sequence();
  CHECK(count < segments_.size());
  const auto end = segments_.begin() + static_cast<ptrdiff_t>(count);
  Remains remains(std::move_iterator(segments_.begin()), std::move_iterator(end));
  segments_.erase(segments_.begin(), end);
  return remains;
}

// A file and memory for the segment `sequence`: a spare, grown where it must be, or made on the spot.
Result<Log::NextSegment> Log::Next(uint64_t sequence, uint64_t capacity) {
  auto memory = buffers_->Take(capacity);
  if (!memory) return tl::make_unexpected(memory.error());
  if (!held_ && spares_) {
    if (auto failed = spares_->failure()) return tl::make_unexpected(FailForGood(*failed));
    if (auto ready = spares_->Take(sequence)) {
      held_ = std::move(ready->file);
      held_is_zeroed_ = ready->zeroed;
    }
  }
  if (!held_) {
    auto file = Allocate(sequence, capacity);
    if (!file && spares_) spares_->GiveBack(sequence);
    if (!file) return tl::make_unexpected(file.error());
    return NextSegment{.file = std::move(*file), .memory = std::move(*memory)};
  }
  if (capacity > options_.segment_bytes) {
    if (auto grown = held_->Allocate(capacity); !grown) return tl::make_unexpected(grown.error());
    held_is_zeroed_ = false;
  }
  return NextSegment{
      .file = std::exchange(held_, nullptr), .memory = std::move(*memory), .zeroed = held_is_zeroed_};
}

Result<std::shared_ptr<File>> Log::Allocate(uint64_t sequence, uint64_t capacity) {
  auto file = OpenSegmentFile(sequence, true);
  if (!file) return file;
  if (auto allocated = (*file)->Allocate(capacity); !allocated) {
    // What it got is given back: others need the space.
    (void)files_.Remove(options_.directory + "/" + SegmentName(sequence));
    return tl::make_unexpected(allocated.error());
  }
  auto synced = files_.SyncDirectory(options_.directory);
  if (!synced) return tl::make_unexpected(FailForGood(synced.error()));
  return file;
}

const Error& Log::FailForGood(const Error& error) {
  committer_->Fail(error);
  return *failure();
}

Result<std::shared_ptr<File>> Log::OpenSegmentFile(uint64_t sequence, bool create) {
  auto file =
      files_.Open(options_.directory + "/" + SegmentName(sequence), {.create = create, .direct = direct_});
  if (!file) return tl::make_unexpected(file.error());
  return std::shared_ptr<File>(std::move(*file));
}

void Log::Submit() {
  if (!committer_->in_flight()) {
    if (writer_->has_records()) committer_->Enqueue(writer_->CloseBatch(0));
    committer_->Pump();
  }
  Settle();
}

int Log::completion_fd() const {
  return committer_->completion_fd();
}

void Log::Reap() {
  if (committer_->Reap()) Submit();
}

void Log::Flush() {
  committer_->Drain();
  Submit();
  committer_->Drain();
}

void Log::Tick(uint64_t now_ms) {
  refused_bytes_ = UINT64_MAX;
  Settle();
  growth_refused_ = false;
  if (spares_) {
    if (auto failed = spares_->failure()) committer_->Fail(*failed);
  }
  committer_->Tick(now_ms);
  if (tail() != idle_tail_) {
    idle_tail_ = tail();
    idle_since_ms_ = now_ms;
    return;
  }
  const bool quiet = now_ms - idle_since_ms_ >= kIdleMs && committer_->idle() && !writer_->has_records();
  if (quiet && !writer_->record_open() && !failure() && !closed_ && committer_->ClaimIsDue() &&
      writer_->HasRoomForEmptyBatch()) {
    WriteEmptyBatch(0);
  }
}

void Log::WriteEmptyBatch(uint32_t flags) {
  committer_->Enqueue(writer_->CloseBatch(flags));
  committer_->Pump();
}

Result<void> Log::Close() {
  if (closed_) return {};
  CHECK(!writer_->record_open());
  Flush();
  if (!failure()) committer_->MakeDurableFromHere();
  if (failure()) return tl::make_unexpected(*failure());
  // Only right behind an earlier closing batch may there be no room for one; on a full disk that one has to
  // do.
  if (writer_->HasRoomForClosingBatch() || Roll(0)) WriteEmptyBatch(BatchHeader::kClosing);
  committer_->Drain();
  writer_->Stop();
  closed_ = true;
  Settle();
  // The next opening is quick where every sealed segment has its index.
  if (sidecars_) sidecars_->Drain();
  if (failure()) return tl::make_unexpected(*failure());
  return {};
}

const std::optional<Error>& Log::failure() const {
  return committer_->failure();
}

uint64_t Log::log_id() const {
  return log_id_;
}

void Log::set_durability(Durability durability) {
  committer_->SetDurability(durability);
}

void Log::set_max_disk_bytes(uint64_t bytes) {
  options_.max_disk_bytes = bytes;
  if (spares_) spares_->set_max_disk_bytes(bytes);
  growth_refused_ = false;
  refused_bytes_ = UINT64_MAX;
}

CommitStats Log::stats() const {
  return {.batches = committer_->batches(),
          .bytes = committer_->bytes(),
          .median_us = committer_->median_us(),
          .path = committer_->path_name(),
          .direct = direct_,
          .segments = segments_.size(),
          .durations = committer_->durations()};
}

}  // namespace sluice::storage
