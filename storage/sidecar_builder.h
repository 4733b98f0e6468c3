// Makes a sidecar's bytes from a segment's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/result.h"
#include "storage/sidecar.h"

namespace sluice::storage {

// What a visitor finds in record bodies.
class IndexSink {
 public:
  // An entry of `object`, whose event begins at `offset` of the body and takes `bytes`.
  void Add(uint64_t object, uint64_t ms, uint64_t seq, size_t offset, size_t bytes) {
    entries_.push_back(
        {object, ms, seq, body_offset_ + static_cast<uint32_t>(offset), static_cast<uint32_t>(bytes)});
  }

 private:
  friend class SidecarBuilder;

  struct Entry {
    uint64_t object;
    uint64_t ms;
    uint64_t seq;
    uint32_t offset;
    uint32_t bytes;
  };
  uint32_t body_offset_ = 0;  // of the body that is being visited
  std::vector<Entry> entries_;
};

// Whose bytes a segment's are: in a file they may have changed since they were written.
enum class SegmentBytes : uint8_t { kOfFile, kOfThisProcess };

// The sidecar of the segment in `data`, whose last batch ends at identity.end. Every batch of a file's bytes
// is verified with its records: kCorrupt, with the offset, where one does not match. Any thread.
Result<std::string> BuildSidecar(const char* data, const SidecarIdentity& identity, IndexVisitor visit,
                                 SegmentBytes bytes = SegmentBytes::kOfFile);

}  // namespace sluice::storage
