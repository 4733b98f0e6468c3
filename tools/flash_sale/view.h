// How a run goes, as somebody watches it: on a terminal some lines that are written over, elsewhere one line
// a second.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace sluice::flash_sale {

class View {
 public:
  // `quiet`: nothing but Say() is written, and that not either.
  explicit View(bool quiet);
  // What was shown stays.
  ~View();
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  bool terminal() const { return terminal_; }

  // One state of things. `bar` from 0 to 1; `lines` below it. `summary`: all of it in one line, where there
  // is no terminal. Bounded: at most ten times a second, or once a second.
  void Show(double bar, const std::string& headline, const std::vector<std::string>& lines,
            const std::string& summary);
  // Something that happened, and stays above.
  void Say(const std::string& what);

 private:
  using Clock = std::chrono::steady_clock;
  void Clear();
  void Draw();

  bool quiet_;
  bool terminal_;
  bool colours_;
  std::vector<std::string> frame_;
  size_t drawn_ = 0;  // lines that stand on the terminal
  Clock::time_point last_{};
};

// 1234567 as 1,234,567.
std::string Grouped(uint64_t n);
// Milliseconds with a sensible number of digits.
std::string Milliseconds(double ms);

}  // namespace sluice::flash_sale
