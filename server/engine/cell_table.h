// Cells of one type by number, and a dump of them that later changes cannot blur.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "storage/check.h"

namespace sluice::engine {

// Cells lie in chunks that never move, so growing costs one chunk and no copy, and a cell's number and
// address are its own for as long as the table lives. Which cells are free is the owner's business.
//
// A dump shows every cell as it was when the dump began, in slices: a chunk that is about to change is handed
// out first. Each chunk is handed out once, in any order; those that were dropped before are not.
template <typename Cell, size_t kChunkCells = 64>
class CellTable {
 public:
  // `cells` are those numbered from `first` on; they live for the call only.
  using Dump = std::function<void(uint32_t first, std::span<const Cell> cells)>;

  // Cells ever added; the next one's number.
  uint32_t size() const { return size_; }

  const Cell& operator[](uint32_t number) const {
    return chunks_[number / kChunkCells][number % kChunkCells];
  }

  // The cell, to be changed now.
  Cell& Change(uint32_t number) {
    const size_t chunk = number / kChunkCells;
    if (dump_ != nullptr) [[unlikely]]
      HandOut(chunk);
    return chunks_[chunk][number % kChunkCells];
  }

  // Adds a value-initialised cell and returns its number.
  uint32_t Add() {
    if (size_ == chunks_.size() * kChunkCells) chunks_.push_back(std::make_unique<Cell[]>(kChunkCells));
    return size_++;
  }
  // Forgets every cell and gives their memory back, save one chunk's. A dump under way has nothing more to
  // hand out: the owner has changed every cell that meant something since it began.
  void Clear() {
    if (dump_ != nullptr) dump_->next = dump_->done.size(), dump_->done.assign(dump_->next, true);
    if (chunks_.size() > 1) {
      chunks_.resize(1);
      chunks_.shrink_to_fit();
    }
    if (!chunks_.empty()) chunks_[0] = std::make_unique<Cell[]>(kChunkCells);
    size_ = 0;
    dropped_ = 0;
  }

  // Ends the cells of the chunk that begins with cell `first` and gives its memory back: none of them may be
  // touched until RenewChunk(first) makes them anew, value-initialised.
  void DropChunk(uint32_t first) {
    const size_t chunk = first / kChunkCells;
    if (dump_ != nullptr) [[unlikely]]
      HandOut(chunk);
    chunks_[chunk].reset();
    ++dropped_;
  }
  void RenewChunk(uint32_t first) {
    const size_t chunk = first / kChunkCells;
    // It was not there when a dump began, or has been handed out: so the dump has no more to do with it.
    if (dump_ != nullptr && chunk < dump_->done.size()) dump_->done[chunk] = true;
    chunks_[chunk] = std::make_unique<Cell[]>(kChunkCells);
    --dropped_;
  }

  // Of a table that nobody needs any more: as FreeSome() of dropped.h.
  bool FreeSome(size_t& pieces) {
    constexpr size_t kInChunk = std::is_trivially_destructible_v<Cell> ? 1 : 1 + kChunkCells / 4;
    for (; !chunks_.empty() && pieces > 0; pieces -= std::min(pieces, kInChunk)) chunks_.pop_back();
    return !chunks_.empty();
  }

  // Begins a dump of the cells that there are now. None is under way.
  void BeginDump(Dump dump) {
    CHECK(dump_ == nullptr);
    const size_t chunks = (size_ + kChunkCells - 1) / kChunkCells;
    dump_ = std::make_unique<DumpState>(
        DumpState{.dump = std::move(dump), .cells = size_, .done = std::vector<bool>(chunks)});
  }
  // Hands out up to `chunks` more chunks; false where all are handed out: the dump has ended.
  bool ContinueDump(size_t chunks) {
    if (dump_ == nullptr) return false;
    for (; dump_->next < dump_->done.size() && chunks > 0; ++dump_->next) {
      if (HandOut(dump_->next)) --chunks;
    }
    if (dump_->next < dump_->done.size()) return true;
    dump_.reset();
    return false;
  }
  // Ends the dump as it stands, if one is under way.
  void AbandonDump() { dump_.reset(); }

  size_t memory_bytes() const {
    return (chunks_.size() - dropped_) * kChunkCells * sizeof(Cell) + chunks_.size() * sizeof(chunks_[0]);
  }

 private:
  struct DumpState {
    Dump dump;
    uint32_t cells;  // that there were
    size_t next = 0;
    std::vector<bool> done;  // by chunk
  };

  // False where it has been handed out before.
  bool HandOut(size_t chunk) {
    if (chunk >= dump_->done.size() || dump_->done[chunk]) return false;
    dump_->done[chunk] = true;
    if (chunks_[chunk] == nullptr) return true;
    const auto first = static_cast<uint32_t>(chunk * kChunkCells);
    const size_t count = std::min<size_t>(kChunkCells, dump_->cells - first);
    dump_->dump(first, {chunks_[chunk].get(), count});
    return true;
  }

  std::vector<std::unique_ptr<Cell[]>> chunks_;
  uint32_t size_ = 0;
  size_t dropped_ = 0;  // chunks without memory
  std::unique_ptr<DumpState> dump_;
};

}  // namespace sluice::engine
