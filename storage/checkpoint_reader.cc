#include "storage/checkpoint_reader.h"

#include <algorithm>
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
                                                uint64_t sequence, uint64_t log_id, bool direct_io) {
  std::string path = directory + "/" + CheckpointName(sequence);
  auto opened = SequentialFile::Open(files, path, {.read_only = true}, direct_io);
  if (!opened) return tl::make_unexpected(opened.error());
  auto size = opened->file->Size();
  if (!size) return tl::make_unexpected(size.error());
  SequentialReader file(std::move(*opened), *size);
  const auto bytes = file.At(0, CheckpointHeader::kBytes);
  if (!bytes) return tl::make_unexpected(bytes.error());
  auto header = DecodeCheckpointHeader(*bytes);
  if (!header) return tl::make_unexpected(Error{header.error().code, path + ": " + header.error().message});
  if (header->log_id != log_id) return CorruptAt(path, 24, "it belongs to another log");
  if (header->sequence != sequence) return CorruptAt(path, 32, "it was written as another checkpoint");
  return CheckpointReader(std::move(file), std::move(path), *header);
}

// `payload` is valid until the next call.
Result<CheckpointBlock> CheckpointReader::ReadBlock(uint64_t offset, std::string_view* payload) {
  auto bytes = file_.At(offset, CheckpointBlock::kHeaderBytes);
  if (!bytes) return tl::make_unexpected(bytes.error());
  if (bytes->size() < CheckpointBlock::kHeaderBytes)
    return CorruptAt(path_, offset, "the file ends before its last block");
  const CheckpointBlock block = LoadCheckpointBlock(bytes->data());
  // What the length claims is not believed beyond the file.
  const uint64_t all = CheckpointBlock::kHeaderBytes + uint64_t{block.length};
  bytes = file_.At(offset, all);
  if (!bytes) return tl::make_unexpected(bytes.error());
  if (bytes->size() < all) return CorruptAt(path_, offset, "a block reaches beyond the file");
  const uint64_t checksum = ChecksumOfCheckpoint(header_)(Lsn{offset}, bytes->data() + sizeof block.checksum,
                                                          bytes->size() - sizeof block.checksum);
  if (checksum != block.checksum) return CorruptAt(path_, offset, "a block's checksum does not match");
  *payload = std::string_view(bytes->data(), bytes->size()).substr(CheckpointBlock::kHeaderBytes);
  return block;
}

Result<void> CheckpointReader::Read(const Take& take, uint64_t* records, Part part) {
  CheckpointEnd counted;
  std::string_view payload;
  for (uint64_t offset = CheckpointHeader::kBytes;;) {
    const auto block = ReadBlock(offset, &payload);
    if (!block) return tl::make_unexpected(block.error());
    const uint64_t end_of_block = offset + CheckpointBlock::kHeaderBytes + payload.size();
    if (block->type == CheckpointBlock::kEnd) {
      if (payload.size() != CheckpointEnd::kBytes)
        return CorruptAt(path_, offset, "the last block is not one");
      const CheckpointEnd end = LoadCheckpointEnd(payload.data());
      *records = counted.records = end.records;
      if (end != counted) return CorruptAt(path_, offset, "blocks are missing");
      if (end_of_block != file_.bytes()) return CorruptAt(path_, offset, "something follows the last block");
      return {};
    }
    const bool plain = block->type == CheckpointBlock::kNoMessages;
    if (!plain && block->type != CheckpointBlock::kRecords) {
      return tl::make_unexpected(Error{Error::Code::kInvalid, path_ + ", offset " + std::to_string(offset) +
                                                                  ": a block of a later version"});
    }
    if (!plain || part == Part::kAll) {
      if (auto taken = take(payload); !taken) return CorruptAt(path_, offset, taken.error().message);
    }
    ++counted.blocks;
    counted.bytes += payload.size();
    offset = end_of_block;
  }
}

}  // namespace sluice::storage
