#include "storage/posix_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "storage/buffer.h"
#include "storage/check.h"
#include "storage/mapped_files.h"

namespace sluice::storage {
namespace {

off_t Offset(uint64_t bytes) {
  return static_cast<off_t>(bytes);
}

}  // namespace

tl::unexpected<Error> SystemError(int error_number, const std::string& what, const std::string& path) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT;
  return tl::make_unexpected(Error{full ? Error::Code::kFull : Error::Code::kIo,
                                   what + " " + path + ": " + std::generic_category().message(error_number)});
}

PosixFile::~PosixFile() {
  close(descriptor_);
}

Result<size_t> PosixFile::ReadAt(uint64_t offset, std::span<char> into) {
  size_t done = 0;
  while (done < into.size()) {
    const ssize_t got = pread(descriptor_, into.data() + done, into.size() - done, Offset(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError(errno, "read", path_);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

Result<void> PosixFile::WriteAt(uint64_t offset, std::span<const char> bytes) {
  return WriteBlocks(offset, bytes, {}, false);
}

Result<void> PosixFile::WriteBlocks(uint64_t offset, std::span<const char> blocks, std::span<const char> last,
                                    bool durable) {
  int flags = durable ? RWF_DSYNC : 0;
  while (!blocks.empty() || !last.empty()) {
    const std::array<iovec, 2> vectors{VectorOf(blocks), VectorOf(last)};
    const ssize_t wrote = pwritev2(descriptor_, vectors.data(), 2, Offset(offset), flags);
    if (wrote < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (wrote < 0 && errno == EOPNOTSUPP && flags != 0) {
      flags = 0;  // some sandboxes know no flags: a sync behind the write says the same
      continue;
    }
    if (wrote < 0) return SystemError(errno, "write", path_);
    if (wrote == 0) return SystemError(EIO, "write", path_);
    const auto advance = static_cast<size_t>(wrote);
    offset += advance;
    const size_t from_blocks = std::min(advance, blocks.size());
    blocks = blocks.subspan(from_blocks);
    last = last.subspan(advance - from_blocks);
  }
  if (durable && flags == 0) return Sync();
  return {};
}

Result<void> PosixFile::Sync() {
  if (fdatasync(descriptor_) != 0) return SystemError(errno, "sync", path_);
  return {};
}

Result<void> PosixFile::Allocate(uint64_t bytes) {
  int failed = 0;
  do {
    failed = fallocate(descriptor_, 0, 0, Offset(bytes)) == 0 ? 0 : errno;
  } while (failed == EINTR);
  if (failed == 0) return {};
  if (failed != EOPNOTSUPP) return SystemError(failed, "allocate", path_);
  // No fallocate here: only writing takes hold of the space, and it must be held before anything is recorded.
  auto size = Size();
  if (!size) return tl::make_unexpected(size.error());
  return *size < bytes ? WriteZeros(*size, bytes) : Result<void>{};
}

Result<void> PosixFile::WriteZeros(uint64_t from, uint64_t to) {
  constexpr uint64_t kChunkBytes = 1 << 20;
  auto zeros = AllocateBuffer(kChunkBytes);
  if (!zeros) return tl::make_unexpected(zeros.error());
  while (from < to) {
    const uint64_t bytes = std::min(kChunkBytes, to - from);
    if (auto wrote = WriteAt(from, {zeros->get(), bytes}); !wrote) return wrote;
    from += bytes;
  }
  return {};
}

Result<uint64_t> PosixFile::Size() {
  struct stat status {};
  if (fstat(descriptor_, &status) != 0) return SystemError(errno, "stat", path_);
  return static_cast<uint64_t>(status.st_size);
}

Result<std::shared_ptr<const char>> PosixFile::Map(uint64_t bytes) {
  CHECK(bytes > 0);
  void* mapped = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, descriptor_, 0);
  if (mapped == MAP_FAILED) return SystemError(errno, "map", path_);
  const size_t number = MappedFiles::Add(mapped, bytes, path_);
  return std::shared_ptr<const char>(static_cast<const char*>(mapped), [bytes, number](const char* memory) {
    MappedFiles::Remove(number);
    munmap(const_cast<char*>(memory), bytes);
  });
}

}  // namespace sluice::storage
