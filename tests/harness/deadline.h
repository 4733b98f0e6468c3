// A limit on every wait: a test that hangs tells nothing.
#pragma once

#include <algorithm>
#include <chrono>

namespace sluice::tests {

class Deadline {
 public:
  explicit Deadline(std::chrono::milliseconds limit) : end_(std::chrono::steady_clock::now() + limit) {}

  bool over() const { return std::chrono::steady_clock::now() >= end_; }
  // For poll(2): 0 once it is over.
  int left_ms() const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - std::chrono::steady_clock::now());
    return static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
  }

 private:
  std::chrono::steady_clock::time_point end_;
};

// Longer than anything takes on a loaded machine under a sanitizer, shorter than ctest's own limit.
inline constexpr std::chrono::seconds kPatience{30};

}  // namespace sluice::tests
