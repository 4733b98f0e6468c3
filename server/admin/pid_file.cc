#include "server/admin/pid_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace sluice::admin {

std::optional<std::string> PidFile::Write(const std::string& path) {
  // Absolute, for at the end the process may stand elsewhere.
  std::error_code none;
  const std::string whole = std::filesystem::absolute(path, none).string();
  errno = 0;
  std::ofstream file(whole, std::ios::trunc);
  file << getpid() << '\n' << std::flush;
  if (!file) return "cannot write " + whole + ": " + std::strerror(errno);
  path_ = whole;
  return std::nullopt;
}

PidFile::~PidFile() {
  if (path_.empty()) return;
  std::ifstream file(path_);
  pid_t written = 0;
  if (file >> written && written == getpid()) unlink(path_.c_str());
}

}  // namespace sluice::admin
