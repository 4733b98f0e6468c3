#include <functional>

#include "server/engine/engine.h"
#include "server/engine/hash.h"

namespace sluice::engine {

// Walks everything that is state, in the order of slots and names.
class StateHasher {
 public:
  StateHasher() { XXH3_64bits_reset(&state_); }
  uint64_t digest() const { return XXH3_64bits_digest(&state_); }

  void Add(const Keyspace& keys) {
    Number(keys.slots());
    for (uint8_t db = 0; db < kDatabases; ++db) Number(keys.StoredAt(db));
    // A free slot's generation is state too: no identity is given twice.
    for (size_t slot = 0; slot < keys.slots(); ++slot) {
      Number(keys.GenerationAt(slot));
      if (const Object* object = keys.At(slot)) Add(*object);
    }
  }

 private:
  void Number(uint64_t number) { XXH3_64bits_update(&state_, &number, sizeof number); }
  void Bytes(std::string_view bytes) {
    Number(bytes.size());
    XXH3_64bits_update(&state_, bytes.data(), bytes.size());
  }
  void Id(StreamId id) { Number(id.ms), Number(id.seq); }
  void Maybe(const std::optional<uint64_t>& number) {
    Number(number.has_value()), Number(number.value_or(0));
  }

  void Add(const Object& object) {
    Number(static_cast<uint64_t>(object.id));
    Number(object.db);
    Number(object.expire_ms);
    Bytes(object.key);
    Number(object.value.index());
    switch (object.type()) {
      case ObjectType::kString:
        Bytes(object.string());
        break;
      case ObjectType::kStream:
        Add(object.stream());
        break;
      case ObjectType::kStockItem:
        Add(object.item());
        break;
    }
  }

  void Add(const Stream& stream) {
    Number(stream.length());
    Number(stream.entries_added());
    Id(stream.last_id()), Id(stream.max_deleted_id());
    Number(stream.appended_), Number(stream.node_base_), Number(storage::Value(stream.emptied_at_));
    stream.Scan(kMinStreamId, kMaxStreamId, [&](StreamId id, storage::Place place) {
      Id(id);
      Bytes(ReadEntry(place.data()).fields);
      return true;
    });
    Maybe(stream.retention().ms), Maybe(stream.retention().bytes);
    Number(stream.next_group());
    for (const auto& [name, group] : stream.groups()) Add(*group);
    const Idempotence& idempotence = stream.idempotence();
    Number(idempotence.seconds), Number(idempotence.messages);
    Number(idempotence.added), Number(idempotence.duplicates);
    if (!idempotence.producers) return;
    idempotence.producers->ForEach([this](std::string_view producer, std::string_view message,
                                          StreamId entry) { Bytes(producer), Bytes(message), Id(entry); });
  }

  void Add(const ConsumerGroup& group) {
    Number(group.number());
    Bytes(group.name());
    Id(group.last_delivered());
    Maybe(group.entries_read());
    Number(group.next_consumer());
    for (const auto& [name, consumer] : group.consumers()) {
      Number(consumer->number);
      Bytes(name);
      Maybe(consumer->active_ms);
    }
    // The order of waiting is state too: among what is nobody's it is the order of giving back.
    Number(group.pending().size());
    group.pending().ScanLongestWaiting([this](const Pending& pending) {
      Id(pending.id);
      Number(pending.consumer), Number(pending.delivered_ms), Number(pending.deliveries);
      return true;
    });
  }

  void Add(const StockItem& item) {
    Number(item.total()), Number(item.available()), Number(item.held()), Number(item.sold());
    Number(item.kept_), Number(item.orders_placed()), Id(item.last_order());
    Number(static_cast<uint64_t>(item.pause_)), Number(static_cast<uint64_t>(item.paused_ms_));
    Number(static_cast<uint64_t>(item.shift_ms_));
    Add(item.rules());
    item.orders().ForEach([&](uint32_t number, const Order& order) {
      Id(order.id), Number(static_cast<uint64_t>(order.time_ms)), Number(order.quantity);
      Number(static_cast<uint64_t>(order.state)), Number(order.flags);
      Bytes(item.buyers().NameOf(order.buyer));
      Bytes(order.request == RequestTable::kNone ? std::string_view() : item.requests().IdOf(order.request));
      const Bundle* bundle = item.BundleOf(number);
      if (bundle == nullptr) return;
      for (ObjectId member : bundle->items) Number(static_cast<uint64_t>(member));
      Bytes(bundle->stream);
    });
    const RequestTable& requests = item.requests();
    for (size_t n = 0; n < requests.restocks(); ++n) {
      Number(static_cast<uint64_t>(requests.RestockTime(n)));
      Bytes(requests.IdOf(requests.RestockNumber(n)));
      Number(static_cast<uint64_t>(requests[requests.RestockNumber(n)].delta));
    }
    // A buyer's number is no state, only a place in a table: the sum does not depend on the order.
    uint64_t buyers = 0;
    for (uint32_t i = 0; i < item.buyers().numbers(); ++i) {
      if (item.buyers().Exists(i)) buyers += HashBytes(item.buyers().NameOf(i), item.buyers().PiecesOf(i));
    }
    Number(item.buyers().size()), Number(buyers);
  }

  void Add(const SaleRules& rules) {
    for (uint64_t number : {rules.start_ms, rules.end_ms, rules.limit, rules.max_quantity, rules.hold_ms,
                            rules.rate, rules.rate_ms, rules.max_backlog, rules.idem_ms})
      Number(number);
    Number(rules.keep_quota), Number(static_cast<uint64_t>(rules.events));
    Bytes(rules.stream), Bytes(rules.event_stream), Bytes(rules.backlog_group);
  }

  XXH3_state_t state_;
};

uint64_t Engine::StateHash() const {
  StateHasher hasher;
  hasher.Add(keys_);
  return hasher.digest();
}

}  // namespace sluice::engine
