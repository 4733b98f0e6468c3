#include "server/net/acl_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace sluice::net {
namespace {

constexpr size_t kMaxBytes = 16 * 1024 * 1024;

std::string Failure(const char* what, const std::string& path) {
  return "ACL file: cannot " + std::string(what) + " " + path + ": " + std::strerror(errno);
}

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

}  // namespace

tl::expected<std::string, std::string> ReadAclFile(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return tl::unexpected(Failure("open", path));
  std::string text;
  char piece[64 * 1024];
  for (;;) {
    const ssize_t count = read(file.get(), piece, sizeof piece);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return tl::unexpected(Failure("read", path));
    if (count == 0) return text;
    text.append(piece, static_cast<size_t>(count));
    if (text.size() > kMaxBytes) return tl::unexpected("ACL file: " + path + " has more than 16 MiB");
  }
}

std::optional<std::string> WriteAclFile(const std::string& path, std::string_view text) {
  const std::string fresh = path + ".tmp-" + std::to_string(getpid());
  {
    const Descriptor file(open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file.valid()) return Failure("create", fresh);
    if (!WriteAll(file.get(), text) || fsync(file.get()) != 0) {
      std::string error = Failure("write", fresh);
      unlink(fresh.c_str());
      return error;
    }
  }
  if (rename(fresh.c_str(), path.c_str()) != 0) {
    std::string error = Failure("replace", path);
    unlink(fresh.c_str());
    return error;
  }
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const Descriptor directory(open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid() || fsync(directory.get()) != 0) return Failure("make durable", path);
  return std::nullopt;
}

}  // namespace sluice::net
