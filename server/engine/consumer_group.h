// A consumer group: how far it has been given the stream, to whom, and what came back.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <absl/container/btree_map.h>

#include "server/engine/pending_list.h"
#include "server/engine/stream_id.h"

namespace sluice::engine {

struct Consumer {
  uint32_t number = 0;  // within its group, never reused
  std::string name;
  std::optional<uint64_t> active_ms;  // unix time of the last delivery or claim
  uint64_t seen_ms = 0;               // unix time of the last attempt; volatile: not in the log, not hashed
};

class ConsumerGroup {
 public:
  using Consumers = absl::btree_map<std::string, std::unique_ptr<Consumer>, std::less<>>;

  ConsumerGroup(uint32_t number, std::string_view name) : number_(number), name_(name) {}

  uint32_t number() const { return number_; }  // within its stream, never reused
  const std::string& name() const { return name_; }
  StreamId last_delivered() const { return last_delivered_; }
  // How many entries were read up to last_delivered(), as Redis counts them; nullopt where that is not known.
  std::optional<uint64_t> entries_read() const { return entries_read_; }

  const PendingList& pending() const { return pending_; }
  const Consumers& consumers() const { return consumers_; }
  const Consumer* FindConsumer(std::string_view name) const;
  // The name of the consumer that holds an entry; empty where nobody does.
  std::string_view OwnerOf(const Pending& pending) const {
    return pending.owned() ? std::string_view(by_number_.find(pending.consumer)->second->name)
                           : std::string_view();
  }
  uint32_t next_consumer() const { return next_consumer_; }

  size_t memory_bytes(size_t samples) const;  // about; so many consumers are looked at
  // Of a group that nobody needs any more: as FreeSome() of dropped.h.
  bool FreeSome(size_t& pieces);

 private:
  friend class Applier;
  friend class StateHasher;
  friend class Engine;
  friend struct StreamAccess;  // of checkpoints

  Consumer& Mutable(uint32_t number) { return *by_number_.find(number)->second; }
  Consumer& AddConsumer(uint32_t number, std::string_view name);
  void RemoveConsumer(uint32_t number);

  uint32_t number_;
  std::string name_;
  StreamId last_delivered_{};
  std::optional<uint64_t> entries_read_;
  PendingList pending_;
  Consumers consumers_;
  absl::btree_map<uint32_t, Consumer*> by_number_;
  uint32_t next_consumer_ = 0;
};

}  // namespace sluice::engine
