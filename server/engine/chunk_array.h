// An array that only grows.
#pragma once

#include <bit>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "storage/pages.h"

namespace sluice::engine {

// Elements lie in chunks that never move, of which the pages are taken that are touched. They are small
// pages: a huge one takes milliseconds where a virtual machine's host has to find it first, and nobody who
// adds may wait for that.
template <typename T>
class ChunkArray {
 public:
  ChunkArray() = default;
  ChunkArray(ChunkArray&& other) noexcept
      : chunks_(std::exchange(other.chunks_, {})), size_(std::exchange(other.size_, 0)) {}
  ChunkArray& operator=(ChunkArray&& other) noexcept {
    std::swap(chunks_, other.chunks_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~ChunkArray() {
    for (size_t i = 0; i < size_; ++i) std::destroy_at(&(*this)[i]);
    for (T* chunk : chunks_) storage::DeleteChunk(reinterpret_cast<char*>(chunk));
  }

  size_t size() const { return size_; }
  T& operator[](size_t i) { return chunks_[i / kInChunk][i % kInChunk]; }
  const T& operator[](size_t i) const { return chunks_[i / kInChunk][i % kInChunk]; }

  // Adds a value-initialised element.
  void Add() {
    if (size_ == chunks_.size() * kInChunk) {
      chunks_.reserve(chunks_.size() + 1);
      chunks_.push_back(reinterpret_cast<T*>(storage::NewChunk()));
    }
    std::construct_at(&(*this)[size_]);
    ++size_;
  }

 private:
  static constexpr size_t kInChunk = std::bit_floor(storage::kHugePageBytes / sizeof(T));

  std::vector<T*> chunks_;
  size_t size_ = 0;
};

}  // namespace sluice::engine
