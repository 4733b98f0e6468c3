// Reads a log's batches back, and believes none of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "storage/format.h"
#include "storage/lsn.h"

namespace sluice::storage {

// Follows one log from its beginning, batch by batch.
class BatchReader {
 public:
  // Believes no incarnation above `newest`.
  BatchReader(uint64_t log_id, uint64_t newest) : log_id_(log_id), newest_(newest) {}

  // Why nothing of `incarnation` can follow what was read so far; empty where it can.
  std::string WhyNot(uint64_t incarnation) const;

  // Verifies the batch at `offset` of a segment that begins at `base`: its header, that it belongs there, and
  // every record. `segment` is as much of the file as may hold batches. The error says what is wrong;
  // kInvalid where it is a sound batch of a later version, which must not be taken for damage.
  Result<BatchHeader> Read(std::span<const char> segment, Lsn base, uint64_t offset);
  // Verifies only the header, and that it belongs there: for bytes that nobody but this process has had.
  Result<BatchHeader> ReadHeader(std::span<const char> segment, Lsn base, uint64_t offset);

  // Goes on in a segment that `incarnation` began, or behind batches that are not read, the last of which may
  // be as old as that.
  void Skip(uint64_t incarnation) { incarnation_ = std::max(incarnation_, incarnation); }

  // The highest LSN that the batches read so far, damaged ones included, say to have been durable.
  Lsn claimed() const { return claimed_; }
  // Of the last batch read or segment begun: what nothing that follows may be below.
  uint64_t incarnation() const { return incarnation_; }

 private:
  uint64_t log_id_;
  uint64_t newest_;
  uint64_t incarnation_ = 0;
  Lsn claimed_{};
};

// The body at `offset` of `segment`, a record in a batch that has been verified, and the offset behind the
// record.
struct RecordView {
  std::string_view body;
  uint64_t body_offset = 0;
  uint64_t next = 0;
};
RecordView ReadRecord(const char* segment, uint64_t offset);

// What a search found of batches beyond a place where the log ended or broke.
struct Traces {
  Lsn claimed{};                     // the highest LSN said to have been durable
  Lsn end{};                         // the furthest byte of a batch of the last incarnation or later
  uint64_t incarnation = 0;          // the highest
  bool unknown_incarnation = false;  // some are younger than the STORE file
};
// Whether a batch header that was damaged stands at `from`, where one of `lsn` would: what is neither one
// that verifies (an earlier life's, say) nor something else altogether.
bool IsDamagedHeader(const char* from, Lsn lsn, uint64_t log_id);

// Looks at every place in `bytes` where a batch header of the log could stand.
void SearchBatches(std::span<const char> bytes, uint64_t log_id, uint64_t incarnation, uint64_t newest,
                   Traces* traces);

}  // namespace sluice::storage
