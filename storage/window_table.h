// What is known of windows of mapped memory: bounded, and forgetful where two want the same row.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace sluice::storage {

class WindowTable {
 public:
  struct Row {
    const char* begin = nullptr;
    uint64_t seen_until_ms = 0;   // it was in memory, and counts as being there until then; 0: never seen
    uint64_t missed_by = 0;       // the call that has met with it away
    uint64_t asked_until_ms = 0;  // it is being fetched ahead; asked for again only from then on
    bool leads_on = false;        // who reads here is a reason to fetch what comes behind
  };

  // The row of the window that begins at `begin`: a new one where another window had its place.
  Row& At(const char* begin) {
    if (rows_ == nullptr) rows_ = std::make_unique<std::array<Row, kRows>>();
    Row& row = (*rows_)[Place(begin)];
    if (row.begin != begin) row = Row{.begin = begin};
    return row;
  }
  // Whether it was seen in memory, be it long ago.
  bool Knows(const char* begin) const {
    if (rows_ == nullptr) return false;
    const Row& row = (*rows_)[Place(begin)];
    return row.begin == begin && row.seen_until_ms != 0;
  }

 private:
  static constexpr size_t kRowBits = 12;
  static constexpr size_t kRows = size_t{1} << kRowBits;

  static size_t Place(const char* begin) {
    return (reinterpret_cast<uintptr_t>(begin) * 0x9E3779B97F4A7C15u) >> (64 - kRowBits);
  }

  std::unique_ptr<std::array<Row, kRows>> rows_;  // none until something is read from a file
};

}  // namespace sluice::storage
