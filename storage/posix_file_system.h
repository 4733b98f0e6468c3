// The real file system.
#pragma once

#include "storage/file_system.h"

namespace sluice::storage {

class PosixFileSystem : public FileSystem {
 public:
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  Result<void> Rename(const std::string& from, const std::string& to) override;
  Result<void> Remove(const std::string& path) override;
  // Syncs the parent of each directory that it makes: a store must not vanish as a whole.
  Result<void> CreateDirectory(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& directory) override;
  Result<void> SyncDirectory(const std::string& directory) override;
  Result<std::shared_ptr<void>> Lock(const std::string& path) override;
  Result<uint64_t> FreeBytes(const std::string& directory) override;
  Result<uint64_t> UsedBytes(const std::string& directory) override;
};

}  // namespace sluice::storage
