// What a checkpoint says of the state: records, in any order but that a thing's own record comes before its
// parts.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "server/engine/object.h"
#include "server/engine/object_id.h"
#include "server/engine/stream_id.h"
#include "storage/lsn.h"

namespace sluice::engine {

// Each record lists its members once, in Visit(), as events do, and is written in the same notation. What
// stands in the file is described in docs/formats.md; kType and the order of members never change.

// The first record: how many slots there are, and where each database's objects are stored.
struct StateBegin {
  static constexpr uint8_t kType = 1;
  uint32_t slots;
  std::string_view stored;  // kDatabases bytes
  static void Visit(auto& self, auto&& v) { v(self.slots), v(self.stored); }
};

// A slot without an object, and the generation that was there last.
struct FreeSlot {
  static constexpr uint8_t kType = 2;
  uint32_t slot;
  uint32_t generation;
  static void Visit(auto& self, auto&& v) { v(self.slot), v(self.generation); }
};

// A key, and the slot that its object takes.
struct KeyState {
  static constexpr uint8_t kType = 3;
  ObjectId object;
  uint8_t stored;  // where, as StateBegin counts
  ObjectType type;
  uint64_t expire_ms;
  std::string_view key;
  static void Visit(auto& self, auto&& v) {
    v(self.object), v(self.stored), v(self.type), v(self.expire_ms), v(self.key);
  }
};

struct StringPart {
  static constexpr uint8_t kType = 4;
  ObjectId object;
  uint64_t size;  // of the whole value
  uint64_t offset;
  std::string_view bytes;
  static void Visit(auto& self, auto&& v) { v(self.object), v(self.size), v(self.offset), v(self.bytes); }
};

struct StreamState {
  static constexpr uint8_t kType = 16;
  ObjectId stream;
  storage::Lsn emptied_at;  // entries below it are not its own any more
  uint64_t appended;
  uint64_t node_base;
  uint64_t length;
  StreamId first;
  StreamId last;
  StreamId max_deleted;
  uint64_t entries_added;
  uint32_t next_group;
  uint32_t groups;
  uint64_t deleted;
  uint64_t idempotence_seconds;
  uint64_t idempotence_messages;
  uint64_t messages_added;
  uint64_t duplicates;
  uint64_t messages;
  uint8_t has_producers;
  static void Visit(auto& self, auto&& v) {
    v(self.stream), v(self.emptied_at), v(self.appended), v(self.node_base), v(self.length), v(self.first),
        v(self.last), v(self.max_deleted), v(self.entries_added), v(self.next_group), v(self.groups),
        v(self.deleted), v(self.idempotence_seconds), v(self.idempotence_messages), v(self.messages_added),
        v(self.duplicates), v(self.messages), v(self.has_producers);
  }
};

// Deleted entries, in ascending order from part to part.
struct DeletedPart {
  static constexpr uint8_t kType = 17;
  ObjectId stream;
  std::span<const StreamId> ids;
  static void Visit(auto& self, auto&& v) { v(self.stream), v(self.ids); }
};

struct GroupState {
  static constexpr uint8_t kType = 18;
  ObjectId stream;
  uint32_t group;
  StreamId last_delivered;
  std::optional<uint64_t> entries_read;
  uint32_t next_consumer;
  uint32_t consumers;
  uint64_t pending;
  uint64_t next_turn;
  std::string_view name;
  static void Visit(auto& self, auto&& v) {
    v(self.stream), v(self.group), v(self.last_delivered), v(self.entries_read), v(self.next_consumer),
        v(self.consumers), v(self.pending), v(self.next_turn), v(self.name);
  }
};

struct ConsumerState {
  static constexpr uint8_t kType = 19;
  ObjectId stream;
  uint32_t group;
  uint32_t consumer;
  std::optional<uint64_t> active_ms;
  std::string_view name;
  static void Visit(auto& self, auto&& v) {
    v(self.stream), v(self.group), v(self.consumer), v(self.active_ms), v(self.name);
  }
};

// Some of a group's pending entries, in any order: {id, since u64, deliveries u64, consumer u32} each, as in
// DumpedPending.
struct PendingPart {
  static constexpr uint8_t kType = 20;
  ObjectId stream;
  uint32_t group;
  std::string_view entries;
  static void Visit(auto& self, auto&& v) { v(self.stream), v(self.group), v(self.entries); }
};

// A message that is known of a producer; lower numbers have been known longer.
struct ProducedMessage {
  static constexpr uint8_t kType = 21;
  ObjectId stream;
  uint64_t number;
  StreamId entry;
  std::string_view producer;
  std::string_view message;
  static void Visit(auto& self, auto&& v) {
    v(self.stream), v(self.number), v(self.entry), v(self.producer), v(self.message);
  }
};

// A stream's own retention, where it has one.
struct RetentionState {
  static constexpr uint8_t kType = 22;
  ObjectId stream;
  std::optional<uint64_t> ms;
  std::optional<uint64_t> bytes;
  static void Visit(auto& self, auto&& v) { v(self.stream), v(self.ms), v(self.bytes); }
};

// An item: its counters and rules, and how many buyers, orders, requests and bundles follow.
struct ItemState {
  static constexpr uint8_t kType = 48;
  ObjectId item;
  uint64_t total;
  uint64_t available;
  uint64_t held;
  uint64_t sold;
  uint64_t kept;
  uint64_t orders_placed;
  StreamId last_order;
  Pause pause;
  uint64_t paused_ms;  // two's complement, as all times of an item
  uint64_t shift_ms;
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
  uint32_t buyers;
  uint32_t orders;
  uint32_t requests;
  uint32_t restocks;
  std::string_view stream;
  std::string_view event_stream;
  std::string_view backlog_group;
  static void Visit(auto& self, auto&& v) {
    v(self.item), v(self.total), v(self.available), v(self.held), v(self.sold), v(self.kept),
        v(self.orders_placed), v(self.last_order), v(self.pause), v(self.paused_ms), v(self.shift_ms),
        v(self.start_ms), v(self.end_ms), v(self.limit), v(self.max_quantity), v(self.hold_ms), v(self.rate),
        v(self.rate_ms), v(self.max_backlog), v(self.idem_ms), v(self.keep_quota), v(self.events),
        v(self.buyers), v(self.orders), v(self.requests), v(self.restocks), v(self.stream),
        v(self.event_stream), v(self.backlog_group);
  }
};

// Who has bought, or has an order: the number that orders name the buyer by, and the pieces.
struct BuyerState {
  static constexpr uint8_t kType = 49;
  ObjectId item;
  uint32_t number;
  uint64_t pieces;
  std::string_view name;
  static void Visit(auto& self, auto&& v) { v(self.item), v(self.number), v(self.pieces), v(self.name); }
};

// An order that is remembered. Of a bundle: the items that have a part of it, and where its message went.
struct OrderStateRecord {
  static constexpr uint8_t kType = 50;
  ObjectId item;
  StreamId order;
  uint64_t time_ms;
  uint32_t buyer;
  uint32_t quantity;
  uint32_t request;  // the number that requests name it by; 2^32 - 1: none
  OrderState state;
  uint8_t flags;
  std::span<const ObjectId> bundle;
  std::string_view bundle_stream;
  static void Visit(auto& self, auto&& v) {
    v(self.item), v(self.order), v(self.time_ms), v(self.buyer), v(self.quantity), v(self.request),
        v(self.state), v(self.flags), v(self.bundle), v(self.bundle_stream);
  }
};

// A request id that an order was placed under.
struct RequestState {
  static constexpr uint8_t kType = 51;
  ObjectId item;
  uint32_t number;
  std::string_view id;
  static void Visit(auto& self, auto&& v) { v(self.item), v(self.number), v(self.id); }
};

// A change of stock under a request id, the oldest first.
struct RestockState {
  static constexpr uint8_t kType = 52;
  ObjectId item;
  uint64_t time_ms;
  int64_t delta;
  std::string_view id;
  static void Visit(auto& self, auto&& v) { v(self.item), v(self.time_ms), v(self.delta), v(self.id); }
};

using StateRecord = std::variant<StateBegin, FreeSlot, KeyState, StringPart, StreamState, DeletedPart,
                                 GroupState, ConsumerState, PendingPart, ProducedMessage, RetentionState,
                                 ItemState, BuyerState, OrderStateRecord, RequestState, RestockState>;

// Of a record's type: whether a compaction reads checkpoints for it.
constexpr bool TellsOfMessages(uint8_t type) {
  return type == StreamState::kType || type == DeletedPart::kType;
}

}  // namespace sluice::engine
