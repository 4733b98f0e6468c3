#include "storage/store_walk.h"

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <utility>

#include "storage/batch_reader.h"

namespace sluice::storage {
namespace {

constexpr uint64_t kMostReadable = uint64_t{1} << 32;  // no segment holds more

using Kind = Finding::Kind;
using Remedy = Finding::Remedy;

class Walk {
 public:
  // `store_damage`: why the STORE file is not to be believed, although it can be read; empty where it is.
  Walk(FileSystem& files, const std::string& directory, StoreVisitor& visitor, std::string store_damage)
      : files_(files), visitor_(visitor), store_damage_(std::move(store_damage)) {
    found_.directory = directory;
  }

  Result<StoreFindings> Run();
  // Batches were found that are younger than the STORE file.
  bool store_is_old() const { return store_read_ && traces_.unknown_incarnation; }

 private:
  struct FoundFile {
    uint64_t sequence = 0;
    std::string path;
    uint64_t bytes = 0;
  };
  struct Mapped {
    const FoundFile* file = nullptr;
    std::shared_ptr<const char> memory;
    std::span<const char> bytes;
  };
  // A place where the log does not go on. Torn or damaged: known only when every batch has been read.
  struct Hole {
    Finding finding;
    Lsn lsn{};
    size_t segment = 0;  // in found_.segments
    uint64_t records_before = 0;
    uint64_t bytes_before = 0;  // of log that verifies
  };

  Result<void> ReadStore(const std::vector<std::string>& names);
  Result<void> FindFiles(const std::vector<std::string>& names);
  Result<Mapped> Map(const FoundFile& file) const;
  void WorkOutStore();
  Result<void> ReadFile(const FoundFile& file);
  std::string Unfit(const Mapped& mapped, const Result<SegmentHeader>& header) const;
  std::optional<SegmentHeader> WorkOutHeader(const Mapped& mapped) const;
  void NoteGap(const FoundFile& file, const SegmentHeader& header);
  Result<void> Follow(const Mapped& mapped, const SegmentHeader& header);
  Result<void> ShowBatch(const WalkedSegment& segment, std::span<const char> bytes, uint64_t offset,
                         const BatchHeader& batch);
  bool GoesOnInNext(const FoundFile& file) const;
  std::optional<uint64_t> NextBatch(std::span<const char> bytes, Lsn base, uint64_t from) const;
  void LookBehindEnd();
  void Judge();
  void AddHole(Remedy remedy, const std::string& path, uint64_t offset, std::string what, Lsn lsn,
               size_t segment);
  void SearchBehind();
  Lsn Search(std::span<const char> bytes);

  FileSystem& files_;
  StoreVisitor& visitor_;
  StoreFindings found_;
  bool store_read_ = false;  // and is believed
  std::string store_damage_;
  uint64_t newest_ = UINT64_MAX;  // incarnation that anything may have
  std::vector<FoundFile> segment_files_;
  std::optional<BatchReader> reader_;
  std::vector<Hole> holes_;
  Traces traces_;
  uint64_t done_bytes_ = 0;
  uint64_t all_bytes_ = 0;

  // Where the log stands after the segments read so far.
  Mapped last_;  // segment
  Lsn end_{};
  std::string end_why_;      // why no batch follows there
  bool torn_batch_ = false;  // one was begun there
  std::string skipped_;      // "; FILE: why" of files since that are no segments of the log
};

Result<StoreFindings> Walk::Run() {
  auto names = files_.List(found_.directory);
  if (!names) return tl::make_unexpected(names.error());
  if (auto found = FindFiles(*names); !found) return tl::make_unexpected(found.error());
  if (auto read = ReadStore(*names); !read) return tl::make_unexpected(read.error());
  if (store_read_ && found_.store.incarnation == 0) return std::move(found_);  // nothing was ever recorded
  reader_.emplace(found_.store.log_id, newest_);
  end_ = found_.store.first_lsn;
  for (const FoundFile& file : segment_files_) {
    if (file.sequence < found_.store.first_sequence) continue;
    if (auto read = ReadFile(file); !read) return tl::make_unexpected(read.error());
    visitor_.OnProgress(done_bytes_ += file.bytes, all_bytes_);
  }
  Judge();
  return std::move(found_);
}

Result<void> Walk::ReadStore(const std::vector<std::string>& names) {
  const std::string path = found_.directory + "/STORE";
  if (std::find(names.begin(), names.end(), "STORE") == names.end()) {
    if (segment_files_.empty()) {
      return tl::make_unexpected(
          Error{Error::Code::kInvalid, found_.directory + ": there is no store here (no file STORE)"});
    }
    store_damage_ = "the file is missing";
  } else {
    auto file = files_.Open(path, {.read_only = true});
    if (!file) return tl::make_unexpected(file.error());
    std::array<char, StoreHeader::kBytes + 1> bytes;
    auto size = (*file)->ReadAt(0, bytes);
    if (!size) return tl::make_unexpected(size.error());
    auto header = DecodeStoreHeader({bytes.data(), *size});
    if (!header && header.error().code == Error::Code::kInvalid) {
      return tl::make_unexpected(Error{Error::Code::kInvalid, path + ": " + header.error().message});
    }
    if (header && store_damage_.empty()) {
      found_.store = *header;
      newest_ = header->incarnation;
      store_read_ = true;
      return {};
    }
    if (!header) store_damage_ = header.error().message;
  }
  WorkOutStore();
  return {};
}

// A segment's header says which log it is of; the oldest one where the log begins.
void Walk::WorkOutStore() {
  found_.store = {};
  for (const FoundFile& file : segment_files_) {
    auto mapped = Map(file);
    if (!mapped || mapped->bytes.size() < kSegmentHeaderBytes) continue;
    const auto log_id = LoadLittle<uint64_t>(mapped->bytes.data() + 24);
    if (!DecodeSegmentHeader(mapped->bytes, log_id)) continue;
    found_.store.log_id = log_id;
    break;
  }
  if (segment_files_.empty()) return;
  const FoundFile& oldest = segment_files_.front();
  found_.store.first_sequence = oldest.sequence;
  if (oldest.sequence == 1) return;  // its base is 0
  auto mapped = Map(oldest);
  if (!mapped) return;
  reader_.emplace(found_.store.log_id, newest_);
  const auto header = DecodeSegmentHeader(mapped->bytes, found_.store.log_id);
  if (header) {
    if (header->sequence == oldest.sequence) found_.store.first_lsn = header->base;
  } else if (const auto worked_out = WorkOutHeader(*mapped)) {
    found_.store.first_lsn = worked_out->base;
  }
}

Result<void> Walk::FindFiles(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto sequence = SegmentSequence(name);
    if (!sequence) continue;
    const std::string path = found_.directory + "/" + name;
    auto file = files_.Open(path, {.read_only = true});
    if (!file) return tl::make_unexpected(file.error());
    auto bytes = (*file)->Size();
    if (!bytes) return tl::make_unexpected(bytes.error());
    segment_files_.push_back({*sequence, path, *bytes});
    all_bytes_ += *bytes;
  }
  std::sort(segment_files_.begin(), segment_files_.end(),
            [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
  return {};
}

Result<Walk::Mapped> Walk::Map(const FoundFile& file) const {
  Mapped mapped{.file = &file, .memory = nullptr, .bytes = {}};
  const uint64_t bytes = std::min(file.bytes, kMostReadable);
  if (bytes == 0) return mapped;
  auto opened = files_.Open(file.path, {.read_only = true});
  if (!opened) return tl::make_unexpected(opened.error());
  auto memory = (*opened)->Map(bytes);
  if (!memory) return tl::make_unexpected(memory.error());
  mapped.memory = std::move(*memory);
  mapped.bytes = {mapped.memory.get(), bytes};
  return mapped;
}

Result<void> Walk::ReadFile(const FoundFile& file) {
  auto mapped = Map(file);
  if (!mapped) return tl::make_unexpected(mapped.error());
  const auto header = DecodeSegmentHeader(mapped->bytes, found_.store.log_id);
  if (!header && header.error().code == Error::Code::kInvalid) {
    return tl::make_unexpected(Error{Error::Code::kInvalid, file.path + ": " + header.error().message});
  }
  const std::string unfit = Unfit(*mapped, header);
  if (unfit.empty()) {
    NoteGap(file, *header);
    return Follow(*mapped, *header);
  }
  // Nothing was ever promised behind the closing batch of the last life.
  if (found_.closed) return {};
  if (const auto worked_out = header ? std::nullopt : WorkOutHeader(*mapped)) {
    NoteGap(file, *worked_out);
    AddHole(Remedy::kRebuildHeader, file.path, 0, "the segment's header is damaged: " + unfit, end_,
            found_.segments.size());
    return Follow(*mapped, *worked_out);
  }
  if (Search(mapped->bytes) > end_) found_.strays.push_back(file.path);
  skipped_ += "; " + file.path + " does not go on from there: " + unfit;
  return {};
}

// Why the log cannot go on in this file; empty where it can.
std::string Walk::Unfit(const Mapped& mapped, const Result<SegmentHeader>& header) const {
  if (!header) return header.error().message;
  if (header->sequence != mapped.file->sequence) return "it was written as another segment";
  if (header->base < end_) return "it does not begin where the log ends";
  return reader_->WhyNot(header->incarnation);
}

// From the first batch, where only the header is damaged.
std::optional<SegmentHeader> Walk::WorkOutHeader(const Mapped& mapped) const {
  if (mapped.bytes.size() < kSegmentHeaderBytes + kBatchHeaderBytes) return std::nullopt;
  const auto batch = DecodeBatchHeader(mapped.bytes.data() + kSegmentHeaderBytes, found_.store.log_id);
  if (!batch || batch->base < end_ + kSegmentHeaderBytes) return std::nullopt;
  const Lsn base{Value(batch->base) - kSegmentHeaderBytes};
  BatchReader reader = *reader_;
  if (!reader.Read(mapped.bytes, base, kSegmentHeaderBytes)) return std::nullopt;
  return SegmentHeader{.log_id = found_.store.log_id,
                       .sequence = mapped.file->sequence,
                       .base = base,
                       .incarnation = batch->incarnation,
                       .capacity = AlignDown(mapped.bytes.size(), kBlockBytes)};
}

// Between the log as far as it was read and the segment that goes on.
void Walk::NoteGap(const FoundFile& file, const SegmentHeader& header) {
  const uint64_t gap = header.base - end_;
  if (found_.segments.empty()) {
    const bool first = header.sequence == found_.store.first_sequence && gap == 0;
    if (first) return;
    AddHole(Remedy::kCut, found_.directory + "/" + SegmentName(found_.store.first_sequence), 0,
            "the log's first segment is missing or damaged" + skipped_, end_, 0);
  } else if (gap != 0 || header.sequence != found_.segments.back().header.sequence + 1) {
    LookBehindEnd();
    const SegmentFacts& last = found_.segments.back();
    AddHole(
        Remedy::kCut, last.path, last.end,
        end_why_ + "; the log goes on " + std::to_string(gap) + " bytes further, in " + file.path + skipped_,
        end_, found_.segments.size() - 1);
  }
  skipped_.clear();
}

Result<void> Walk::Follow(const Mapped& mapped, const SegmentHeader& header) {
  const WalkedSegment segment{mapped.file->path, header, mapped.file->bytes};
  visitor_.OnSegment(segment);
  found_.segments.push_back({segment.path, header, kSegmentHeaderBytes});
  reader_->Skip(header.incarnation);
  const std::span<const char> readable =
      mapped.bytes.first(std::min<uint64_t>(mapped.bytes.size(), header.capacity));
  uint64_t at = std::min<uint64_t>(kSegmentHeaderBytes, readable.size());
  while (true) {
    const auto batch = reader_->Read(readable, header.base, at);
    if (batch) {
      if (auto shown = ShowBatch(segment, readable, at, *batch); !shown) return shown;
      at += batch->length;
      continue;
    }
    // Behind a hole it may be anything.
    if (batch.error().code == Error::Code::kInvalid && holes_.empty()) {
      return tl::make_unexpected(
          Error{Error::Code::kInvalid,
                segment.path + ", offset " + std::to_string(at) + ": " + batch.error().message});
    }
    end_why_ = batch.error().message;
    // A compacted segment ends, in the log, where it ended before.
    end_ = header.base + (header.compacted() && at == header.end ? header.log_end : at);
    if (found_.closed || GoesOnInNext(*mapped.file)) break;
    const auto next = NextBatch(readable, header.base, at);
    if (!next) break;
    found_.segments.back().end = at;
    AddHole(Remedy::kCut, segment.path, at,
            end_why_ + "; the next sound batch is at offset " + std::to_string(*next), header.base + at,
            found_.segments.size() - 1);
    at = *next;
  }
  found_.segments.back().end = at;
  last_ = mapped;
  visitor_.OnSegmentEnd(segment, at);
  return {};
}

Result<void> Walk::ShowBatch(const WalkedSegment& segment, std::span<const char> bytes, uint64_t offset,
                             const BatchHeader& batch) {
  visitor_.OnBatch(segment, offset, batch);
  uint64_t at = offset + kBatchHeaderBytes;
  for (uint32_t i = 0; i < batch.records; ++i) {
    const RecordView record = ReadRecord(bytes.data(), at);
    if (!visitor_.OnRecord(segment, at, record.body)) {
      return tl::make_unexpected(
          Error{Error::Code::kInvalid, segment.path + ", offset " + std::to_string(at) +
                                           ": a record that a later version of this program has written"});
    }
    at = record.next;
  }
  found_.closed = (batch.flags & BatchHeader::kClosing) != 0 && batch.incarnation == newest_;
  found_.batches += 1;
  found_.records += batch.records;
  found_.bytes += batch.length;
  visitor_.OnProgress(done_bytes_ + at, all_bytes_);
  return {};
}

// Whether the segment behind `file` begins exactly where the log stands: then what follows in `file` itself
// was left by an earlier life.
bool Walk::GoesOnInNext(const FoundFile& file) const {
  for (const FoundFile& next : segment_files_) {
    if (next.sequence != file.sequence + 1) continue;
    const auto mapped = Map(next);
    if (!mapped) return false;
    const auto header = DecodeSegmentHeader(mapped->bytes, found_.store.log_id);
    if (header) return Unfit(*mapped, header).empty() && header->base == end_;
    const auto worked_out = WorkOutHeader(*mapped);
    return worked_out && worked_out->base == end_;
  }
  return false;
}

// The next place from which the log can be followed again.
std::optional<uint64_t> Walk::NextBatch(std::span<const char> bytes, Lsn base, uint64_t from) const {
  for (uint64_t at = from + kRecordAlignment; at + kBatchHeaderBytes <= bytes.size();
       at += kRecordAlignment) {
    if (LoadLittle<uint32_t>(bytes.data() + at + BatchHeader::kMagicOffset) != BatchHeader::kMagic) continue;
    if (LoadLittle<uint64_t>(bytes.data() + at + BatchHeader::kBaseOffset) != Value(base + at)) continue;
    BatchReader reader = *reader_;
    if (reader.Read(bytes, base, at)) return at;
  }
  return std::nullopt;
}

// What stands behind the last batch of a segment that should go on: nothing, a batch that was begun, or
// traces of more.
void Walk::LookBehindEnd() {
  torn_batch_ = false;
  if (found_.closed || found_.segments.empty()) return;
  const SegmentFacts& segment = found_.segments.back();
  const std::span<const char> rest = last_.bytes.subspan(std::min<uint64_t>(segment.end, last_.bytes.size()));
  if (segment.end + kBatchHeaderBytes <= std::min<uint64_t>(last_.bytes.size(), segment.header.capacity)) {
    const auto header = DecodeBatchHeader(rest.data(), found_.store.log_id);
    torn_batch_ = header ? header->base == end_ && reader_->WhyNot(header->incarnation).empty()
                         : IsDamagedHeader(rest.data(), end_, found_.store.log_id);
    if (torn_batch_) traces_.end = std::max(traces_.end, end_ + kBatchHeaderBytes);
  }
  Search(rest);
}

// All that stands behind the log as far as it was read, as an opening looks at it where it stops.
void Walk::SearchBehind() {
  if (found_.segments.empty()) return;
  const SegmentFacts& last = found_.segments.back();
  for (const FoundFile& file : segment_files_) {
    if (file.sequence < last.header.sequence) continue;
    const auto mapped = Map(file);
    if (!mapped) continue;
    const uint64_t from = file.sequence == last.header.sequence ? last.end : 0;
    Search(mapped->bytes.subspan(std::min<uint64_t>(from, mapped->bytes.size())));
  }
}

// Gives the furthest byte of a batch that is found, as Traces has it.
Lsn Walk::Search(std::span<const char> bytes) {
  Traces found;
  SearchBatches(bytes, found_.store.log_id, reader_->incarnation(), newest_, &found);
  traces_.claimed = std::max(traces_.claimed, found.claimed);
  traces_.end = std::max(traces_.end, found.end);
  traces_.incarnation = std::max(traces_.incarnation, found.incarnation);
  traces_.unknown_incarnation = traces_.unknown_incarnation || found.unknown_incarnation;
  return found.end;
}

void Walk::AddHole(Remedy remedy, const std::string& path, uint64_t offset, std::string what, Lsn lsn,
                   size_t segment) {
  if (holes_.empty()) SearchBehind();
  holes_.push_back({.finding = {.kind = Kind::kTornTail,
                                .remedy = remedy,
                                .path = path,
                                .offset = offset,
                                .what = std::move(what)},
                    .lsn = lsn,
                    .segment = segment,
                    .records_before = found_.records,
                    .bytes_before = found_.bytes});
}

// Torn tail or damage? The highest LSN that anything calls durable decides, for each place.
void Walk::Judge() {
  LookBehindEnd();
  const Lsn claimed = std::max({found_.store.durable, reader_->claimed(), traces_.claimed});
  const Lsn furthest = std::max({claimed, traces_.end, end_});
  if (found_.segments.empty()) {
    AddHole(Remedy::kCut, found_.directory + "/" + SegmentName(found_.store.first_sequence), 0,
            "the log's first segment is missing or damaged" + skipped_, end_, 0);
    holes_.back().finding.kind = Kind::kDamage;
  } else if (claimed > end_ || traces_.end > end_ || torn_batch_) {
    std::string what = end_why_ + skipped_;
    if (claimed > end_)
      what += "; the log was durable up to " + std::to_string(claimed - end_) + " bytes further";
    AddHole(Remedy::kCut, found_.segments.back().path, found_.segments.back().end, std::move(what), end_,
            found_.segments.size() - 1);
  }
  if (!store_read_) {
    found_.store.durable = claimed;
    // The latest life that anything speaks of, or it would be older than the log again.
    found_.store.incarnation = std::max({reader_->incarnation(), traces_.incarnation, uint64_t{1}});
    found_.findings.push_back(
        {Kind::kDamage, Remedy::kRebuildStore, found_.directory + "/STORE", 0, store_damage_});
  }
  const Hole* cut = nullptr;
  for (Hole& hole : holes_) {
    if (hole.lsn < claimed) {
      hole.finding.kind = Kind::kDamage;
    } else if (hole.bytes_before == found_.bytes && traces_.end <= hole.lsn && !torn_batch_) {
      continue;  // a segment was begun behind it, and holds nothing: it ends there as well as further on
    } else if (hole.finding.remedy == Remedy::kRebuildHeader) {
      // The header goes out with the segment's first batch: a torn write of which the batch arrived.
      hole.segment -= 1;
      hole.finding.remedy = Remedy::kCut;
      hole.finding.path = found_.segments[hole.segment].path;
      hole.finding.offset = found_.segments[hole.segment].end;
    }
    if (hole.finding.remedy == Remedy::kCut && cut == nullptr) cut = &hole;
    found_.findings.push_back(hole.finding);
  }
  found_.cut_segment = found_.segments.empty() ? 0 : found_.segments.size() - 1;
  found_.cut_offset = found_.segments.empty() ? 0 : found_.segments.back().end;
  if (cut == nullptr) return;
  found_.cut_segment = cut->segment;
  found_.cut_offset = cut->finding.offset;
  found_.records_behind = found_.records - cut->records_before;
  found_.bytes_behind = furthest - cut->lsn;
}

}  // namespace

bool StoreFindings::Has(Finding::Kind kind) const {
  return std::any_of(findings.begin(), findings.end(),
                     [kind](const Finding& finding) { return finding.kind == kind; });
}

Result<StoreFindings> WalkStore(FileSystem& files, const std::string& directory, StoreVisitor& visitor) {
  Walk walk(files, directory, visitor, "");
  auto found = walk.Run();
  if (!found || !walk.store_is_old()) return found;
  StoreVisitor nobody;  // what could be shown has been
  return Walk(files, directory, nobody, "it is older than the log: batches are there of a later opening")
      .Run();
}

}  // namespace sluice::storage
