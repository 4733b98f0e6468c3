// What can happen: the decided facts that are recorded, and that alone change state.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "server/engine/object.h"
#include "server/engine/object_id.h"
#include "server/engine/stream_id.h"

namespace sluice::engine {

// An event holds everything that its application needs and nothing that it could work out: times, IDs and
// identities are decided. Views are the caller's; recording copies them.
//
// Each event lists its members once, in Visit(): sizing, writing and reading it in the log all follow that
// list. What stands in the log is described in docs/formats.md; kType and the order of members never change.

// A key begins to exist, with an empty value of its type. The key is free.
struct CreateKey {
  static constexpr uint8_t kType = 1;
  ObjectId object;
  uint8_t db;
  ObjectType type;
  std::string_view key;
  static void Visit(auto& self, auto&& v) { v(self.object), v(self.db), v(self.type), v(self.key); }
};

// A key and its value end.
struct RemoveKey {
  static constexpr uint8_t kType = 2;
  ObjectId object;
  static void Visit(auto& self, auto&& v) { v(self.object); }
};

// A value goes on under another name. The name is free.
struct RenameKey {
  static constexpr uint8_t kType = 3;
  ObjectId object;
  uint8_t db;
  std::string_view key;
  static void Visit(auto& self, auto&& v) { v(self.object), v(self.db), v(self.key); }
};

inline constexpr uint8_t kAllDatabases = 255;

// Every key of a database, or of all, ends.
struct FlushKeys {
  static constexpr uint8_t kType = 4;
  uint8_t db;
  static void Visit(auto& self, auto&& v) { v(self.db); }
};

struct SetString {
  static constexpr uint8_t kType = 5;
  ObjectId object;
  std::string_view value;
  static void Visit(auto& self, auto&& v) { v(self.object), v(self.value); }
};

// From `unix_ms` on the value counts as dead; 0: it has no end any more. Its removal is an event of its own.
struct SetExpiry {
  static constexpr uint8_t kType = 6;
  ObjectId object;
  uint64_t unix_ms;
  static void Visit(auto& self, auto&& v) { v(self.object), v(self.unix_ms); }
};

// Bytes of a string are overwritten from `offset` on; it grows, with zeros in between, where it is shorter.
struct WriteString {
  static constexpr uint8_t kType = 8;
  ObjectId object;
  uint64_t offset;
  std::string_view bytes;
  static void Visit(auto& self, auto&& v) { v(self.object), v(self.offset), v(self.bytes); }
};

// Two databases change places.
struct SwapDatabases {
  static constexpr uint8_t kType = 7;
  uint8_t first;
  uint8_t second;
  static void Visit(auto& self, auto&& v) { v(self.first), v(self.second); }
};

// A stream gets an entry. Its place in the log is where the stream's index points to, for as long as it
// lives.
struct AppendEntry {
  static constexpr uint8_t kType = 16;
  uint32_t
      body_offset;  // of this event within its record's body: leads a reader back to the record's checksum
  ObjectId stream;
  StreamId id;  // above the stream's last
  uint32_t pairs;
  std::string_view fields;  // `pairs` x field and value, as RESP bulk strings
  static void Visit(auto& self, auto&& v) {
    v(self.body_offset), v(self.stream), v(self.id), v(self.pairs), v(self.fields);
  }
};

// A stream loses every entry up to and including `last`.
struct TrimStream {
  static constexpr uint8_t kType = 17;
  ObjectId stream;
  StreamId last;
  static void Visit(auto& self, auto&& v) { v(self.stream), v(self.last); }
};

// A stream loses these entries, all of which exist, each named once.
struct DeleteEntries {
  static constexpr uint8_t kType = 18;
  ObjectId stream;
  std::span<const StreamId> ids;
  static void Visit(auto& self, auto&& v) { v(self.stream), v(self.ids); }
};

// XSETID, with everything resolved.
struct SetStreamId {
  static constexpr uint8_t kType = 19;
  ObjectId stream;
  StreamId last;
  uint64_t entries_added;
  StreamId max_deleted;
  static void Visit(auto& self, auto&& v) {
    v(self.stream), v(self.last), v(self.entries_added), v(self.max_deleted);
  }
};

struct CreateGroup {
  static constexpr uint8_t kType = 20;
  ObjectId stream;
  uint32_t group;  // the stream's next_group()
  StreamId last_delivered;
  std::optional<uint64_t> entries_read;
  std::string_view name;
  static void Visit(auto& self, auto&& v) {
    v(self.stream), v(self.group), v(self.last_delivered), v(self.entries_read), v(self.name);
  }
};

struct SetGroupId {
  static constexpr uint8_t kType = 21;
  ObjectId stream;
  uint32_t group;
  StreamId last_delivered;
  std::optional<uint64_t> entries_read;
  static void Visit(auto& self, auto&& v) {
    v(self.stream), v(self.group), v(self.last_delivered), v(self.entries_read);
  }
};

struct DestroyGroup {
  static constexpr uint8_t kType = 22;
  ObjectId stream;
  uint32_t group;
  static void Visit(auto& self, auto&& v) { v(self.stream), v(self.group); }
};

struct CreateConsumer {
  static constexpr uint8_t kType = 23;
  ObjectId stream;
  uint32_t group;
  uint32_t consumer;  // the group's next_consumer()
  uint64_t now_ms;
  std::string_view name;
  static void Visit(auto& self, auto&& v) {
    v(self.stream), v(self.group), v(self.consumer), v(self.now_ms), v(self.name);
  }
};

// A consumer ends, and its share of the pending list with it.
struct DeleteConsumer {
  static constexpr uint8_t kType = 24;
  ObjectId stream;
  uint32_t group;
  uint32_t consumer;
  static void Visit(auto& self, auto&& v) { v(self.stream), v(self.group), v(self.consumer); }
};

// A consumer is given every existing entry above the group's last-delivered ID, up to and including `last`.
struct Deliver {
  static constexpr uint8_t kType = 25;
  ObjectId stream;
  uint32_t group;
  uint32_t consumer;
  uint64_t now_ms;
  StreamId last;
  std::optional<uint64_t> entries_read;  // the group's, afterwards
  uint8_t no_ack;                        // 1: nothing becomes pending
  static void Visit(auto& self, auto&& v) {
    v(self.stream), v(self.group), v(self.consumer), v(self.now_ms), v(self.last), v(self.entries_read),
        v(self.no_ack);
  }
};

// A consumer reads again what is pending for it: each of `ids` counts one more delivery, now.
struct Redeliver {
  static constexpr uint8_t kType = 26;
  ObjectId stream;
  uint32_t group;
  uint32_t consumer;
  uint64_t now_ms;
  std::span<const StreamId> ids;
  static void Visit(auto& self, auto&& v) {
    v(self.stream), v(self.group), v(self.consumer), v(self.now_ms), v(self.ids);
  }
};

// These IDs, all pending in the group, are pending no more.
struct Release {
  static constexpr uint8_t kType = 27;
  ObjectId stream;
  uint32_t group;
  std::span<const StreamId> ids;
  static void Visit(auto& self, auto&& v) { v(self.stream), v(self.group), v(self.ids); }
};

// A consumer takes over `ids`; those that were not pending become so (XCLAIM FORCE).
struct Claim {
  static constexpr uint8_t kType = 28;
  enum Count : uint8_t { kKeep = 0, kIncrement = 1, kSet = 2 };
  ObjectId stream;
  uint32_t group;
  uint32_t consumer;
  uint64_t now_ms;        // the consumer's active time
  uint64_t delivered_ms;  // the entries' delivery time
  uint8_t count;          // what happens to the delivery counts
  uint64_t deliveries;    // with kSet
  std::span<const StreamId> ids;
  static void Visit(auto& self, auto&& v) {
    v(self.stream), v(self.group), v(self.consumer), v(self.now_ms), v(self.delivered_ms), v(self.count),
        v(self.deliveries), v(self.ids);
  }
};

// A stream loses these entries, all of which exist, each named once, by trimming: the highest deleted ID
// stays.
struct TrimEntries {
  static constexpr uint8_t kType = 29;
  ObjectId stream;
  std::span<const StreamId> ids;
  static void Visit(auto& self, auto&& v) { v(self.stream), v(self.ids); }
};

// `ids` are given back to the group, in this order: pending still, but nobody's. Those that were not pending
// become so, delivered 0 times (XNACK FORCE).
struct GiveBack {
  static constexpr uint8_t kType = 30;
  enum Count : uint8_t { kKeep = 0, kDecrement = 1, kSet = 2 };
  ObjectId stream;
  uint32_t group;
  uint8_t count;        // what happens to the delivery counts
  uint64_t deliveries;  // with kSet
  std::span<const StreamId> ids;
  static void Visit(auto& self, auto&& v) {
    v(self.stream), v(self.group), v(self.count), v(self.deliveries), v(self.ids);
  }
};

// How long and how many messages a stream remembers of each producer from now on; what it remembered is
// forgotten. 0: as the server's options say.
struct LimitProducers {
  static constexpr uint8_t kType = 31;
  ObjectId stream;
  uint64_t seconds;
  uint64_t messages;
  static void Visit(auto& self, auto&& v) { v(self.stream), v(self.seconds), v(self.messages); }
};

// A producer's message, not known so far, became an entry.
struct RememberMessage {
  static constexpr uint8_t kType = 32;
  ObjectId stream;
  StreamId entry;
  uint64_t most;  // messages kept of one producer
  std::string_view producer;
  std::string_view message;
  static void Visit(auto& self, auto&& v) {
    v(self.stream), v(self.entry), v(self.most), v(self.producer), v(self.message);
  }
};

// A producer sent again what is known.
struct CountDuplicate {
  static constexpr uint8_t kType = 33;
  ObjectId stream;
  static void Visit(auto& self, auto&& v) { v(self.stream); }
};

// Messages that became an entry at or before that time are old enough to be forgotten.
struct ForgetMessages {
  static constexpr uint8_t kType = 34;
  ObjectId stream;
  uint64_t through_ms;
  static void Visit(auto& self, auto&& v) { v(self.stream), v(self.through_ms); }
};

// How long a stream keeps its entries from now on; see Retention.
struct SetRetention {
  static constexpr uint8_t kType = 35;
  ObjectId stream;
  std::optional<uint64_t> ms;
  std::optional<uint64_t> bytes;
  static void Visit(auto& self, auto&& v) { v(self.stream), v(self.ms), v(self.bytes); }
};

// What a sale may do from now on; see SaleRules.
struct SetSaleRules {
  static constexpr uint8_t kType = 51;
  ObjectId item;
  uint64_t start_ms;
  uint64_t end_ms;
  uint64_t limit;
  uint64_t max_quantity;
  uint64_t hold_ms;
  uint64_t rate;
  uint64_t rate_ms;
  uint64_t max_backlog;
  uint64_t idem_ms;
  uint8_t keep_quota;
  SaleEvents events;
  std::string_view stream;
  std::string_view event_stream;
  std::string_view backlog_group;
  static void Visit(auto& self, auto&& v) {
    v(self.item), v(self.start_ms), v(self.end_ms), v(self.limit), v(self.max_quantity), v(self.hold_ms),
        v(self.rate), v(self.rate_ms), v(self.max_backlog), v(self.idem_ms), v(self.keep_quota),
        v(self.events), v(self.stream), v(self.event_stream), v(self.backlog_group);
  }
};

// Stock is added, or taken away where `delta` is below 0 (never more than is available).
struct AddStock {
  static constexpr uint8_t kType = 49;
  ObjectId item;
  int64_t delta;
  static void Visit(auto& self, auto&& v) { v(self.item), v(self.delta); }
};

// The same under a request id that is not known.
struct AddStockOnce {
  static constexpr uint8_t kType = 52;
  ObjectId item;
  int64_t delta;
  uint64_t now_ms;
  std::string_view request;
  static void Visit(auto& self, auto&& v) { v(self.item), v(self.delta), v(self.now_ms), v(self.request); }
};

// An order: `quantity` pieces go from available to held, or to sold where there is no deadline, for `user`.
struct PlaceOrder {
  static constexpr uint8_t kType = 53;
  ObjectId item;
  StreamId order;  // above the item's last
  uint64_t now_ms;
  uint64_t deadline_ms;  // 0: none
  uint32_t quantity;
  uint8_t flags;  // Order's
  std::string_view user;
  std::string_view request;  // empty: none; otherwise not known
  // Not recorded: the hash of `user`, where whoever decided has it already.
  std::optional<uint64_t> user_hash = std::nullopt;
  static void Visit(auto& self, auto&& v) {
    v(self.item), v(self.order), v(self.now_ms), v(self.deadline_ms), v(self.quantity), v(self.flags),
        v(self.user), v(self.request);
  }
};

// The orders of that ID, just placed in each of `items`, are one.
struct BindOrders {
  static constexpr uint8_t kType = 54;
  ObjectId item;  // the first
  StreamId order;
  std::span<const ObjectId> items;
  std::string_view stream;  // of the order's message; empty: none
  static void Visit(auto& self, auto&& v) { v(self.item), v(self.order), v(self.items), v(self.stream); }
};

// Orders are closed, all alike: sold, expired or cancelled.
struct SettleOrders {
  static constexpr uint8_t kType = 55;
  enum Flag : uint8_t { kKeepQuota = 1, kNoRestock = 2 };  // of what is released
  ObjectId item;
  OrderState state;
  uint8_t flags;
  uint64_t now_ms;
  std::span<const StreamId> orders;
  static void Visit(auto& self, auto&& v) {
    v(self.item), v(self.state), v(self.flags), v(self.now_ms), v(self.orders);
  }
};

// A released order takes its pieces again and is sold.
struct ReacquireOrder {
  static constexpr uint8_t kType = 56;
  ObjectId item;
  StreamId order;
  uint64_t now_ms;
  static void Visit(auto& self, auto&& v) { v(self.item), v(self.order), v(self.now_ms); }
};

// A hold ends later, or sooner.
struct ExtendOrder {
  static constexpr uint8_t kType = 57;
  ObjectId item;
  StreamId order;
  uint64_t deadline_ms;
  static void Visit(auto& self, auto&& v) { v(self.item), v(self.order), v(self.deadline_ms); }
};

// A sale stops, with or without the time of its holds, or goes on.
struct PauseSale {
  static constexpr uint8_t kType = 58;
  ObjectId item;
  Pause pause;
  uint64_t now_ms;
  static void Visit(auto& self, auto&& v) { v(self.item), v(self.pause), v(self.now_ms); }
};

// Closed orders are forgotten, in the order in which they were closed, up to that one; and so are the oldest
// `restocks` changes of stock.
struct ForgetOrders {
  static constexpr uint8_t kType = 59;
  ObjectId item;
  uint64_t closed_ms;
  StreamId order;
  uint32_t restocks;
  static void Visit(auto& self, auto&& v) {
    v(self.item), v(self.closed_ms), v(self.order), v(self.restocks);
  }
};

// One closed order is forgotten.
struct ForgetOrder {
  static constexpr uint8_t kType = 60;
  ObjectId item;
  StreamId order;
  static void Visit(auto& self, auto&& v) { v(self.item), v(self.order); }
};

using Event =
    std::variant<AppendEntry, Deliver, Release, PlaceOrder, CreateKey, RemoveKey, RenameKey, FlushKeys,
                 SetString, TrimStream, DeleteEntries, SetStreamId, CreateGroup, SetGroupId, DestroyGroup,
                 CreateConsumer, DeleteConsumer, Redeliver, Claim, TrimEntries, GiveBack, LimitProducers,
                 RememberMessage, CountDuplicate, ForgetMessages, SetSaleRules, AddStock, AddStockOnce,
                 BindOrders, SettleOrders, ReacquireOrder, ExtendOrder, PauseSale, ForgetOrders, ForgetOrder,
                 SetExpiry, SwapDatabases, WriteString, SetRetention>;

// The object that an event changes; kNoObject for those that change whole databases.
inline ObjectId TargetOf(const Event& event) {
  return std::visit(
      [](const auto& e) {
        if constexpr (requires { e.object; }) {
          return e.object;
        } else if constexpr (requires { e.item; }) {
          return e.item;
        } else if constexpr (requires { e.stream; }) {
          return e.stream;
        } else {
          return kNoObject;
        }
      },
      event);
}

}  // namespace sluice::engine
