// Who waits for which key, in the order in which they came.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/container/btree_set.h>

#include "server/commands/blocked_call.h"

namespace sluice::commands {

// Calls wait in queues, one for each key and consumer group: within a group, what the first in line cannot be
// given nobody behind it can, so waking stops there and costs what it wakes. Readers without a group share a
// queue per key, and each is asked, since each waits behind an ID of its own.
class WaitTable {
 public:
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }

  // `grouped`: the calls of one group are served in turn.
  void Add(BlockedCall& call, std::span<const std::string_view> keys, std::string_view group, bool grouped);
  void Remove(BlockedCall& call);
  // Changes when `call` is due by itself.
  void SetRetry(BlockedCall& call, std::optional<uint64_t> retry_ms);

  // Visits the queues of a key. The visitor may remove calls, and add none.
  template <typename Visit>
  void ForKey(uint8_t db, std::string_view key, Visit&& visit) {
    auto it = queues_.lower_bound(Name{db, key, {}, false});
    while (it != queues_.end() && (*it)->db == db && (*it)->key == key) {
      visited_ = it->get();
      visit(*visited_);
      visited_ = nullptr;
      it = (*it)->calls.empty() ? queues_.erase(it) : std::next(it);
    }
  }
  // The keys of a database that somebody waits for.
  std::vector<std::string> KeysOf(uint8_t db) const;

  // The call that is due first; nullptr: none ever is.
  BlockedCall* Earliest() const { return due_.empty() ? nullptr : due_.begin()->second; }

 private:
  struct Name {
    uint8_t db;
    std::string_view key;
    std::string_view group;
    bool grouped;
  };
  static Name NameOf(const Name& name) { return name; }
  static Name NameOf(const std::unique_ptr<WaitQueue>& queue) {
    return {queue->db, queue->key, queue->group, queue->grouped};
  }
  struct Less {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const { return Before(NameOf(a), NameOf(b)); }
    static bool Before(const Name& a, const Name& b);
  };

  std::set<std::unique_ptr<WaitQueue>, Less> queues_;
  absl::btree_set<std::pair<uint64_t, BlockedCall*>> due_;
  WaitQueue* visited_ = nullptr;  // stays, though it may be empty
  size_t size_ = 0;
};

}  // namespace sluice::commands
