// A file system whose writes cost nothing, so that what is above it can be measured alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "storage/file_system.h"

namespace sluice::tests {

// Files keep the first blocks that are written to them (headers, the STORE file) and forget the rest: enough
// to open an empty store and to record, not to read back.
class VanishingFileSystem : public storage::FileSystem {
 public:
  template <typename T>
  using Result = storage::Result<T>;

  Result<std::unique_ptr<storage::File>> Open(const std::string& path, storage::OpenMode mode) override {
    const bool missing = !files_.contains(path);
    if (missing && !mode.create) return Missing(path);
    if (missing) files_[path] = std::make_shared<std::string>();
    return std::make_unique<VanishingFile>(files_[path]);
  }
  Result<void> Rename(const std::string& from, const std::string& to) override {
    files_[to] = files_[from];
    files_.erase(from);
    return {};
  }
  Result<void> Remove(const std::string& path) override {
    files_.erase(path);
    return {};
  }
  Result<void> CreateDirectory(const std::string&) override { return {}; }
  Result<std::vector<std::string>> List(const std::string& directory) override {
    std::vector<std::string> names;
    for (const auto& [path, bytes] : files_) names.push_back(path.substr(directory.size() + 1));
    return names;
  }
  Result<void> SyncDirectory(const std::string&) override { return {}; }
  Result<std::shared_ptr<void>> Lock(const std::string&) override { return std::make_shared<int>(0); }
  Result<uint64_t> FreeBytes(const std::string&) override { return UINT64_MAX; }
  Result<uint64_t> UsedBytes(const std::string&) override { return 0; }

 private:
  static constexpr uint64_t kKept = 8192;

  class VanishingFile : public storage::File {
   public:
    explicit VanishingFile(std::shared_ptr<std::string> bytes) : bytes_(std::move(bytes)) {}
    Result<size_t> ReadAt(uint64_t offset, std::span<char> into) override {
      const size_t count = offset < bytes_->size() ? std::min(into.size(), bytes_->size() - offset) : 0;
      std::copy_n(bytes_->data() + offset, count, into.data());
      return count;
    }
    Result<void> WriteAt(uint64_t offset, std::span<const char> bytes) override {
      if (offset >= kKept) return {};
      const size_t count = std::min<size_t>(bytes.size(), kKept - offset);
      if (bytes_->size() < offset + count) bytes_->resize(offset + count);
      std::copy_n(bytes.data(), count, bytes_->data() + offset);
      return {};
    }
    Result<void> WriteBlocks(uint64_t offset, std::span<const char> blocks, std::span<const char> last,
                             bool) override {
      return WriteAt(offset, blocks).and_then([&] { return WriteAt(offset + blocks.size(), last); });
    }
    Result<void> Sync() override { return {}; }
    Result<void> Allocate(uint64_t) override { return {}; }
    Result<uint64_t> Size() override { return bytes_->size(); }
    Result<std::shared_ptr<const char>> Map(uint64_t bytes) override {
      // Zeros that take no memory until somebody looks at them.
      std::shared_ptr<char> copy(static_cast<char*>(std::calloc(bytes, 1)), std::free);
      std::copy_n(bytes_->data(), std::min<size_t>(bytes, bytes_->size()), copy.get());
      return copy;
    }
    int fd() const override { return -1; }

   private:
    std::shared_ptr<std::string> bytes_;
  };

  static tl::unexpected<storage::Error> Missing(const std::string& path) {
    return tl::make_unexpected(storage::Error{storage::Error::Code::kInvalid, path + ": no such file"});
  }

  std::map<std::string, std::shared_ptr<std::string>> files_;
};

}  // namespace sluice::tests
