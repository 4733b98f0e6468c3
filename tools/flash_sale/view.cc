#include "tools/flash_sale/view.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace sluice::flash_sale {
namespace {

size_t TerminalWidth() {
  winsize size{};
  constexpr size_t kUsual = 80;
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

}  // namespace

View::View(bool quiet)
    : quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) != 0 && std::getenv("TERM") != nullptr),
      colours_(terminal_ && std::getenv("NO_COLOR") == nullptr) {}

View::~View() {
  if (drawn_ > 0) std::fputs("\n", stderr);
}

void View::Show(double bar, const std::string& headline, const std::vector<std::string>& lines,
                const std::string& summary) {
  if (quiet_) return;
  const auto now = Clock::now();
  if (now - last_ < (terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(1000))) return;
  last_ = now;
  if (!terminal_) {
    std::fprintf(stderr, "%s\n", summary.c_str());
    return;
  }
  constexpr size_t kCells = 50;
  const auto full = static_cast<size_t>(std::clamp(bar, 0.0, 1.0) * kCells);
  char percent[16];
  std::snprintf(percent, sizeof percent, " %5.1f %%", std::clamp(bar, 0.0, 1.0) * 100);
  frame_ = {headline, "[" + std::string(full, '#') + std::string(kCells - full, '.') + "]" + percent};
  frame_.insert(frame_.end(), lines.begin(), lines.end());
  Clear();
  Draw();
}

void View::Say(const std::string& what) {
  if (quiet_) return;
  Clear();
  std::fprintf(stderr, "%s\n", what.c_str());
  if (terminal_) Draw();
}

void View::Clear() {
  if (drawn_ == 0) return;
  // The cursor stands at the end of the last line.
  std::string out = "\r\033[K";
  for (size_t i = 1; i < drawn_; ++i) out += "\033[A\033[K";
  std::fputs(out.c_str(), stderr);
  drawn_ = 0;
}

void View::Draw() {
  const size_t width = TerminalWidth();
  std::string out;
  for (size_t i = 0; i < frame_.size(); ++i) {
    // A line that wraps would be two to go back over.
    const std::string line = frame_[i].substr(0, width - 1);
    if (i > 0) out += '\n';
    out += colours_ && i == 0 ? "\033[1m" + line + "\033[0m" : line;
  }
  std::fputs(out.c_str(), stderr);
  drawn_ = frame_.size();
}

std::string Grouped(uint64_t n) {
  std::string text = std::to_string(n);
  for (size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string Milliseconds(double ms) {
  char text[32];
  std::snprintf(text, sizeof text, ms < 10 ? "%.2f" : ms < 100 ? "%.1f" : "%.0f", ms);
  return text;
}

}  // namespace sluice::flash_sale
