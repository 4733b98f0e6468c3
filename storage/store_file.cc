#include "storage/store_file.h"

#include <algorithm>
#include <array>

namespace sluice::storage {
namespace {

constexpr const char* kName = "STORE";
constexpr const char* kNewName = "STORE.new";

}  // namespace

Result<void> StoreFile::Open(uint64_t new_log_id) {
  auto names = files_.List(directory_);
  if (!names) return tl::make_unexpected(names.error());
  if (std::find(names->begin(), names->end(), kName) != names->end()) {
    return ReadStoreFile(files_, directory_).map([this](const StoreHeader& header) { header_ = header; });
  }
  for (const std::string& name : *names) {
    if (!SegmentSequence(name)) continue;
    return tl::make_unexpected(
        Error{Error::Code::kCorrupt, directory_ + "/" + name +
                                         " is a log's segment, but the STORE file that belongs "
                                         "to it is missing"});
  }
  return Write({.log_id = new_log_id});
}

Result<StoreHeader> ReadStoreFile(FileSystem& files, const std::string& directory) {
  const std::string path = directory + "/" + kName;
  auto file = files.Open(path, {.read_only = true});
  if (!file) return tl::make_unexpected(file.error());
  std::array<char, StoreHeader::kBytes + 1> bytes;  // one more, to see a file that is too long
  auto size = (*file)->ReadAt(0, bytes);
  if (!size) return tl::make_unexpected(size.error());
  auto header = DecodeStoreHeader({bytes.data(), *size});
  if (header) return header;
  return tl::make_unexpected(Error{header.error().code, path + ", offset 0: " + header.error().message});
}

Result<void> StoreFile::Write(const StoreHeader& header) {
  std::array<char, StoreHeader::kBytes> bytes;
  Encode(header, bytes);
  const std::string new_path = directory_ + "/" + kNewName;
  auto file = files_.Open(new_path, {.create = true});
  if (!file) return tl::make_unexpected(file.error());
  return (*file)
      ->WriteAt(0, bytes)
      .and_then([&] { return (*file)->Sync(); })
      .and_then([&] { return files_.Rename(new_path, directory_ + "/" + kName); })
      .and_then([&] { return files_.SyncDirectory(directory_); })
      .map([&] { header_ = header; });
}

}  // namespace sluice::storage
