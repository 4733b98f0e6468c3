#include "tools/plain_files.h"

#include <climits>
#include <filesystem>

#include "storage/format.h"

namespace sluice::tools {

std::string NotPlain(const std::string& directory) {
  if (directory.size() >= PATH_MAX) return "the path is too long";
  std::error_code failed;
  if (!std::filesystem::is_directory(directory, failed)) {
    return directory + ": " + (failed ? failed.message() : "not a directory");
  }
  std::filesystem::directory_iterator entry(directory, failed);
  for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    if (name != "STORE" && name != "LOCK" && !storage::SegmentSequence(name)) continue;
    std::error_code ignored;
    if (!entry->is_regular_file(ignored)) return directory + "/" + name + ": not a regular file";
  }
  return failed ? directory + ": " + failed.message() : "";
}

}  // namespace sluice::tools
