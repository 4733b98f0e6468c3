#include "storage/segment_rewriter.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "storage/batch_reader.h"
#include "storage/checksum.h"
#include "storage/format.h"
#include "storage/sidecar_maker.h"

namespace sluice::storage {
namespace {

constexpr uint64_t kBatchBytes = 256 << 10;  // a batch is closed beyond so many

// Puts records behind each other, in batches, as a segment's file holds them.
class BatchPacker {
 public:
  // Room for `most_bytes` is asked for at once: what is not written takes no memory.
  BatchPacker(const SegmentHeader& header, uint64_t epoch, uint64_t most_bytes)
      : header_(header), epoch_(epoch), checksum_(header.log_id, header.incarnation) {
    bytes_.reserve(most_bytes);
    bytes_.resize(kSegmentHeaderBytes);
    Begin();
  }

  void Add(std::string_view body) {
    const uint64_t at = bytes_.size();
    const uint64_t whole = RecordBytes(body.size());
    bytes_.resize(at + whole, '\0');
    char* record = bytes_.data() + at;
    std::copy(body.begin(), body.end(), record + kRecordHeaderBytes);
    StoreLittle(record + 8, static_cast<uint32_t>(body.size()));
    StoreLittle(record + 12, RecordHeader::kEvents);
    const uint64_t sum = checksum_(header_.base + at, record + 8, whole - 8);
    StoreLittle(record, sum);
    digest_ = FoldDigest(digest_, sum);
    ++records_;
    if (bytes_.size() - begin_ >= kBatchBytes) {
      Close();
      Begin();
    }
  }

  // The whole file: at least one batch, if an empty one.
  std::string Finish(uint64_t log_end) {
    Close();
    header_.end = bytes_.size();
    header_.log_end = log_end;
    Encode(header_, std::span<char, kSegmentHeaderBytes>(bytes_.data(), kSegmentHeaderBytes));
    return std::move(bytes_);
  }

 private:
  void Begin() {
    begin_ = bytes_.size();
    bytes_.resize(begin_ + kBatchHeaderBytes, '\0');
    records_ = 0;
    digest_ = 0;
  }
  void Close() {
    const Lsn base = header_.base + begin_;
    Encode(BatchHeader{.base = base,
                       .durable = base,
                       .incarnation = header_.incarnation,
                       .epoch = epoch_,
                       .digest = digest_,
                       .length = static_cast<uint32_t>(bytes_.size() - begin_),
                       .records = records_},
           header_.log_id, bytes_.data() + begin_);
  }

  SegmentHeader header_;
  const uint64_t epoch_;
  const Checksum checksum_;
  std::string bytes_;
  uint64_t begin_ = 0;
  uint32_t records_ = 0;
  uint64_t digest_ = 0;
};

tl::unexpected<Error> GivenUp() {
  return tl::make_unexpected(Error{Error::Code::kInvalid, "given up"});
}

// The new file's bytes.
Result<std::string> Pack(const SealedSegment& segment, std::span<const char> old, const Judge& judge,
                         const Progress& progress) {
  auto header = DecodeSegmentHeader(old, segment.identity.log_id);
  if (!header) return CorruptAt(segment.path, 0, header.error().message);
  BatchReader reader(segment.identity.log_id, UINT64_MAX);
  if (!judge) {
    const auto first = reader.ReadHeader(old, segment.identity.base, kSegmentHeaderBytes);
    return BatchPacker(*header, first ? first->epoch : 1, 0).Finish(segment.log_end);
  }
  std::string replacement;
  uint64_t at = kSegmentHeaderBytes;
  std::optional<BatchPacker> packer;
  while (at < segment.identity.end) {
    const auto batch = reader.Read(old.first(segment.identity.end), segment.identity.base, at);
    if (!batch) return CorruptAt(segment.path, at, batch.error().message);
    if (!packer) packer.emplace(*header, batch->epoch, segment.identity.end);
    at += kBatchHeaderBytes;
    for (uint32_t i = 0; i < batch->records; ++i) {
      const RecordView record = ReadRecord(old.data(), at);
      const Lsn lsn = segment.compacted() ? segment.end_lsn() : segment.identity.base + record.body_offset;
      switch (judge(lsn, record.body, &replacement)) {
        case Fate::kKeep:
          packer->Add(record.body);
          break;
        case Fate::kReplace:
          packer->Add(replacement);
          break;
        case Fate::kDrop:
          break;
      }
      at = record.next;
    }
    if (!progress(batch->length)) return GivenUp();
  }
  if (!packer) packer.emplace(*header, 1, 0);
  return packer->Finish(segment.log_end);
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
  auto bytes = Pack(segment, {old->get(), segment.identity.end}, judge, progress);
  if (!bytes) return fail(bytes.error());

  const std::string unfinished = segment.path + ".new";
  (void)files.Remove(unfinished);
  auto made = files.Open(unfinished, {.create = true});
  if (!made) return fail(made.error());
  constexpr size_t kPiece = 1 << 20;
  Result<void> written;
  for (size_t at = 0; written && at < bytes->size(); at += kPiece) {
    const std::string_view piece = std::string_view(*bytes).substr(at, kPiece);
    written = (*made)->WriteAt(at, piece);
    if (written && !progress(piece.size())) written = GivenUp();
  }
  if (written) written = (*made)->Sync();
  if (written) written = files.Rename(unfinished, segment.path);
  if (!written) {
    (void)files.Remove(unfinished);
    return fail(written.error());
  }
  // From here on a crash leaves the old file or the new one, and either will do.
  const std::string directory = segment.path.substr(0, segment.path.rfind('/'));
  if (auto synced = files.SyncDirectory(directory); !synced) return fail(synced.error());
  auto mapped = (*made)->Map(bytes->size());
  if (!mapped) return fail(mapped.error());
  SidecarIdentity identity = segment.identity;
  identity.end = bytes->size();
  auto index = SidecarMaker(files, directory, visit).Make({.identity = identity, .data = *mapped});
  if (!index) return fail(index.error());
  return RewrittenSegment{.sequence = segment.identity.sequence,
                          .data = std::move(*mapped),
                          .end = bytes->size(),
                          .index = std::move(*index),
                          .bytes_before = *size,
                          .bytes_after = bytes->size()};
}

}  // namespace sluice::storage
