// Every byte of a checkpoint's file but what its blocks mean, as docs/formats.md states it.
//
//   checkpoint file   CheckpointHeader | block | block | ... | the last block, whose type is kEnd
//   block             BlockHeader | payload
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "storage/checksum.h"
#include "storage/lsn.h"
#include "storage/result.h"

namespace sluice::storage {

inline constexpr uint32_t kCheckpointVersion = 1;

struct CheckpointHeader {
  static constexpr size_t kBytes = 80;

  uint64_t log_id = 0;
  uint64_t sequence = 0;     // as in the file's name
  uint64_t incarnation = 0;  // that wrote it
  Lsn lsn{};                 // whose state it holds: all records below, none above
  uint64_t segment = 0;      // the sequence number of the segment that holds it
  uint64_t unix_ms = 0;      // when it was begun
};
void Encode(const CheckpointHeader& header, std::span<char, CheckpointHeader::kBytes> to);
// kCorrupt where the bytes are no such header; kInvalid where a newer format wrote them.
Result<CheckpointHeader> DecodeCheckpointHeader(std::span<const char> bytes);

struct CheckpointBlock {
  static constexpr size_t kHeaderBytes = 16;
  enum Type : uint32_t {
    kRecords = 1,
    kEnd = 2,
    kNoMessages = 3,  // records of which none says what messages there are
  };

  uint64_t checksum = 0;  // of the rest of the header and the payload
  uint32_t length = 0;    // of the payload
  uint32_t type = 0;
};
void Encode(const CheckpointBlock& block, char* to);
CheckpointBlock LoadCheckpointBlock(const char* from);

// The payload of the last block: what came before it.
struct CheckpointEnd {
  static constexpr size_t kBytes = 24;

  uint64_t blocks = 0;
  uint64_t records = 0;
  uint64_t bytes = 0;  // of payload
  bool operator==(const CheckpointEnd&) const = default;
};
void Encode(const CheckpointEnd& end, char* to);
CheckpointEnd LoadCheckpointEnd(const char* from);

// The checksums of one checkpoint's blocks: those of another checkpoint, or of another place in this one, do
// not verify. Blocks stand at the offset that is given for an LSN.
inline Checksum ChecksumOfCheckpoint(const CheckpointHeader& header) {
  return {header.log_id, header.sequence};
}

// A checkpoint that there is.
struct MadeCheckpoint {
  uint64_t sequence = 0;
  Lsn lsn{};             // whose state it holds
  uint64_t segment = 0;  // that holds it
  Lsn last_death{};      // between there and `lsn` no message has died
};

// The newest ones of a store; older ones are removed.
inline constexpr size_t kKeptCheckpoints = 2;

// Names within the store's directory.
std::string CheckpointName(uint64_t sequence);  // checkpoint-000000000001
// Nothing where it is not a checkpoint's name. `unfinished`: whether it is one that was being written.
std::optional<uint64_t> CheckpointSequence(const std::string& name, bool* unfinished);

}  // namespace sluice::storage
