// A queue in one piece of memory.
#pragma once

#include <cstddef>
#include <iterator>
#include <type_traits>
#include <utility>
#include <vector>

#include <absl/container/inlined_vector.h>

namespace sluice::engine {

// Grows at the back, shrinks at the front, is read at any place. What has been taken from the front is moved
// over only once it is half of all: amortized, taking costs O(1). Up to `kOwn` items take no memory of their
// own; while it is empty the queue keeps room for a few, if it had any: it is likely to have as many again.
template <typename T, size_t kOwn = 0>
class ArrayQueue {
  using Items = std::conditional_t<kOwn == 0, std::vector<T>, absl::InlinedVector<T, kOwn == 0 ? 1 : kOwn>>;

 public:
  bool empty() const { return front_ == items_.size(); }
  size_t size() const { return items_.size() - front_; }
  T& operator[](size_t i) { return items_[front_ + i]; }
  const T& operator[](size_t i) const { return items_[front_ + i]; }
  T& back() { return items_.back(); }
  const T& back() const { return items_.back(); }

  auto begin() { return items_.begin() + static_cast<std::ptrdiff_t>(front_); }
  auto end() { return items_.end(); }
  auto begin() const { return items_.begin() + static_cast<std::ptrdiff_t>(front_); }
  auto end() const { return items_.end(); }

  template <typename... Arguments>
  T& emplace_back(Arguments&&... arguments) {
    return items_.emplace_back(std::forward<Arguments>(arguments)...);
  }
  void push_back(const T& item) { items_.push_back(item); }

  // Takes the first `count` away. Their memory is given back at once where they own any.
  void pop_front(size_t count) {
    for (size_t i = front_; i < front_ + count; ++i) [[maybe_unused]] const T gone = std::move(items_[i]);
    front_ += count;
    if (empty()) return clear();
    if (front_ * 2 < items_.size()) return;
    items_.erase(items_.begin(), begin());
    front_ = 0;
  }
  void pop_back() {
    items_.pop_back();
    if (empty()) clear();
  }
  void clear() {
    if (items_.capacity() > kKept) {
      items_ = Items();
    } else {
      items_.clear();
    }
    front_ = 0;
  }

  // Beside itself.
  size_t memory_bytes() const { return items_.capacity() <= kOwn ? 0 : items_.capacity() * sizeof(T); }

 private:
  static constexpr size_t kKept = kOwn == 0 ? 2 : kOwn;

  size_t front_ = 0;
  Items items_;
};

}  // namespace sluice::engine
