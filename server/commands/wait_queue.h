// Calls that wait for one key, in the order in which they came.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace sluice::commands {

class BlockedCall;
class WaitQueue;

// A call's place in a queue. Stays where it is as long as it stands there: its neighbours point at it.
struct WaitTicket {
  BlockedCall* call = nullptr;
  WaitQueue* queue = nullptr;
  WaitTicket* before = nullptr;  // the first one's: the last one
  WaitTicket* behind = nullptr;
};

// Who waits: as readers of one consumer group ("grouped"), or without one.
struct WaitName {
  uint8_t db = 0;
  bool grouped = false;
  std::string_view key = {};
  std::string_view group = {};
};

// Small on purpose: ten thousand readers may wait for a stream each.
class WaitQueue {
 public:
  explicit WaitQueue(const WaitName& name);

  uint8_t db() const { return db_; }
  bool grouped() const { return grouped_; }
  std::string_view key() const { return {text_.get(), key_size_}; }
  std::string_view group() const { return {text_.get() + key_size_, group_size_}; }

  bool empty() const { return first_ == nullptr; }
  WaitTicket* first() const { return first_; }
  WaitTicket* last() const { return first_ == nullptr ? nullptr : first_->before; }
  // Somebody in it claims: he may find what the one before him did not.
  bool claims() const { return claiming_ != 0; }

  void Append(WaitTicket& ticket);
  void Remove(WaitTicket& ticket);

 private:
  friend class WaitTable;

  std::unique_ptr<char[]> text_;  // the key, then the group
  uint32_t key_size_;
  uint32_t group_size_;
  WaitTicket* first_ = nullptr;
  // The wait table's: the other queues of the key, behind the one that it finds by the key alone.
  WaitQueue* next_ = nullptr;
  WaitQueue* previous_ = nullptr;
  uint32_t claiming_ = 0;
  uint8_t db_;
  bool grouped_;
  bool ready_ = false;  // of the key's first queue: the key has changed
};

}  // namespace sluice::commands
