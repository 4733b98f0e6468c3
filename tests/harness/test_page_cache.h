// A page cache that has only what was brought into it, and loses it on request.
#pragma once

#include <cstdint>
#include <set>

#include "storage/page_cache.h"

namespace sluice::tests {

// One thread: for cold reads without a background.
class TestPageCache : public storage::PageCache {
 public:
  bool Has(std::span<const char> memory) override {
    ++asked;
    for (uintptr_t page = PageOf(memory.data()); page <= PageOf(&memory.back()); ++page) {
      if (!pages_.contains(page)) return false;
    }
    return true;
  }
  void Announce(std::span<const char>) override {}
  void BringIn(std::span<const char> memory) override {
    if (full) return;
    for (uintptr_t page = PageOf(memory.data()); page <= PageOf(&memory.back()); ++page) pages_.insert(page);
  }

  void DropAll() { pages_.clear(); }

  uint64_t asked = 0;  // calls of Has()
  bool full = false;   // the kernel drops everything at once

 private:
  static constexpr uintptr_t kPageBytes = 4096;
  static uintptr_t PageOf(const char* at) { return reinterpret_cast<uintptr_t>(at) / kPageBytes; }

  std::set<uintptr_t> pages_;
};

}  // namespace sluice::tests
