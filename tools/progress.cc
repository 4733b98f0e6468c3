#include "tools/progress.h"

#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <string>

namespace sluice::tools {

Progress::Progress(const char* verb) : verb_(verb), terminal_(isatty(STDERR_FILENO) != 0) {}

void Progress::Show(uint64_t bytes, uint64_t of_bytes) {
  constexpr auto kPause = std::chrono::milliseconds(100);
  constexpr uint64_t kCells = 30;
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ || of_bytes == 0 || (shown_ && now - last_ < kPause)) return;
  last_ = now;
  shown_ = true;
  const uint64_t percent = bytes >= of_bytes ? 100 : bytes * 100 / of_bytes;
  const auto full = static_cast<size_t>(percent * kCells / 100);
  const std::string bar = std::string(full, '#') + std::string(kCells - full, '.');
  std::fprintf(stderr, "\r\033[K[%s] %s %" PRIu64 " %% of %" PRIu64 " MiB", bar.c_str(), verb_, percent,
               of_bytes >> 20);
}

void Progress::Clear() {
  if (!shown_) return;
  std::fputs("\r\033[K", stderr);
  shown_ = false;
}

}  // namespace sluice::tools
