#include "storage/segment_rewriter.h"

#include <array>
#include <utility>

#include "storage/batch_reader.h"
#include "storage/checksum.h"
#include "storage/format.h"
#include "storage/sidecar_maker.h"

namespace sluice::storage {
namespace {

constexpr uint64_t kBatchBytes = 256 << 10;  // a batch is closed beyond so many

tl::unexpected<Error> GivenUp() {
  return tl::make_unexpected(Error{Error::Code::kInvalid, "given up"});
}

// Writes a segment's file, batch after batch: there is one of them in memory.
class SegmentPacker {
 public:
  SegmentPacker(File& file, const SegmentHeader& header, uint64_t epoch, const Progress& progress)
      : file_(file),
        progress_(progress),
        header_(header),
        epoch_(epoch),
        checksum_(header.log_id, header.incarnation) {
    Begin();
  }

  Result<void> Add(std::string_view body) {
    const uint64_t at = bytes_.size();
    const uint64_t whole = RecordBytes(body.size());
    bytes_.append(kRecordHeaderBytes, '\0').append(body).append(at + whole - bytes_.size(), '\0');
    char* record = bytes_.data() + at;
    StoreLittle(record + 8, static_cast<uint32_t>(body.size()));
    StoreLittle(record + 12, RecordHeader::kEvents);
    const uint64_t sum = checksum_(header_.base + begin_ + at, record + 8, whole - 8);
    StoreLittle(record, sum);
    digest_ = FoldDigest(digest_, sum);
    ++records_;
    return bytes_.size() < kBatchBytes ? Result<void>() : Close();
  }

  // At least one batch, if an empty one, and the header. Where the file ends.
  Result<uint64_t> Finish(uint64_t log_end) {
    if (records_ != 0 || begin_ == kSegmentHeaderBytes) {
      if (auto closed = Close(); !closed) return tl::make_unexpected(closed.error());
    }
    header_.end = begin_;
    header_.log_end = log_end;
    std::array<char, kSegmentHeaderBytes> header{};
    Encode(header_, header);
    return file_.WriteAt(0, {header.data(), header.size()}).map([this] { return begin_; });
  }

 private:
  void Begin() {
    bytes_.assign(kBatchHeaderBytes, '\0');
    records_ = 0;
    digest_ = 0;
  }
  // Writes the batch that there is; the next one begins behind it.
  Result<void> Close() {
    const Lsn base = header_.base + begin_;
    Encode(BatchHeader{.base = base,
                       .durable = base,
                       .incarnation = header_.incarnation,
                       .epoch = epoch_,
                       .digest = digest_,
                       .length = static_cast<uint32_t>(bytes_.size()),
                       .records = records_},
           header_.log_id, bytes_.data());
    if (auto written = file_.WriteAt(begin_, bytes_); !written) return written;
    begin_ += bytes_.size();
    if (!progress_(bytes_.size())) return GivenUp();
    Begin();
    return {};
  }

  File& file_;
  const Progress& progress_;
  SegmentHeader header_;
  const uint64_t epoch_;
  const Checksum checksum_;
  std::string bytes_;  // of the batch
  uint64_t begin_ = kSegmentHeaderBytes;
  uint32_t records_ = 0;
  uint64_t digest_ = 0;
};

// Writes what is left of a segment; where that ends.
Result<uint64_t> Pack(const SealedSegment& segment, std::span<const char> old, const Judge& judge,
                      const Progress& progress, File& file) {
  auto header = DecodeSegmentHeader(old, segment.identity.log_id);
  if (!header) return CorruptAt(segment.path, 0, header.error().message);
  BatchReader reader(segment.identity.log_id, UINT64_MAX);
  const auto first = reader.ReadHeader(old, segment.identity.base, kSegmentHeaderBytes);
  SegmentPacker packer(file, *header, first ? first->epoch : 1, progress);
  std::string replacement;
  for (uint64_t at = kSegmentHeaderBytes; judge && at < segment.identity.end;) {
    const auto batch = reader.Read(old.first(segment.identity.end), segment.identity.base, at);
    if (!batch) return CorruptAt(segment.path, at, batch.error().message);
    at += kBatchHeaderBytes;
    for (uint32_t i = 0; i < batch->records; ++i) {
      const RecordView record = ReadRecord(old.data(), at);
      const Lsn lsn = segment.compacted() ? segment.end_lsn() : segment.identity.base + record.body_offset;
      const Fate fate = judge(lsn, record.body, &replacement);
      if (fate != Fate::kDrop) {
        auto added = packer.Add(fate == Fate::kKeep ? record.body : replacement);
        if (!added) return tl::make_unexpected(added.error());
      }
      at = record.next;
    }
    if (!progress(batch->length)) return GivenUp();
  }
  return packer.Finish(segment.log_end);
}

}  // namespace

Result<RewrittenSegment> RewriteSegment(FileSystem& files, const SealedSegment& segment, IndexVisitor visit,
                                        const Judge& judge, const Progress& progress) {
  const auto fail = [](Error& error) { return tl::make_unexpected(std::move(error)); };
  auto file = files.Open(segment.path, {.read_only = true});
  if (!file) return fail(file.error());
  auto size = (*file)->Size();
  if (!size) return fail(size.error());
  if (*size < segment.identity.end) return CorruptAt(segment.path, *size, "the file ends here");
  auto old = (*file)->Map(segment.identity.end);
  if (!old) return fail(old.error());

  const std::string unfinished = segment.path + ".new";
  (void)files.Remove(unfinished);
  auto made = files.Open(unfinished, {.create = true});
  if (!made) return fail(made.error());
  const auto end = Pack(segment, {old->get(), segment.identity.end}, judge, progress, **made);
  Result<void> written = end.map([](uint64_t) {});
  if (written) written = (*made)->Sync();
  if (written) written = files.Rename(unfinished, segment.path);
  if (!written) {
    (void)files.Remove(unfinished);
    return fail(written.error());
  }
  // From here on a crash leaves the old file or the new one, and either will do.
  const std::string directory = segment.path.substr(0, segment.path.rfind('/'));
  if (auto synced = files.SyncDirectory(directory); !synced) return fail(synced.error());
  auto mapped = (*made)->Map(*end);
  if (!mapped) return fail(mapped.error());
  SidecarIdentity identity = segment.identity;
  identity.end = *end;
  auto index = SidecarMaker(files, directory, visit).Make({.identity = identity, .data = *mapped});
  if (!index) return fail(index.error());
  return RewrittenSegment{.sequence = segment.identity.sequence,
                          .data = std::move(*mapped),
                          .end = *end,
                          .index = std::move(*index),
                          .bytes_before = *size,
                          .bytes_after = *end};
}

}  // namespace sluice::storage
