// A file system with a bug: it says that all is well where it is not. What a planted bug in the log would do,
// done below it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/file_system.h"

namespace sluice::storage {

enum class Lie : uint8_t {
  kNone,
  kSyncErrors,      // a sync or durable write that failed is called done
  kSyncs,           // no sync is made at all
  kDirectorySyncs,  // nor of a directory
};

class LyingFile : public File {
 public:
  LyingFile(std::unique_ptr<File> file, Lie lie) : file_(std::move(file)), lie_(lie) {}

  Result<size_t> ReadAt(uint64_t offset, std::span<char> into) override {
    return file_->ReadAt(offset, into);
  }
  Result<void> WriteAt(uint64_t offset, std::span<const char> bytes) override {
    return file_->WriteAt(offset, bytes);
  }
  Result<void> WriteBlocks(uint64_t offset, std::span<const char> blocks, std::span<const char> last,
                           bool durable) override {
    return Tell(file_->WriteBlocks(offset, blocks, last, durable && lie_ != Lie::kSyncs));
  }
  Result<void> Sync() override { return lie_ == Lie::kSyncs ? Result<void>{} : Tell(file_->Sync()); }
  Result<void> Allocate(uint64_t bytes) override { return file_->Allocate(bytes); }
  Result<uint64_t> Size() override { return file_->Size(); }
  Result<std::shared_ptr<const char>> Map(uint64_t bytes) override { return file_->Map(bytes); }
  int fd() const override { return file_->fd(); }

 private:
  Result<void> Tell(Result<void> truth) const { return lie_ == Lie::kSyncErrors ? Result<void>{} : truth; }

  std::unique_ptr<File> file_;
  Lie lie_;
};

class LyingFileSystem : public FileSystem {
 public:
  LyingFileSystem(FileSystem& files, Lie lie) : files_(files), lie_(lie) {}

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    return files_.Open(path, mode).map([this](std::unique_ptr<File> file) -> std::unique_ptr<File> {
      return std::make_unique<LyingFile>(std::move(file), lie_);
    });
  }
  Result<void> Rename(const std::string& from, const std::string& to) override {
    return files_.Rename(from, to);
  }
  Result<void> Remove(const std::string& path) override { return files_.Remove(path); }
  Result<void> CreateDirectory(const std::string& path) override { return files_.CreateDirectory(path); }
  Result<std::vector<std::string>> List(const std::string& directory) override {
    return files_.List(directory);
  }
  Result<void> SyncDirectory(const std::string& directory) override {
    return lie_ == Lie::kDirectorySyncs ? Result<void>{} : files_.SyncDirectory(directory);
  }
  Result<std::shared_ptr<void>> Lock(const std::string& path) override { return files_.Lock(path); }
  Result<uint64_t> FreeBytes(const std::string& directory) override { return files_.FreeBytes(directory); }
  Result<uint64_t> UsedBytes(const std::string& directory) override { return files_.UsedBytes(directory); }

 private:
  FileSystem& files_;
  const Lie lie_;
};

}  // namespace sluice::storage
