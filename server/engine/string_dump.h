// A long string, shown a stretch at a time while it goes on changing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::engine {

class StringDump {
 public:
  static constexpr size_t kPart = 32 * 1024;
  // Each stretch is shown once, in any order.
  using Dump = std::function<void(uint64_t offset, std::string_view bytes)>;

  // `value` stays where it is until it is taken over.
  StringDump(const std::string& value, Dump dump)
      : value_(&value), size_(value.size()), dump_(std::move(dump)), shown_((size_ + kPart - 1) / kPart) {}

  // Bytes from `offset` on are about to be overwritten.
  void BeforeWrite(uint64_t offset, size_t bytes);
  // The value is about to end as a whole: the dump has it from now on, and `value` is empty.
  void TakeOver(std::string& value);
  // Shows one stretch; false where all have been.
  bool Continue();

 private:
  void Show(size_t part);

  const std::string* value_;
  size_t size_;  // at the beginning
  Dump dump_;
  std::vector<bool> shown_;
  size_t next_ = 0;
  std::string own_;
};

}  // namespace sluice::engine
