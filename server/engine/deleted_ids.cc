#include "server/engine/deleted_ids.h"

#include <algorithm>
#include <bit>

namespace sluice::engine {

size_t DeletedIds::BlockAt(StreamId id) const {
  const auto it = std::lower_bound(
      blocks_.begin(), blocks_.end(), id,
      [](const std::shared_ptr<Block>& block, StreamId wanted) { return block->back() < wanted; });
  return static_cast<size_t>(it - blocks_.begin());
}

bool DeletedIds::contains(StreamId id) const {
  const size_t b = BlockAt(id);
  return b != blocks_.size() && std::binary_search(blocks_[b]->begin(), blocks_[b]->end(), id);
}

size_t DeletedIds::CountBelow(StreamId id) const {
  const size_t b = BlockAt(id);
  if (b == blocks_.size()) return size_;
  const Block& in = *blocks_[b];
  return SumBefore(b) + static_cast<size_t>(std::lower_bound(in.begin(), in.end(), id) - in.begin());
}

StreamId DeletedIds::At(size_t n) const {
  size_t block = 0;
  for (size_t step = std::bit_floor(blocks_.size()); step != 0; step /= 2) {
    if (block + step > blocks_.size() || sums_[block + step] > n) continue;
    block += step;
    n -= sums_[block];
  }
  return (*blocks_[block])[n];
}

void DeletedIds::Insert(StreamId id) {
  ++size_;
  if (blocks_.empty()) {
    blocks_.push_back(std::make_shared<Block>(1, id));
    return Rebuild();
  }
  const size_t b = std::min(BlockAt(id), blocks_.size() - 1);
  Block& block = Change(b);
  block.insert(std::lower_bound(block.begin(), block.end(), id), id);
  if (block.size() <= kMostInBlock) return AddTo(b, 1);
  auto upper = std::make_shared<Block>(block.begin() + kMostInBlock / 2, block.end());
  block.resize(kMostInBlock / 2);
  blocks_.insert(blocks_.begin() + static_cast<ptrdiff_t>(b) + 1, std::move(upper));
  Rebuild();
}

void DeletedIds::EraseBelow(StreamId id) {
  const size_t gone = CountBelow(id);
  if (gone == 0) return;
  const size_t b = BlockAt(id);
  const size_t in_block = gone - SumBefore(b);
  size_ -= gone;
  if (in_block != 0) {
    Block& block = Change(b);
    block.erase(block.begin(), block.begin() + static_cast<ptrdiff_t>(in_block));
    AddTo(b, 0 - in_block);
  }
  if (b == 0) return;
  blocks_.erase(blocks_.begin(), blocks_.begin() + static_cast<ptrdiff_t>(b));
  Rebuild();
}

void DeletedIds::Clear() {
  blocks_.clear();
  sums_.clear();
  size_ = 0;
}

DeletedIds::Block& DeletedIds::Change(size_t block) {
  std::shared_ptr<Block>& shared = blocks_[block];
  if (shared.use_count() > 1) shared = std::make_shared<Block>(*shared);
  return *shared;
}

size_t DeletedIds::SumBefore(size_t block) const {
  size_t sum = 0;
  for (size_t i = block; i != 0; i &= i - 1) sum += sums_[i];
  return sum;
}

void DeletedIds::AddTo(size_t block, size_t count) {
  for (size_t i = block + 1; i < sums_.size(); i += i & (0 - i)) sums_[i] += count;
}

// O(blocks): once in many changes, when a block comes or goes.
void DeletedIds::Rebuild() {
  sums_.assign(blocks_.size() + 1, 0);
  for (size_t b = 0; b < blocks_.size(); ++b) {
    sums_[b + 1] += blocks_[b]->size();
    const size_t parent = (b + 1) + ((b + 1) & (0 - (b + 1)));
    if (parent < sums_.size()) sums_[parent] += sums_[b + 1];
  }
}

}  // namespace sluice::engine
