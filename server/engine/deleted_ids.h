// The entries that were deleted in the middle of a stream.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "server/engine/stream_id.h"

namespace sluice::engine {

// A sorted set of IDs that can count: how many lie below an ID, and which is the n-th. Sorted blocks of IDs,
// and over their sizes a tree of sums (Fenwick), so that every question is O(log n) and a change O(log n) and
// a block's length.
class DeletedIds {
 public:
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  bool contains(StreamId id) const;
  // How many are below `id`.
  size_t CountBelow(StreamId id) const;
  // The `n`-th, counted from 0; n < size().
  StreamId At(size_t n) const;

  // `id` is not among them.
  void Insert(StreamId id);
  // Lets go of all below `id`.
  void EraseBelow(StreamId id);
  void Clear();

  // What there is now, in order, for whoever wants to look at it later: O(blocks), whatever their length, and
  // each block that changes while it is held is copied once.
  using Block = std::vector<StreamId>;
  std::vector<std::shared_ptr<const Block>> Snapshot() const { return {blocks_.begin(), blocks_.end()}; }

  // As FreeSome() of dropped.h; nothing else may be asked of it then.
  bool FreeSome(size_t& pieces) {
    for (; !blocks_.empty() && pieces > 0; --pieces) blocks_.pop_back();
    return !blocks_.empty();
  }

  size_t memory_bytes() const { return size_ * sizeof(StreamId) * 4 / 3; }

 private:
  static constexpr size_t kMostInBlock = 256;

  // The first block whose last ID is at or above `id`; blocks_.size() where all are below.
  size_t BlockAt(StreamId id) const;
  size_t SumBefore(size_t block) const;  // IDs in all blocks before it
  void AddTo(size_t block, size_t count);
  void Rebuild();
  // The block, to be changed now: a copy where a snapshot holds it.
  Block& Change(size_t block);

  std::vector<std::shared_ptr<Block>> blocks_;  // none is empty
  std::vector<size_t> sums_;                    // Fenwick tree, from 1
  size_t size_ = 0;
};

}  // namespace sluice::engine
