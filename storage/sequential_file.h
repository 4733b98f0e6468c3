// Files that are written, or read, once from their front to their end: in large pieces, and past the page
// cache where the file system takes O_DIRECT. Nobody reads them soon, so what the cache would hold of them is
// not worth what it costs: several times the CPU of the writing itself.
//
// Whole blocks go past the cache; what is left at the end of a file, less than one, goes through it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "storage/file_system.h"

namespace sluice::storage {

// A file, and the same for whole blocks.
struct SequentialFile {
  std::unique_ptr<File> file;
  std::unique_ptr<File> direct;  // null: `file` takes all

  // `direct`: whether the page cache is to be passed, if the file system agrees.
  static Result<SequentialFile> Open(FileSystem& files, const std::string& path, OpenMode mode, bool direct);
  File& for_blocks() const { return direct ? *direct : *file; }
};

// After an error nothing more may be asked of it. One thread.
class SequentialWriter {
 public:
  explicit SequentialWriter(SequentialFile file) : file_(std::move(file)) {}

  // Room for the next `bytes`; valid until the next call.
  Result<char*> Room(size_t bytes);
  // So many bytes that were put there come next in the file. Written with the piece that they fill.
  Result<void> Append(size_t bytes);
  // What is written is on stable storage; a piece that is not full waits.
  Result<void> Sync() { return file_.file->Sync(); }
  // All is written, and on stable storage.
  Result<void> Finish();

  // Of the file, when all is written.
  uint64_t bytes() const { return written_ + used_; }

 private:
  Result<void> WriteBlocks();

  SequentialFile file_;
  uint64_t written_ = 0;  // whole blocks
  std::shared_ptr<char> buffer_;
  size_t capacity_ = 0;
  size_t used_ = 0;  // of the buffer
};

// One thread.
class SequentialReader {
 public:
  // `bytes`: how long the file is.
  SequentialReader(SequentialFile file, uint64_t bytes) : file_(std::move(file)), bytes_(bytes) {}

  uint64_t bytes() const { return bytes_; }
  // What stands at `offset`: `bytes` of it, or as many as the file has. Valid until the next call. Going back
  // costs a read.
  Result<std::span<const char>> At(uint64_t offset, uint64_t bytes);

 private:
  Result<void> Load(uint64_t from, uint64_t end);

  SequentialFile file_;
  uint64_t bytes_;
  std::shared_ptr<char> buffer_;
  uint64_t capacity_ = 0;
  uint64_t begin_ = 0;  // of what the buffer holds
  uint64_t end_ = 0;
};

}  // namespace sluice::storage
