#include "storage/segment.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "storage/check.h"
#include "storage/checksum.h"
#include "storage/cold_reads.h"
#include "storage/format.h"
#include "storage/sidecar_builder.h"

namespace sluice::storage {

RecordLook Segment::LookAtRecord(uint64_t offset, ColdReads* cold) const {
  const auto at = [&](uint64_t bytes) {
    return cold == nullptr ? data() + offset : cold->At(*this, offset, bytes);
  };
  // A record of many entries is asked for with each of them.
  if (offset == sound_ && offset != 0) {
    const char* record = at(sound_bytes_);
    if (record == nullptr) return {RecordState::kAway};
    if (record == sound_at_) return {RecordState::kSound, record};
  }
  if (offset < kSegmentHeaderBytes || offset % kRecordAlignment != 0) return {RecordState::kDamaged};
  if (end_ < kRecordHeaderBytes || offset > end_ - kRecordHeaderBytes) return {RecordState::kDamaged};
  const auto behind =
      std::upper_bound(stretches_.begin(), stretches_.end(), offset,
                       [](uint64_t from, const Stretch& stretch) { return from < stretch.offset; });
  if (behind == stretches_.begin()) return {RecordState::kDamaged};
  const Stretch& stretch = *std::prev(behind);
  const char* record = at(kRecordHeaderBytes);
  if (record == nullptr) return {RecordState::kAway};
  const RecordHeader header = LoadRecordHeader(record);
  const uint64_t bytes = RecordBytes(header.body_bytes);
  if (bytes > end_ - offset) return {RecordState::kDamaged};
  record = at(bytes);
  if (record == nullptr) return {RecordState::kAway};
  const Checksum checksum(log_id_, stretch.incarnation);
  const Lsn lsn = Lsn{stretch.lsn} + (offset - stretch.offset);
  if (checksum(lsn, record + 8, bytes - 8) != header.checksum) return {RecordState::kDamaged};
  sound_ = offset;
  sound_bytes_ = bytes;
  sound_at_ = record;
  return {RecordState::kSound, record};
}

void Segment::SetIndex(std::shared_ptr<const Sidecar> index, IndexVisitor visit) {
  index_ = std::move(index);
  index_checked_ = false;
  visit_ = visit;
  if (stretches_.empty()) stretches_.assign(index_->stretches().begin(), index_->stretches().end());
}

Remains Segment::Replace(std::shared_ptr<const char> data, uint64_t end,
                         std::shared_ptr<const Sidecar> index) {
  Remains remains{std::move(data_), std::move(index_), std::move(damaged_index_)};
  end_ = end;
  ++rewrites_;
  read_past_cache_ = 0;
  stretches_.clear();
  ShowMapped(std::move(data));
  SetIndex(std::move(index), visit_);
  return remains;
}

void Segment::CheckIndex() const {
  CHECK(index_ != nullptr);
  index_checked_ = true;
  if (index_->CellsAreSound()) return;
  const SidecarIdentity& identity = index_->identity();
  auto again = BuildSidecar(data(), identity, visit_).and_then([&](const std::string& bytes) {
    return Sidecar::FromMemory(bytes, identity);
  });
  if (!again) {
    std::fprintf(stderr, "%s: its index is damaged, and so is the segment: %s\n", path_.c_str(),
                 again.error().message.c_str());
    std::abort();
  }
  damaged_index_ = std::exchange(index_, std::move(*again));
}

}  // namespace sluice::storage
