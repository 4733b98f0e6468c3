// What the log needs of files. PosixFileSystem is the real one; MemoryFileSystem forgets, tears and fails on
// request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/result.h"

namespace sluice::storage {

// An open file. Offsets and lengths are in bytes. One thread at a time, except that Sync() may run beside the
// rest: it covers the writes that had returned when it was called.
class File {
 public:
  virtual ~File() = default;

  // Reads up to `into.size()` bytes; fewer only at the end of the file.
  virtual Result<size_t> ReadAt(uint64_t offset, std::span<char> into) = 0;
  // Writes all of `bytes` or fails: kFull where there is no space. Durable only after Sync().
  virtual Result<void> WriteAt(uint64_t offset, std::span<const char> bytes) = 0;
  // Writes `blocks` and right behind them `last` (either may be empty). With `durable` these bytes, and only
  // these, are on stable storage when it returns (RWF_DSYNC). A failure of a durable write is final, as for
  // Sync().
  virtual Result<void> WriteBlocks(uint64_t offset, std::span<const char> blocks, std::span<const char> last,
                                   bool durable) = 0;
  // fdatasync: what was written before is on stable storage. A failure is final: never call it again.
  virtual Result<void> Sync() = 0;
  // Makes the file at least `bytes` long with its blocks allocated (fallocate); new bytes read as zero.
  virtual Result<void> Allocate(uint64_t bytes) = 0;
  virtual Result<uint64_t> Size() = 0;
  // The first `bytes` bytes for reading, until this object and the returned memory are both let go. Bytes
  // past the end of the file are not touched by the caller.
  virtual Result<std::shared_ptr<const char>> Map(uint64_t bytes) = 0;
  // The kernel's descriptor, for io_uring; -1 where no kernel file stands behind.
  virtual int fd() const = 0;
};

struct OpenMode {
  bool create = false;     // create it where it is missing
  bool exclusive = false;  // with create: fail where it exists
  bool read_only = false;
  bool direct = false;  // O_DIRECT: whole, aligned blocks only. kInvalid where the file system refuses it
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) = 0;
  virtual Result<void> Rename(const std::string& from, const std::string& to) = 0;
  virtual Result<void> Remove(const std::string& path) = 0;
  virtual Result<void> CreateDirectory(const std::string& path) = 0;  // and its parents; fine where it exists
  virtual Result<std::vector<std::string>> List(const std::string& directory) = 0;  // names, sorted
  virtual Result<void> SyncDirectory(const std::string& directory) = 0;
  // Holds an exclusive lock on `path` (created where missing) until the returned object dies; kInUse where
  // taken.
  virtual Result<std::shared_ptr<void>> Lock(const std::string& path) = 0;
  virtual Result<uint64_t> FreeBytes(const std::string& directory) = 0;
  // How long the files in `directory` are, all together.
  virtual Result<uint64_t> UsedBytes(const std::string& directory) = 0;
};

}  // namespace sluice::storage
