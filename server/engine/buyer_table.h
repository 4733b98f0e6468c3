// Who bought how many: millions of short names and a count each.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "server/engine/cell_table.h"
#include "server/engine/step_index.h"

namespace sluice::engine {

// Buyers are numbered in the order in which they came and never leave. Names lie packed in blocks, so a buyer
// of 16 bytes costs about 45 bytes in all.
class BuyerTable {
 public:
  explicit BuyerTable(uint64_t hash_seed) : seed_(hash_seed) {}

  size_t size() const { return buyers_.size(); }
  // How many `user` holds; 0 for a stranger.
  uint64_t CountOf(std::string_view user) const;
  void Add(std::string_view user, uint64_t quantity);

  std::string_view NameAt(size_t i) const { return buyers_[static_cast<uint32_t>(i)].Name(); }
  uint64_t CountAt(size_t i) const { return buyers_[static_cast<uint32_t>(i)].count; }

  // A buyer; the name lives as long as the table.
  struct Buyer {
    const char* name;
    uint32_t name_bytes;
    uint32_t count;

    std::string_view Name() const { return {name, name_bytes}; }
  };
  // Shows the buyers that there are now, some at a time, in any order, whatever is bought meanwhile.
  using Dump = CellTable<Buyer>::Dump;
  void BeginDump(Dump dump) { buyers_.BeginDump(std::move(dump)); }
  // Shows some more; false where all have been shown.
  bool ContinueDump() { return buyers_.ContinueDump(1); }
  // For a table that is filled from a dump: there are `count` buyers, all of which are to be named with
  // Restore(), each once. False where that name or number has come before.
  void BeginRestore(uint32_t count);
  bool Restore(uint32_t number, std::string_view user, uint32_t count);

  size_t memory_bytes() const;

 private:
  std::string_view Keep(std::string_view name);

  uint64_t seed_;
  StepIndex index_;
  CellTable<Buyer> buyers_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t block_used_ = 0;
  size_t block_size_ = 0;
  size_t name_bytes_ = 0;
};

}  // namespace sluice::engine
