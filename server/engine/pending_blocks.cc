#include "server/engine/pending_blocks.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "server/engine/free_some.h"
#include "storage/check.h"

namespace sluice::engine {

uint32_t PendingBlocks::Block::LowerBound(StreamId id) const {
  // What is acknowledged is as a rule what was delivered first.
  if (id <= first()) return begin;
  const uint32_t* const found = std::partition_point(&deltas[begin], &deltas[end],
                                                     [&](uint32_t delta) { return IdIn(delta, base) < id; });
  return static_cast<uint32_t>(found - deltas.get());
}

size_t PendingBlocks::memory_bytes() const {
  return blocks_.memory_bytes() + size_ * sizeof(uint32_t) + 2 * order_.memory_bytes();
}

size_t PendingBlocks::size_of(uint32_t consumer) const {
  const auto share = shares_.find(consumer);
  return share == shares_.end() ? 0 : share->second.entries;
}

std::optional<Pending> PendingBlocks::Find(StreamId id) const {
  const auto it = order_.Find(id);
  if (it == order_.end()) return std::nullopt;
  const Block& block = At(*it);
  const uint32_t at = block.LowerBound(id);
  if (block.IdAt(at) != id) return std::nullopt;
  return block.At(at);
}

PendingBlocks::Cursor::Cursor(const PendingBlocks& blocks, const Order& order, StreamId from)
    : blocks_(&blocks), order_(&order), block_(order.LowerBound(from)) {
  if (!done()) at_ = blocks.At(*block_).LowerBound(from);
}

PendingBlocks::Cursor PendingBlocks::Of(uint32_t consumer, StreamId from) const {
  const auto share = shares_.find(consumer);
  return share == shares_.end() ? Cursor() : Cursor(*this, share->second.order, from);
}

void PendingBlocks::Append(uint32_t consumer, uint64_t delivered_ms, StreamId base,
                           std::span<const uint32_t> deltas) {
  CHECK(!deltas.empty() && deltas.size() <= kMost);
  const Handle handle = Allocate();
  Block& block = Change(handle);
  block = {.base = base,
           .delivered_ms = delivered_ms,
           .consumer = consumer,
           .begin = 0,
           .end = static_cast<uint16_t>(deltas.size()),
           .deltas = std::make_unique_for_overwrite<uint32_t[]>(deltas.size())};
  std::copy(deltas.begin(), deltas.end(), block.deltas.get());
  order_.Append(handle);
  Share& share = shares_.try_emplace(consumer, Share{Order(ById{this})}).first->second;
  share.order.Append(handle);
  share.entries += deltas.size();
  size_ += deltas.size();
}

bool PendingBlocks::Erase(StreamId id) {
  const auto it = order_.Find(id);
  if (it == order_.end()) return false;
  const Handle handle = *it;
  const uint32_t at = At(handle).LowerBound(id);
  if (At(handle).IdAt(at) != id) return false;
  const auto share = shares_.find(At(handle).consumer);
  --share->second.entries;
  --size_;
  if (At(handle).size() == 1) {
    share->second.order.Erase(handle);
    order_.EraseAt(it, handle);
    Free(handle);
    ForgetIfEmpty();
    return true;
  }
  Block& block = Change(handle);
  if (at == block.begin) {
    ++block.begin;
  } else {
    std::copy(&block.deltas[at + 1], &block.deltas[block.end], &block.deltas[at]);
    --block.end;
  }
  return true;
}

void PendingBlocks::EraseConsumer(uint32_t consumer) {
  const auto it = shares_.find(consumer);
  if (it == shares_.end()) return;
  const Share share = std::move(it->second);
  shares_.erase(it);
  for (const Handle handle : share.order) order_.Erase(handle);
  // Only now: the share's order reads the blocks.
  for (const Handle handle : share.order) Free(handle);
  size_ -= share.entries;
  ForgetIfEmpty();
}

PendingBlocks::Handle PendingBlocks::Allocate() {
  if (free_ == kNoBlock) return Handle{blocks_.Add()};
  const Handle handle{free_};
  free_ = At(handle).consumer;
  return handle;
}

void PendingBlocks::Free(Handle handle) {
  Change(handle) = {.base = {},
                    .delivered_ms = 0,
                    .consumer = std::exchange(free_, static_cast<uint32_t>(handle)),
                    .begin = 0,
                    .end = 0,
                    .deltas = nullptr};
}

// A group that has caught up gives back what its worst backlog took.
void PendingBlocks::ForgetIfEmpty() {
  if (size_ != 0) return;
  blocks_.Clear();
  free_ = kNoBlock;
}

void PendingBlocks::BeginDump(PendingDump dump) {
  blocks_.BeginDump([dump = std::move(dump), shown = std::vector<DumpedPending>()](
                        uint32_t, std::span<const Block> blocks) mutable {
    for (const Block& block : blocks) {
      shown.clear();
      for (uint32_t i = block.begin; i < block.end; ++i)
        shown.push_back({block.IdAt(i), block.delivered_ms, 1, block.consumer});
      if (!shown.empty()) dump(shown);
    }
  });
}

// The orders ask the blocks: those go behind them.
bool PendingBlocks::FreeSome(size_t& pieces) {
  if (order_.FreeSome(pieces)) return true;
  if (EraseLarge(shares_, pieces,
                 [](auto& share, size_t& left) { return share.second.order.FreeSome(left); }))
    return true;
  return blocks_.FreeSome(pieces);
}

}  // namespace sluice::engine
