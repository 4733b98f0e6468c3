// A file of the kernel's.
#pragma once

#include <sys/uio.h>

#include <span>
#include <string>

#include "storage/file_system.h"

namespace sluice::storage {

// `what` the kernel refused, of which file, and why, as an error: kFull where `error_number` speaks of space.
tl::unexpected<Error> SystemError(int error_number, const std::string& what, const std::string& path);

// As the calls that write want them.
inline iovec VectorOf(std::span<const char> bytes) {
  return {const_cast<char*>(bytes.data()), bytes.size()};
}

class PosixFile : public File {
 public:
  // Owns `descriptor`. `path` is for messages.
  PosixFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  ~PosixFile() override;
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  Result<size_t> ReadAt(uint64_t offset, std::span<char> into) override;
  Result<void> WriteAt(uint64_t offset, std::span<const char> bytes) override;
  Result<void> WriteBlocks(uint64_t offset, std::span<const char> blocks, std::span<const char> last,
                           bool durable) override;
  Result<void> Sync() override;
  Result<void> Allocate(uint64_t bytes) override;
  Result<uint64_t> Size() override;
  Result<std::shared_ptr<const char>> Map(uint64_t bytes) override;
  int fd() const override { return descriptor_; }

 private:
  Result<void> WriteZeros(uint64_t from, uint64_t to);

  int descriptor_;
  std::string path_;
};

}  // namespace sluice::storage
