// The STORE file: which log this is, and how often it has been opened.
#pragma once

#include <string>

#include "storage/file_system.h"
#include "storage/format.h"

namespace sluice::storage {

// What the STORE file in `directory` says. Changes nothing; kCorrupt and kInvalid, naming the file, as
// DecodeStoreHeader() has it.
Result<StoreHeader> ReadStoreFile(FileSystem& files, const std::string& directory);

class StoreFile {
 public:
  StoreFile(FileSystem& files, std::string directory) : files_(files), directory_(std::move(directory)) {}

  // Reads the file, or creates it with incarnation 0 and `new_log_id` where the directory holds no store.
  // kCorrupt where it does not parse, and where there are segments without it: a log is never taken for a new
  // one.
  Result<void> Open(uint64_t new_log_id);

  // Replaces the file with `header`, durably: after a crash it holds either the old one or this one.
  Result<void> Write(const StoreHeader& header);

  const StoreHeader& header() const { return header_; }

 private:
  FileSystem& files_;
  std::string directory_;
  StoreHeader header_;
};

}  // namespace sluice::storage
