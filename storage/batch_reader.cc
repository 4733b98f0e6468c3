#include "storage/batch_reader.h"

#include <algorithm>

#include "storage/checksum.h"

namespace sluice::storage {
namespace {

// What a batch says of the log before it: nothing can be durable behind it when it is written.
Lsn ClaimOf(const BatchHeader& header) {
  return std::min(header.durable, header.base);
}

}  // namespace

std::string BatchReader::WhyNot(uint64_t incarnation) const {
  if (incarnation < incarnation_) return "an earlier life of the server left it behind";
  if (incarnation > newest_) return "it is younger than the STORE file";
  return {};
}

Result<BatchHeader> BatchReader::ReadHeader(std::span<const char> segment, Lsn base, uint64_t offset) {
  if (offset + kBatchHeaderBytes > segment.size()) return Corrupt("the file ends here");
  const auto header = DecodeBatchHeader(segment.data() + offset, log_id_);
  if (!header) return Corrupt("no batch header that matches its checksum");
  if (header->base != base + offset) return Corrupt("a batch of another place in the log");
  if (auto why = WhyNot(header->incarnation); !why.empty())
    return Corrupt("a batch that cannot follow: " + why);
  claimed_ = std::max(claimed_, ClaimOf(*header));
  if (header->length > segment.size() - offset) return Corrupt("a batch that the file ends within");
  return *header;
}

Result<BatchHeader> BatchReader::Read(std::span<const char> segment, Lsn base, uint64_t offset) {
  const auto header = ReadHeader(segment, base, offset);
  if (!header) return header;

  const Checksum checksum(log_id_, header->incarnation);
  const uint64_t end = offset + header->length;
  bool known = (header->flags & ~BatchHeader::kClosing) == 0;
  uint64_t digest = 0;
  uint64_t at = offset + kBatchHeaderBytes;
  for (uint32_t i = 0; i < header->records; ++i) {
    if (at + kRecordHeaderBytes > end) return Corrupt("a batch shorter than its records");
    const RecordHeader record = LoadRecordHeader(segment.data() + at);
    const uint64_t bytes = RecordBytes(record.body_bytes);
    if (bytes > end - at)
      return Corrupt("record " + std::to_string(i) + " of the batch is longer than the batch");
    if (checksum(base + at, segment.data() + at + 8, bytes - 8) != record.checksum) {
      return Corrupt("record " + std::to_string(i) + " of the batch, at offset " + std::to_string(at) +
                     ", does not match its checksum");
    }
    known = known && record.type == RecordHeader::kEvents;
    digest = FoldDigest(digest, record.checksum);
    at += bytes;
  }
  if (at != end || digest != header->digest)
    return Corrupt("a batch that does not match its header's digest");
  if (!known) {
    return tl::make_unexpected(
        Error{Error::Code::kInvalid, "a batch written by a later version of this program"});
  }
  incarnation_ = header->incarnation;
  return *header;
}

RecordView ReadRecord(const char* segment, uint64_t offset) {
  const RecordHeader record = LoadRecordHeader(segment + offset);
  const uint64_t body_offset = offset + kRecordHeaderBytes;
  return {{segment + body_offset, record.body_bytes}, body_offset, offset + RecordBytes(record.body_bytes)};
}

bool IsDamagedHeader(const char* from, Lsn lsn, uint64_t log_id) {
  const bool magic = LoadLittle<uint32_t>(from + BatchHeader::kMagicOffset) == BatchHeader::kMagic;
  const bool base = LoadLittle<uint64_t>(from + BatchHeader::kBaseOffset) == Value(lsn);
  return (magic || base) && !DecodeBatchHeader(from, log_id);
}

void SearchBatches(std::span<const char> bytes, uint64_t log_id, uint64_t incarnation, uint64_t newest,
                   Traces* traces) {
  for (uint64_t at = 0; at + kBatchHeaderBytes <= bytes.size(); at += kRecordAlignment) {
    if (LoadLittle<uint32_t>(bytes.data() + at + BatchHeader::kMagicOffset) != BatchHeader::kMagic) continue;
    const auto header = DecodeBatchHeader(bytes.data() + at, log_id);
    if (!header) continue;
    if (header->incarnation > newest) traces->unknown_incarnation = true;
    traces->incarnation = std::max(traces->incarnation, header->incarnation);
    traces->claimed = std::max(traces->claimed, ClaimOf(*header));
    // However short a damaged length is, the header stood there.
    const uint64_t length = std::max<uint64_t>(header->length, kBatchHeaderBytes);
    if (header->incarnation >= incarnation) traces->end = std::max(traces->end, header->base + length);
  }
}

}  // namespace sluice::storage
