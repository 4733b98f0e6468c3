// Every byte that the log writes, as docs/formats.md states it.
//
//   STORE file      one StoreHeader
//   segment file    | SegmentHeader, one block | batch | batch | ... | whatever the file held before
//   batch           | BatchHeader | record | record | ...
//   record          | RecordHeader | body | zeros up to a multiple of 8 |
//
// Integers are little-endian. Each structure begins with its checksum, which covers all that follows it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>

#include "storage/lsn.h"
#include "storage/result.h"

namespace sluice::storage {

static_assert(std::endian::native == std::endian::little, "the formats are read and written in place");

constexpr uint32_t kFormatVersion = 1;
constexpr uint64_t kBlockBytes = 4096;    // what O_DIRECT reads and writes
constexpr uint64_t kRecordAlignment = 8;  // of batches and records, so that a search for headers can stride
constexpr uint64_t kSegmentHeaderBytes = kBlockBytes;
constexpr uint64_t kBatchHeaderBytes = 64;
constexpr uint64_t kRecordHeaderBytes = 16;

constexpr uint64_t AlignUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}
constexpr uint64_t AlignDown(uint64_t value, uint64_t alignment) {
  return value / alignment * alignment;
}

// What a record with a body of `body_bytes` takes.
constexpr uint64_t RecordBytes(uint64_t body_bytes) {
  return kRecordHeaderBytes + AlignUp(body_bytes, kRecordAlignment);
}

template <typename T>
T LoadLittle(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <typename T>
void StoreLittle(char* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

// The store as a whole; replaced at each opening.
struct StoreHeader {
  static constexpr size_t kBytes = 64;

  uint64_t log_id = 0;          // random, from the store's creation
  uint64_t incarnation = 0;     // of the last opening; 0: the store is still being created
  uint64_t first_sequence = 1;  // the log's oldest segment, and
  Lsn first_lsn{};              // the LSN of its offset 0
  Lsn durable{};                // the log was on stable storage up to here when this incarnation began
};
void Encode(const StoreHeader& header, std::span<char, StoreHeader::kBytes> to);
// kCorrupt where the bytes are no store header, kInvalid where a newer format wrote them.
Result<StoreHeader> DecodeStoreHeader(std::span<const char> bytes);

// The first block of a segment's file.
struct SegmentHeader {
  uint64_t log_id = 0;
  uint64_t sequence = 0;     // as in the file's name
  Lsn base{};                // the LSN of offset 0: the end of the segment before
  uint64_t incarnation = 0;  // that began the segment
  uint64_t capacity = 0;     // bytes of the file that batches may fill, a multiple of kBlockBytes
  // Of a compacted segment; 0 in others: where its batches end in this file, and where they ended before,
  // which is where the next segment begins.
  uint64_t end = 0;
  uint64_t log_end = 0;

  bool compacted() const { return log_end != 0; }
};
void Encode(const SegmentHeader& header, std::span<char, kSegmentHeaderBytes> to);
// Errors as for the store; a header of another log or with another incarnation's checksum is kCorrupt.
Result<SegmentHeader> DecodeSegmentHeader(std::span<const char> bytes, uint64_t log_id);

// What one commit wrote.
struct BatchHeader {
  static constexpr uint32_t kMagic = 0x48435442;  // "BTCH"
  static constexpr size_t kMagicOffset = 8;
  static constexpr size_t kBaseOffset = 16;
  static constexpr uint32_t kClosing = 1;  // flag: the last batch of a clean stop

  uint32_t flags = 0;
  Lsn base{};                // of this header's first byte
  Lsn durable{};             // everything below was on stable storage when this batch was written
  uint64_t incarnation = 0;  // that wrote it
  uint64_t epoch = 0;        // replication's term
  uint64_t digest = 0;       // of the records' checksums, folded in order
  uint32_t length = 0;       // of the whole batch, this header included
  uint32_t records = 0;
};
void Encode(const BatchHeader& header, uint64_t log_id, char* to);
// Nothing where the bytes are no header of this log's, whatever the reason. The base LSN that the header
// claims is covered by its checksum; that it fits the place is the caller's to compare.
std::optional<BatchHeader> DecodeBatchHeader(const char* from, uint64_t log_id);

struct RecordHeader {
  static constexpr uint32_t kEvents = 0;  // type: one body of events

  uint64_t checksum = 0;  // of the rest of the header, the body and its padding
  uint32_t body_bytes = 0;
  uint32_t type = 0;  // 0: one event
};
inline RecordHeader LoadRecordHeader(const char* from) {
  return {LoadLittle<uint64_t>(from), LoadLittle<uint32_t>(from + 8), LoadLittle<uint32_t>(from + 12)};
}

// Names within the store's directory.
// A file that is being made: NAME.new, until it is whole.
inline constexpr std::string_view kUnfinishedSuffix = ".new";

std::string SegmentName(uint64_t sequence);                        // 000000000001.log
std::optional<uint64_t> SegmentSequence(const std::string& name);  // nothing where it is not a segment's name
std::string SidecarName(uint64_t sequence);                        // 000000000001.idx
std::optional<uint64_t> SidecarSequence(const std::string& name);

}  // namespace sluice::storage
