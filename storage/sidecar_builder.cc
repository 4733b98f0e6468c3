#include "storage/sidecar_builder.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <tuple>

#include "storage/batch_reader.h"
#include "storage/format.h"

namespace sluice::storage {

class SidecarBuilder {
 public:
  SidecarBuilder(const char* data, const SidecarIdentity& identity) : data_(data), identity_(identity) {
    // A guess: a record takes hardly less, and pages that are not used are never touched.
    constexpr uint64_t kUsualRecord = 128;
    sink_.entries_.reserve(identity.end / kUsualRecord);
  }

  // Reads the segment batch by batch.
  Result<void> Read(IndexVisitor visit, SegmentBytes bytes) {
    BatchReader reader(identity_.log_id, UINT64_MAX);
    uint64_t at = kSegmentHeaderBytes;
    while (at < identity_.end) {
      const std::span<const char> segment(data_, identity_.end);
      const auto batch = bytes == SegmentBytes::kOfFile ? reader.Read(segment, identity_.base, at)
                                                        : reader.ReadHeader(segment, identity_.base, at);
      if (!batch) {
        return tl::make_unexpected(
            Error{batch.error().code, "offset " + std::to_string(at) + ": " + batch.error().message});
      }
      if (stretches_.empty() || stretches_.back().incarnation != batch->incarnation) {
        stretches_.push_back({Value(batch->base), batch->incarnation, at});
      }
      at += kBatchHeaderBytes;
      for (uint32_t i = 0; i < batch->records; ++i) {
        const RecordView record = ReadRecord(data_, at);
        sink_.body_offset_ = static_cast<uint32_t>(record.body_offset);
        visit(record.body, sink_);
        at = record.next;
      }
    }
    if (stretches_.empty()) {  // a segment that the log only passed through
      stretches_.push_back(
          {Value(identity_.base + kSegmentHeaderBytes), identity_.incarnation, kSegmentHeaderBytes});
    }
    return {};
  }

  std::string Finish() {
    auto& entries = sink_.entries_;
    SortByObject(entries);
    cells_.reserve(entries.size());
    runs_.reserve(CountObjects(entries));
    for (const auto& entry : entries) Append(entry);
    std::vector<IndexSink::Entry>().swap(entries);  // room for what is encoded
    const auto by_last = [](const IndexRun& a, const IndexRun& b) {
      return std::tie(a.object, a.last_ms, a.last_seq) < std::tie(b.object, b.last_ms, b.last_seq);
    };
    // They are in order already but where an emptied stream began with lower IDs again.
    if (!std::is_sorted(runs_.begin(), runs_.end(), by_last)) {
      std::stable_sort(runs_.begin(), runs_.end(), by_last);
    }
    return Encode(SidecarParts{identity_, stretches_, runs_, cells_});
  }

 private:
  // Stable: within an object the log's order is the index's. By digits, from the lowest up, of those in which
  // the objects differ: few of them have any, and a segment with a hundred thousand streams is sorted in the
  // time of three walks.
  static void SortByObject(std::vector<IndexSink::Entry>& entries) {
    constexpr unsigned kDigitBits = 8;
    constexpr size_t kDigits = size_t{1} << kDigitBits;
    uint64_t differing = 0;
    for (const auto& entry : entries) differing |= entry.object ^ entries.front().object;
    std::vector<IndexSink::Entry> sorted(differing != 0 ? entries.size() : 0);
    for (unsigned shift = 0; shift < 64; shift += kDigitBits) {
      if (((differing >> shift) & (kDigits - 1)) == 0) continue;
      const auto digit = [shift](const auto& entry) { return (entry.object >> shift) & (kDigits - 1); };
      std::array<size_t, kDigits> at{};  // where the next entry with this digit goes
      for (const auto& entry : entries) ++at[digit(entry)];
      std::exclusive_scan(at.begin(), at.end(), at.begin(), size_t{0});
      for (const auto& entry : entries) sorted[at[digit(entry)]++] = entry;
      entries.swap(sorted);
    }
  }

  // Of sorted entries. Nearly every one of them has one run.
  static size_t CountObjects(const std::vector<IndexSink::Entry>& entries) {
    size_t objects = 0;
    for (size_t i = 0; i < entries.size(); ++i) {
      objects += i == 0 || entries[i].object != entries[i - 1].object;
    }
    return objects;
  }

  void Append(const IndexSink::Entry& entry) {
    if (runs_.empty() || !Continues(runs_.back(), entry)) {
      runs_.push_back({.object = entry.object,
                       .first_ms = entry.ms,
                       .first_seq = entry.seq,
                       .last_ms = entry.ms,
                       .last_seq = entry.seq,
                       .bytes = 0,
                       .count = 0,
                       .cells_at = static_cast<uint32_t>(cells_.size()),
                       .last_offset = 0,
                       .zero = 0});
    }
    IndexRun& run = runs_.back();
    cells_.push_back({CellDelta(entry.ms, entry.seq), entry.offset});
    run.bytes += entry.bytes;
    run.last_ms = entry.ms;
    run.last_seq = entry.seq;
    run.last_offset = entry.offset;
    ++run.count;
  }

  static bool Continues(const IndexRun& run, const IndexSink::Entry& entry) {
    return run.object == entry.object &&
           std::tie(run.last_ms, run.last_seq) < std::tie(entry.ms, entry.seq) &&
           BaseMs(run.first_ms) == BaseMs(entry.ms) && BaseSeq(run.first_seq) == BaseSeq(entry.seq);
  }

  const char* data_;
  const SidecarIdentity& identity_;
  IndexSink sink_;
  std::vector<Stretch> stretches_;
  std::vector<IndexRun> runs_;
  std::vector<IndexCell> cells_;
};

Result<std::string> BuildSidecar(const char* data, const SidecarIdentity& identity, IndexVisitor visit,
                                 SegmentBytes bytes) {
  SidecarBuilder builder(data, identity);
  return builder.Read(visit, bytes).map([&] { return builder.Finish(); });
}

}  // namespace sluice::storage
