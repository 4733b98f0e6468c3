#include "storage/checkpoint_reader.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::storage {
Result<std::vector<uint64_t>> FindCheckpoints(FileSystem& files, const std::string& directory,
                                              std::vector<std::string>* unfinished) {
  auto names = files.List(directory);
  if (!names) return tl::make_unexpected(names.error());
  std::vector<uint64_t> found;
  for (const std::string& name : *names) {
    bool is_unfinished = false;
    const auto sequence = CheckpointSequence(name, &is_unfinished);
    if (!sequence) continue;
    if (is_unfinished) {
      unfinished->push_back(name);
    } else {
      found.push_back(*sequence);
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

Result<CheckpointReader> CheckpointReader::Open(FileSystem& files, const std::string& directory,
                                                uint64_t sequence, uint64_t log_id) {
  std::string path = directory + "/" + CheckpointName(sequence);
  auto file = files.Open(path, {.read_only = true});
  if (!file) return tl::make_unexpected(file.error());
  auto size = (*file)->Size();
  if (!size) return tl::make_unexpected(size.error());
  std::array<char, CheckpointHeader::kBytes> bytes;
  auto read = (*file)->ReadAt(0, bytes);
  if (!read) return tl::make_unexpected(read.error());
  auto header = DecodeCheckpointHeader({bytes.data(), *read});
  if (!header) return tl::make_unexpected(Error{header.error().code, path + ": " + header.error().message});
  if (header->log_id != log_id) return CorruptAt(path, 24, "it belongs to another log");
  if (header->sequence != sequence) return CorruptAt(path, 32, "it was written as another checkpoint");
  return CheckpointReader(std::move(*file), std::move(path), *size, *header);
}

Result<CheckpointBlock> CheckpointReader::ReadBlock(uint64_t offset, std::string* bytes) {
  bytes->resize(CheckpointBlock::kHeaderBytes);
  auto read = file_->ReadAt(offset, *bytes);
  if (!read) return tl::make_unexpected(read.error());
  if (*read < bytes->size()) return CorruptAt(path_, offset, "the file ends before its last block");
  const CheckpointBlock block = LoadCheckpointBlock(bytes->data());
  // What the length claims is not believed beyond the file.
  if (block.length > file_bytes_ - offset - CheckpointBlock::kHeaderBytes)
    return CorruptAt(path_, offset, "a block reaches beyond the file");
  bytes->resize(CheckpointBlock::kHeaderBytes + block.length);
  const std::span<char> payload(bytes->data() + CheckpointBlock::kHeaderBytes, block.length);
  read = file_->ReadAt(offset + CheckpointBlock::kHeaderBytes, payload);
  if (!read) return tl::make_unexpected(read.error());
  if (*read < payload.size()) return CorruptAt(path_, offset, "a block reaches beyond the file");
  const uint64_t checksum = ChecksumOfCheckpoint(header_)(Lsn{offset}, bytes->data() + sizeof block.checksum,
                                                          bytes->size() - sizeof block.checksum);
  if (checksum != block.checksum) return CorruptAt(path_, offset, "a block's checksum does not match");
  return block;
}

Result<void> CheckpointReader::Read(const Take& take, uint64_t* records) {
  CheckpointEnd counted;
  std::string bytes;
  for (uint64_t offset = CheckpointHeader::kBytes;;) {
    const auto block = ReadBlock(offset, &bytes);
    if (!block) return tl::make_unexpected(block.error());
    const std::string_view payload = std::string_view(bytes).substr(CheckpointBlock::kHeaderBytes);
    if (block->type == CheckpointBlock::kEnd) {
      if (payload.size() != CheckpointEnd::kBytes)
        return CorruptAt(path_, offset, "the last block is not one");
      const CheckpointEnd end = LoadCheckpointEnd(payload.data());
      *records = counted.records = end.records;
      if (end != counted) return CorruptAt(path_, offset, "blocks are missing");
      if (offset + bytes.size() != file_bytes_)
        return CorruptAt(path_, offset, "something follows the last block");
      return {};
    }
    if (block->type != CheckpointBlock::kRecords) {
      return tl::make_unexpected(Error{Error::Code::kInvalid, path_ + ", offset " + std::to_string(offset) +
                                                                  ": a block of a later version"});
    }
    if (auto taken = take(payload); !taken) return CorruptAt(path_, offset, taken.error().message);
    ++counted.blocks;
    counted.bytes += payload.size();
    offset += bytes.size();
  }
}

}  // namespace sluice::storage
