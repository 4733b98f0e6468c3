// Pending entries that were delivered once, many at a time: a block for each such batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <absl/container/btree_map.h>

#include "server/engine/cell_table.h"
#include "server/engine/handle_order.h"
#include "server/engine/packed_id.h"
#include "server/engine/pending.h"

namespace sluice::engine {

// What is delivered for the first time comes in the order of IDs, to one consumer and at one time: that is
// said once, and an entry is 4 bytes of its ID. Blocks do not overlap, and come in the order of IDs and of
// time alike, so that this is the order of waiting too. Every operation is O(log n), but for one that takes
// an entry from the middle of its block, which moves up to 1 KiB.
class PendingBlocks {
  enum class Handle : uint32_t {};  // the number of a block

  struct Block {
    StreamId base;  // BaseOf() all of its IDs
    uint64_t delivered_ms;
    uint32_t consumer;    // of a free block: the next free one
    uint16_t begin, end;  // of what is left in `deltas`; the same in a free block
    std::unique_ptr<uint32_t[]> deltas;

    StreamId IdAt(uint32_t i) const { return IdIn(deltas[i], base); }
    StreamId first() const { return IdAt(begin); }
    StreamId last() const { return IdAt(end - 1u); }
    uint32_t size() const { return static_cast<uint32_t>(end - begin); }
    // The first place whose ID is not below `id`.
    uint32_t LowerBound(StreamId id) const;
    Pending At(uint32_t i) const { return {IdAt(i), delivered_ms, 1, consumer}; }
  };

  struct ById {
    const PendingBlocks* blocks;
    bool operator()(Handle a, Handle b) const { return blocks->At(a).first() < blocks->At(b).first(); }
    bool operator()(Handle block, StreamId id) const { return blocks->At(block).last() < id; }
    bool operator()(StreamId id, Handle block) const { return id < blocks->At(block).first(); }
  };
  using Order = HandleOrder<Handle, ById>;

 public:
  static constexpr uint32_t kMost = 256;  // entries of a block

  PendingBlocks() = default;
  PendingBlocks(const PendingBlocks&) = delete;
  PendingBlocks& operator=(const PendingBlocks&) = delete;

  // About what they take, themselves not included.
  size_t memory_bytes() const;

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  size_t size_of(uint32_t consumer) const;
  // Of what is not empty.
  StreamId first_id() const { return At(order_.front()).first(); }
  StreamId last_id() const { return At(order_.back()).last(); }

  std::optional<Pending> Find(StreamId id) const;

  // A place in the order of all entries, or of one consumer's, until the next change.
  class Cursor {
   public:
    Cursor() = default;  // at the end
    Cursor(const PendingBlocks& blocks, const Order& order, StreamId from);
    bool done() const { return order_ == nullptr || block_ == order_->end(); }
    Pending operator*() const { return blocks_->At(*block_).At(at_); }
    void operator++() {
      if (++at_ == blocks_->At(*block_).end) ++block_, Begin();
    }

   private:
    void Begin() {
      if (!done()) at_ = blocks_->At(*block_).begin;
    }

    const PendingBlocks* blocks_ = nullptr;
    const Order* order_ = nullptr;
    Order::Iterator block_;
    uint32_t at_ = 0;
  };
  Cursor From(StreamId id) const { return {*this, order_, id}; }
  Cursor Of(uint32_t consumer, StreamId from) const;

  // Whether a batch with `first` as its lowest ID comes behind all others.
  bool Takes(StreamId first, uint64_t delivered_ms) const {
    return empty() || (last_id() < first && At(order_.back()).delivered_ms <= delivered_ms);
  }
  // Adds one that does: 1 to kMost ascending `deltas` of IDs with the base `base`.
  void Append(uint32_t consumer, uint64_t delivered_ms, StreamId base, std::span<const uint32_t> deltas);

  // False where there is none.
  bool Erase(StreamId id);
  void EraseConsumer(uint32_t consumer);

  // As PendingList's.
  void BeginDump(PendingDump dump);
  bool ContinueDump() { return blocks_.ContinueDump(1); }
  bool FreeSome(size_t& pieces);

 private:
  static constexpr uint32_t kNoBlock = UINT32_MAX;

  struct Share {
    Order order;
    size_t entries = 0;
  };

  const Block& At(Handle handle) const { return blocks_[static_cast<uint32_t>(handle)]; }
  Block& Change(Handle handle) { return blocks_.Change(static_cast<uint32_t>(handle)); }
  Handle Allocate();
  void Free(Handle handle);
  void ForgetIfEmpty();

  CellTable<Block, 8> blocks_;  // a dump hands out a few thousand entries at a time, and no more
  uint32_t free_ = kNoBlock;
  size_t size_ = 0;  // entries
  Order order_{ById{this}};
  absl::btree_map<uint32_t, Share> shares_;  // by consumer
};

}  // namespace sluice::engine
