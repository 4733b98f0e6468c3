// A byte string that lives in its owner as long as it is short.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sluice::engine {

// What tables hold by the million: names of up to `kInline` bytes cost nothing beside their cell, longer ones
// an allocation each. Stays where it is made: neither copied nor moved.
template <size_t kInline>
class SmallText {
  static_assert(kInline >= sizeof(char*));

 public:
  SmallText() = default;
  ~SmallText() { Clear(); }
  SmallText(const SmallText&) = delete;
  SmallText& operator=(const SmallText&) = delete;

  std::string_view view() const { return {size_ > kInline ? Heap() : bytes_, size_}; }
  size_t heap_bytes() const { return size_ > kInline ? size_ : 0; }

  void Assign(std::string_view text) {
    Clear();
    if (text.empty()) return;
    char* to = bytes_;
    if (text.size() > kInline) {
      to = new char[text.size()];
      std::memcpy(bytes_, &to, sizeof to);
    }
    std::memcpy(to, text.data(), text.size());
    size_ = static_cast<uint32_t>(text.size());
  }
  void Clear() {
    if (size_ > kInline) delete[] Heap();
    size_ = 0;
  }

 private:
  char* Heap() const {
    char* heap;
    std::memcpy(&heap, bytes_, sizeof heap);
    return heap;
  }

  uint32_t size_ = 0;
  char bytes_[kInline] = {};
};

}  // namespace sluice::engine
