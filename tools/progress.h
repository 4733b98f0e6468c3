// How far a long piece of work has come, on a terminal.
#pragma once

#include <chrono>
#include <cstdint>

namespace sluice::tools {

// One line on standard error that is written over again and again; nothing where that is no terminal.
class Progress {
 public:
  // `verb`: "checked", as in "checked 43 % of 1234 MiB".
  explicit Progress(const char* verb);

  void Show(uint64_t bytes, uint64_t of_bytes);
  // Takes the line away, so that something else can be written.
  void Clear();

 private:
  const char* verb_;
  bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace sluice::tools
