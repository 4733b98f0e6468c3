// What a stream's producers have sent lately, so that what is sent twice is appended once.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <absl/container/btree_map.h>

#include "server/engine/stream_id.h"

namespace sluice::engine {

// Every producer gives each of its messages an idempotency ID; the table knows which entry each became. A
// producer keeps a bounded number of messages, the oldest go first; and all of them go when they are old
// enough.
class ProducerTable {
 public:
  ProducerTable() = default;
  ProducerTable(const ProducerTable&) = delete;
  ProducerTable& operator=(const ProducerTable&) = delete;

  // The entry that the producer's message became; nullopt: not known (any more).
  std::optional<StreamId> Find(std::string_view producer, std::string_view message) const;
  size_t producers() const { return producers_.size(); }
  size_t messages() const { return messages_.size(); }
  // The entry of the message that has been known longest; nullopt where there is none.
  std::optional<StreamId> oldest() const {
    return messages_.empty() ? std::nullopt : std::optional(messages_.front().entry);
  }

  // What was known of that message so far is forgotten, and so is the producer's oldest where it has more
  // than `most` (at least 1) then.
  void Remember(std::string_view producer, std::string_view message, StreamId entry, uint64_t most);
  // The millisecond to forget through where what became an entry at or before `ms` is too old: not all of it,
  // but at least the `most` that have been known longest, and with them only what was appended no later.
  // nullopt: nothing is too old.
  std::optional<uint64_t> PlanForget(uint64_t ms, size_t most) const;
  // Forgets, the one known longest first, what became an entry at or before that millisecond, up to the first
  // that did later.
  void ForgetThrough(uint64_t ms);

  // Visits (producer, message, entry), the message known longest first.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (const Message& message : messages_)
      visit(std::string_view(message.producer->name), std::string_view(message.text), message.entry);
  }
  size_t memory_bytes(size_t samples) const;  // about; so many messages are looked at
  // Of a table that nobody needs any more: as FreeSome() of dropped.h.
  bool FreeSome(size_t& pieces);

  // Shows the messages that are known now, some at a time, whatever is remembered and forgotten meanwhile.
  // Each with a number: the lower, the longer known.
  using Dump = std::function<void(uint64_t number, std::string_view producer, std::string_view message,
                                  StreamId entry)>;
  void BeginDump(Dump dump);
  // Shows one more; false where all have been shown.
  bool ContinueDump();

 private:
  struct Producer;
  struct Message {
    Producer* producer;
    std::string text;
    StreamId entry;
    uint64_t number;  // ascending in the list
  };
  using Place = std::list<Message>::iterator;
  struct Producer {
    std::string name;
    absl::btree_map<std::string_view, Place> by_text;
    std::deque<Place> by_age;  // the one known longest first
  };

  // A dump under way: what is known from `next` on and has a number below `end` has not been shown.
  struct DumpState {
    Dump dump;
    Place next;
    uint64_t end;
  };

  void Forget(Place place);
  void Show(const Message& message);

  std::list<Message> messages_;  // the one known longest first; so each producer's stand in its own order
  absl::btree_map<std::string_view, std::unique_ptr<Producer>> producers_;  // by name, which each one holds
  uint64_t next_number_ = 0;
  std::unique_ptr<DumpState> dump_;
};

}  // namespace sluice::engine
