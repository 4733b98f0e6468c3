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
  static_assert(kInline >= sizeof(char*) + sizeof(uint32_t) && kInline < 255);

 public:
  SmallText() = default;
  ~SmallText() { Clear(); }
  SmallText(const SmallText&) = delete;
  SmallText& operator=(const SmallText&) = delete;

  std::string_view view() const {
    return size_ != kOnHeap ? std::string_view(bytes_, size_) : std::string_view(Heap(), heap_bytes());
  }
  size_t heap_bytes() const {
    if (size_ != kOnHeap) return 0;
    uint32_t bytes;
    std::memcpy(&bytes, bytes_ + sizeof(char*), sizeof bytes);
    return bytes;
  }

  // At most 4 GiB.
  void Assign(std::string_view text) {
    Clear();
    if (text.empty()) return;
    if (text.size() <= kInline) {
      std::memcpy(bytes_, text.data(), text.size());
      size_ = static_cast<uint8_t>(text.size());
      return;
    }
    char* const heap = new char[text.size()];
    std::memcpy(heap, text.data(), text.size());
    const auto bytes = static_cast<uint32_t>(text.size());
    std::memcpy(bytes_, &heap, sizeof heap);
    std::memcpy(bytes_ + sizeof heap, &bytes, sizeof bytes);
    size_ = kOnHeap;
  }
  void Clear() {
    if (size_ == kOnHeap) delete[] Heap();
    size_ = 0;
  }

 private:
  static constexpr uint8_t kOnHeap = 255;  // `bytes_` hold where, and how many bytes there are

  char* Heap() const {
    char* heap;
    std::memcpy(&heap, bytes_, sizeof heap);
    return heap;
  }

  uint8_t size_ = 0;
  char bytes_[kInline] = {};
};

}  // namespace sluice::engine
