// Finds and reads the checkpoints of a store.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/checkpoint_format.h"
#include "storage/file_system.h"
#include "storage/sequential_file.h"

namespace sluice::storage {

// What a store's directory holds, by sequence number, ascending. `unfinished` gets the names of those that
// are not whole. Nothing where the directory does not exist.
Result<std::vector<uint64_t>> FindCheckpoints(FileSystem& files, const std::string& directory,
                                              std::vector<std::string>* unfinished);

class CheckpointReader {
 public:
  // Opens the checkpoint `sequence` of the log `log_id`. kCorrupt where its header does not verify or is
  // another's. `direct_io`: see SequentialFile.
  static Result<CheckpointReader> Open(FileSystem& files, const std::string& directory, uint64_t sequence,
                                       uint64_t log_id, bool direct_io = false);

  const CheckpointHeader& header() const { return header_; }
  uint64_t file_bytes() const { return file_.bytes(); }
  const std::string& path() const { return path_; }

  // Reads every block of records, in order, once it has been verified; ends with the first error of `take`.
  // kCorrupt, naming file and offset, where something does not verify or is missing. `records`: how many the
  // file says it holds. kMessages: `take` gets the blocks alone that may say what messages there are; all are
  // verified.
  enum class Part : uint8_t { kAll, kMessages };
  using Take = std::function<Result<void>(std::string_view block)>;
  Result<void> Read(const Take& take, uint64_t* records, Part part = Part::kAll);

 private:
  CheckpointReader(SequentialReader file, std::string path, CheckpointHeader header)
      : file_(std::move(file)), path_(std::move(path)), header_(header) {}
  Result<CheckpointBlock> ReadBlock(uint64_t offset, std::string_view* payload);

  SequentialReader file_;
  std::string path_;
  CheckpointHeader header_;
};

}  // namespace sluice::storage
