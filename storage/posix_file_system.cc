#include "storage/posix_file_system.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "storage/posix_file.h"

namespace sluice::storage {
namespace {

constexpr mode_t kFileMode = 0640;
constexpr mode_t kDirectoryMode = 0750;

// -1 and errno where the kernel refuses.
int OpenDescriptor(const std::string& path, int flags) {
  int descriptor = -1;
  do {
    descriptor = open(path.c_str(), flags | O_CLOEXEC, kFileMode);
  } while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

std::string Parent(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

}  // namespace

Result<std::unique_ptr<File>> PosixFileSystem::Open(const std::string& path, OpenMode mode) {
  int flags = mode.read_only ? O_RDONLY : O_RDWR;
  if (mode.create) flags |= O_CREAT;
  if (mode.exclusive) flags |= O_EXCL;
  if (mode.direct) flags |= O_DIRECT;
  const int descriptor = OpenDescriptor(path, flags);
  if (descriptor < 0 && errno == EINVAL && mode.direct) {
    return tl::make_unexpected(Error{Error::Code::kInvalid, "open " + path + ": no direct I/O here"});
  }
  if (descriptor < 0) return SystemError(errno, "open", path);
  return std::make_unique<PosixFile>(descriptor, path);
}

Result<void> PosixFileSystem::Rename(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0) return SystemError(errno, "rename", from + " to " + to);
  return {};
}

Result<void> PosixFileSystem::Remove(const std::string& path) {
  if (unlink(path.c_str()) != 0) return SystemError(errno, "remove", path);
  return {};
}

Result<void> PosixFileSystem::CreateDirectory(const std::string& path) {
  std::error_code failed;
  if (path.empty() || std::filesystem::is_directory(path, failed)) return {};
  const std::string parent = Parent(path);
  if (auto made = CreateDirectory(parent); !made) return made;
  if (mkdir(path.c_str(), kDirectoryMode) != 0 && errno != EEXIST)
    return SystemError(errno, "create directory", path);
  return SyncDirectory(parent);
}

Result<std::vector<std::string>> PosixFileSystem::List(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code failed;
  std::filesystem::directory_iterator entry(directory, failed);
  for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
    names.push_back(entry->path().filename().string());
  }
  if (failed) return SystemError(failed.value(), "list", directory);
  std::sort(names.begin(), names.end());
  return names;
}

Result<void> PosixFileSystem::SyncDirectory(const std::string& directory) {
  const int descriptor = OpenDescriptor(directory, O_RDONLY | O_DIRECTORY);
  if (descriptor < 0) return SystemError(errno, "open directory", directory);
  const int failed = fsync(descriptor) == 0 ? 0 : errno;
  close(descriptor);
  if (failed != 0) return SystemError(failed, "sync directory", directory);
  return {};
}

Result<std::shared_ptr<void>> PosixFileSystem::Lock(const std::string& path) {
  const int descriptor = OpenDescriptor(path, O_RDWR | O_CREAT);
  if (descriptor < 0) return SystemError(errno, "open", path);
  auto lock = std::make_shared<PosixFile>(descriptor, path);  // the lock goes with the descriptor
  if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return SystemError(errno, "lock", path);
  return tl::make_unexpected(
      Error{Error::Code::kInUse, "another server has this store open (it holds " + path + ")"});
}

Result<uint64_t> PosixFileSystem::FreeBytes(const std::string& directory) {
  struct statvfs status {};
  if (statvfs(directory.c_str(), &status) != 0) return SystemError(errno, "stat", directory);
  return static_cast<uint64_t>(status.f_bavail) * status.f_frsize;
}

Result<uint64_t> PosixFileSystem::UsedBytes(const std::string& directory) {
  uint64_t bytes = 0;
  std::error_code failed;
  std::filesystem::directory_iterator entry(directory, failed);
  for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
    std::error_code gone;  // while we looked
    const auto size = entry->is_regular_file(gone) ? entry->file_size(gone) : 0;
    if (!gone) bytes += size;
  }
  if (failed) return SystemError(failed.value(), "list", directory);
  return bytes;
}

}  // namespace sluice::storage
