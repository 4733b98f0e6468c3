// Who waits for which key.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_set.h>

#include "server/commands/blocked_call.h"
#include "server/commands/wait_queue.h"
#include "server/engine/hash.h"

namespace sluice::commands {

// Calls wait in queues, one for each key and consumer group: within a group, what the first in line cannot be
// given nobody behind it can, so waking stops there and costs what it wakes. Readers without a group share a
// queue per key, and each is asked, since each waits behind an ID of its own.
//
// A key's first queue is found by the key alone, so a change costs one look into a hash table however many
// wait for other keys, and allocates nothing where nobody waits for this one. Further queues of the key hang
// on the first, and are found by their whole name when a call joins.
class WaitTable {
 public:
  // `hash_seed`: the engine's.
  explicit WaitTable(uint64_t hash_seed);

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }

  // `grouped`: the calls of one group are served in turn.
  void Add(BlockedCall& call, std::span<const std::string_view> keys, std::string_view group, bool grouped);
  void Remove(BlockedCall& call);
  // Changes when `call` is due by itself.
  void SetRetry(BlockedCall& call, uint64_t retry_ms);

  // A key has changed, or will before the next ServeReady(); every key of a database has.
  void MarkReady(uint8_t db, std::string_view key);
  void MarkAllReady(uint8_t db);
  // As if all keys of `call` had changed.
  void MarkReady(const BlockedCall& call);
  bool any_ready() const { return !ready_.empty(); }
  // Visits the queues of the changed keys, in the order of the changes, until none is left. The visitor may
  // remove calls of the queue that it sees, mark keys, and add no call.
  template <typename Visit>
  void ServeReady(Visit&& visit) {
    for (size_t i = 0; i < ready_.size(); ++i) {
      WaitQueue* first = ready_[i];
      first->ready_ = false;
      visited_ = first;
      for (WaitQueue* queue = first; queue != nullptr; queue = queue->next_) {
        if (!queue->empty()) visit(*queue);
      }
      visited_ = nullptr;
      if (!first->ready_) Sweep(*first);
    }
    ready_.clear();
  }

  // The call that is due first; nullptr: none ever is.
  BlockedCall* Earliest() const { return due_.empty() ? nullptr : due_.begin()->second; }

 private:
  static WaitName NameOf(const WaitName& name) { return name; }
  static WaitName NameOf(const WaitQueue& queue) {
    return {queue.db(), queue.grouped(), queue.key(), queue.group()};
  }
  static WaitName NameOf(const std::unique_ptr<WaitQueue>& queue) { return NameOf(*queue); }
  // By database and key.
  struct HashKey {
    using is_transparent = void;
    uint64_t seed;
    size_t operator()(const auto& named) const {
      const WaitName name = NameOf(named);
      return engine::HashBytes(name.key, seed + name.db);
    }
  };
  struct SameKey {
    using is_transparent = void;
    bool operator()(const auto& one, const auto& other) const {
      const WaitName a = NameOf(one);
      const WaitName b = NameOf(other);
      return a.db == b.db && a.key == b.key;
    }
  };
  // By all of the name.
  struct HashName {
    using is_transparent = void;
    uint64_t seed;
    size_t operator()(const auto& named) const {
      const WaitName name = NameOf(named);
      return engine::HashBytes(name.group, HashKey{seed}(name) + name.grouped);
    }
  };
  struct SameName {
    using is_transparent = void;
    bool operator()(const auto& one, const auto& other) const {
      const WaitName a = NameOf(one);
      const WaitName b = NameOf(other);
      return SameKey()(a, b) && a.grouped == b.grouped && a.group == b.group;
    }
  };

  WaitQueue& QueueOf(const WaitName& name);
  void Release(WaitQueue& queue);
  void Sweep(WaitQueue& first);
  void Unlink(WaitQueue& queue);
  void SetDue(BlockedCall& call);
  void UnsetDue(BlockedCall& call);

  absl::flat_hash_set<std::unique_ptr<WaitQueue>, HashKey, SameKey> firsts_;
  absl::flat_hash_set<std::unique_ptr<WaitQueue>, HashName, SameName> others_;
  std::vector<WaitQueue*> ready_;  // first queues of their keys
  absl::btree_set<std::pair<uint64_t, BlockedCall*>> due_;
  WaitQueue* visited_ = nullptr;  // the first queue of the key whose queues stay, though they may be empty
  size_t size_ = 0;
};

}  // namespace sluice::commands
