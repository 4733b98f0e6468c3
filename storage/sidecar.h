// A sealed segment's index: which entries of which objects stand where in it.
//
// Immutable, and a function of the segment's bytes alone: it is made when a segment is sealed, and again
// wherever its file is missing or is not the one that belongs to the segment. So nothing waits for it to be
// durable.
//
// docs/formats.md states every byte: a header, the stretches that incarnations wrote, the runs in the order
// of (object, last ID), the cells in log order within each run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "storage/index_run.h"
#include "storage/lsn.h"
#include "storage/result.h"

namespace sluice::storage {

// What a sidecar must say of its segment to belong to it.
struct SidecarIdentity {
  uint64_t log_id = 0;
  uint64_t sequence = 0;
  Lsn base{};
  uint64_t incarnation = 0;  // that began the segment
  uint64_t end = 0;          // offset behind the segment's last batch

  friend bool operator==(const SidecarIdentity&, const SidecarIdentity&) = default;
};

// From `offset` of a segment on its bytes were written by `incarnation`, and stand for the log from `lsn` on.
struct Stretch {
  uint64_t lsn = 0;
  uint64_t incarnation = 0;
  uint64_t offset = 0;
};

// Names the entries of a record's body that an index is to have, one call of sink.Add() each, in order.
class IndexSink;
using IndexVisitor = void (*)(std::string_view body, IndexSink& sink);

class Sidecar {
 public:
  static constexpr size_t kHeaderBytes = 96;

  // Over `size` bytes of a file, or of memory. Verifies all but the cells; kCorrupt where it is damaged or
  // does not belong to `expected`.
  static Result<std::shared_ptr<const Sidecar>> FromFile(std::shared_ptr<const char> bytes, uint64_t size,
                                                         const SidecarIdentity& expected);
  static Result<std::shared_ptr<const Sidecar>> FromMemory(std::string_view bytes,
                                                           const SidecarIdentity& expected);

  const SidecarIdentity& identity() const { return identity_; }
  std::span<const Stretch> stretches() const { return stretches_; }
  // In the order of (object, last ID); of those that are equal, the one that stands last in the log is last.
  std::span<const IndexRun> runs() const { return runs_; }
  // The object's run with this last ID that stands last in the log. There is one.
  const IndexRun& Find(uint64_t object, uint64_t last_ms, uint64_t last_seq) const;
  const IndexCell* Cells(const IndexRun& run) const { return cells_.data() + run.cells_at; }
  // As they stand in the file.
  std::span<const char> bytes() const { return {bytes_.get(), size_}; }
  // O(cells): reads all of them.
  bool CellsAreSound() const;

 private:
  Sidecar() = default;
  Result<void> Parse(std::span<const char> bytes, const SidecarIdentity& expected);

  std::shared_ptr<const char> bytes_;
  uint64_t size_ = 0;
  SidecarIdentity identity_;
  uint64_t cells_checksum_ = 0;
  std::span<const Stretch> stretches_;
  std::span<const IndexRun> runs_;
  std::span<const IndexCell> cells_;
};

// What goes in, for who makes one.
struct SidecarParts {
  SidecarIdentity identity;
  std::span<const Stretch> stretches;
  std::span<const IndexRun> runs;
  std::span<const IndexCell> cells;
};
std::string Encode(const SidecarParts& parts);

}  // namespace sluice::storage
