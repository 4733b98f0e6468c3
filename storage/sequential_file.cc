#include "storage/sequential_file.h"

#include <algorithm>
#include <utility>

#include "storage/buffer.h"
#include "storage/format.h"

namespace sluice::storage {
namespace {

// Large enough for a system call and a disk's answer to count little.
constexpr size_t kPieceBytes = 1 << 20;

}  // namespace

Result<SequentialFile> SequentialFile::Open(FileSystem& files, const std::string& path, OpenMode mode,
                                            bool direct) {
  SequentialFile opened;
  auto file = files.Open(path, mode);
  if (!file) return tl::make_unexpected(file.error());
  opened.file = std::move(*file);
  if (!direct) return opened;
  auto past_cache = files.Open(path, {.read_only = mode.read_only, .direct = true});
  if (past_cache) opened.direct = std::move(*past_cache);
  return opened;
}

Result<char*> SequentialWriter::Room(size_t bytes) {
  if (bytes > capacity_ - used_) {
    const size_t capacity = AlignUp(std::max(used_ + bytes, kPieceBytes * 5 / 4), kBlockBytes);
    auto buffer = AllocateBuffer(capacity);
    if (!buffer) return tl::make_unexpected(buffer.error());
    std::copy_n(buffer_.get(), used_, buffer->get());
    buffer_ = std::move(*buffer);
    capacity_ = capacity;
  }
  return buffer_.get() + used_;
}

Result<void> SequentialWriter::Append(size_t bytes) {
  used_ += bytes;
  return used_ < kPieceBytes ? Result<void>{} : WriteBlocks();
}

Result<void> SequentialWriter::WriteBlocks() {
  const size_t whole = AlignDown(used_, kBlockBytes);
  if (whole == 0) return {};
  if (auto wrote = file_.for_blocks().WriteAt(written_, {buffer_.get(), whole}); !wrote) return wrote;
  std::copy(buffer_.get() + whole, buffer_.get() + used_, buffer_.get());
  written_ += whole;
  used_ -= whole;
  return {};
}

Result<void> SequentialWriter::Finish() {
  if (auto wrote = WriteBlocks(); !wrote) return wrote;
  if (auto wrote = file_.file->WriteAt(written_, {buffer_.get(), used_}); !wrote) return wrote;
  return Sync();
}

Result<std::span<const char>> SequentialReader::At(uint64_t offset, uint64_t bytes) {
  if (offset >= bytes_) return std::span<const char>{};
  const uint64_t end = offset + std::min(bytes, bytes_ - offset);
  if (offset < begin_ || end > end_) {
    if (auto loaded = Load(AlignDown(offset, kBlockBytes), end); !loaded) {
      return tl::make_unexpected(loaded.error());
    }
    if (offset >= end_) return std::span<const char>{};  // it has become shorter meanwhile
  }
  return std::span<const char>(buffer_.get() + (offset - begin_), std::min(end, end_) - offset);
}

// From `from` on, a block's beginning, at least to `end`, which is in the file.
Result<void> SequentialReader::Load(uint64_t from, uint64_t end) {
  const uint64_t wanted = std::min(std::max<uint64_t>(end - from, kPieceBytes), bytes_ - from);
  if (wanted > capacity_) {
    capacity_ = AlignUp(std::max<uint64_t>(wanted, kPieceBytes), kBlockBytes);
    auto buffer = AllocateBuffer(capacity_);
    if (!buffer) return tl::make_unexpected(buffer.error());
    buffer_ = std::move(*buffer);
  }
  begin_ = end_ = from;
  const uint64_t whole = AlignDown(wanted, kBlockBytes);
  auto got = file_.for_blocks().ReadAt(from, {buffer_.get(), whole});
  if (got && *got == whole) {
    end_ += whole;
    got = file_.file->ReadAt(end_, {buffer_.get() + whole, wanted - whole});
  }
  if (!got) return tl::make_unexpected(got.error());
  end_ += *got;
  return {};
}

}  // namespace sluice::storage
