// The file that holds the process id while the server runs.
#pragma once

#include <optional>
#include <string>

namespace sluice::admin {

class PidFile {
 public:
  PidFile() = default;
  // Removes the file, if it is still the one that Write() made.
  ~PidFile();
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

  // Replaces what an earlier life left. An error text where it cannot be written.
  std::optional<std::string> Write(const std::string& path);

 private:
  std::string path_;
};

}  // namespace sluice::admin
