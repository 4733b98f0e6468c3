#include "server/engine/engine.h"

#include <algorithm>

#include "storage/check.h"

namespace sluice::engine {

// Applies events: one overload each.
class Applier {
 public:
  Applier(Engine& engine, storage::Place place) : engine_(engine), keys_(engine.keys_), place_(place) {}

  void operator()(const CreateKey& e) {
    Object& object = keys_.Create(e.object, e.db, e.key);
    switch (e.type) {
      case ObjectType::kString:
        object.value = std::string();
        break;
      case ObjectType::kStream:
        object.value = std::make_unique<Stream>(e.object);
        break;
      case ObjectType::kStockItem:
        object.value = std::make_unique<StockItem>(engine_.hash_seed_);
        break;
    }
  }
  void operator()(const RemoveKey& e) { Drop(e.object); }
  void operator()(const RenameKey& e) { keys_.Rename(e.object, e.db, e.key); }
  void operator()(const FlushKeys& e) {
    for (size_t slot = 0; slot < keys_.slots(); ++slot) {
      const Object* object = keys_.At(slot);
      if (object != nullptr && (e.db == kAllDatabases || keys_.DatabaseOf(*object) == e.db)) Drop(object->id);
    }
  }
  void operator()(const SetString& e) {
    *std::get_if<std::string>(&keys_.Mutable(e.object)->value) = e.value;
  }

  void operator()(const WriteString& e) {
    std::string& value = *std::get_if<std::string>(&keys_.Mutable(e.object)->value);
    if (value.size() < e.offset + e.bytes.size()) value.resize(e.offset + e.bytes.size());
    value.replace(e.offset, e.bytes.size(), e.bytes);
  }
  void operator()(const SetExpiry& e) { keys_.SetExpiry(e.object, e.unix_ms); }
  void operator()(const SwapDatabases& e) { keys_.SwapDatabases(e.first, e.second); }

  void operator()(const AppendEntry& e) { StreamOf(e.stream).Append(e.id, place_); }
  void operator()(const TrimStream& e) { StreamOf(e.stream).TrimThrough(e.last, place_.lsn()); }
  void operator()(const DeleteEntries& e) {
    Stream& stream = StreamOf(e.stream);
    for (StreamId id : e.ids) stream.Delete(id, place_.lsn());
  }
  void operator()(const TrimEntries& e) {
    Stream& stream = StreamOf(e.stream);
    for (StreamId id : e.ids) stream.Remove(id, place_.lsn());
  }
  void operator()(const SetStreamId& e) {
    Stream& stream = StreamOf(e.stream);
    stream.last_id_ = e.last;
    stream.entries_added_ = e.entries_added;
    stream.max_deleted_ = e.max_deleted;
  }

  void operator()(const CreateGroup& e) {
    ConsumerGroup& group = StreamOf(e.stream).AddGroup(e.group, e.name);
    group.last_delivered_ = e.last_delivered;
    group.entries_read_ = e.entries_read;
  }
  void operator()(const SetGroupId& e) {
    ConsumerGroup& group = GroupOf(e);
    group.last_delivered_ = e.last_delivered;
    group.entries_read_ = e.entries_read;
  }
  void operator()(const DestroyGroup& e) { DropPart(StreamOf(e.stream).RemoveGroup(e.group)); }
  void operator()(const CreateConsumer& e) { GroupOf(e).AddConsumer(e.consumer, e.name).seen_ms = e.now_ms; }
  void operator()(const DeleteConsumer& e) { GroupOf(e).RemoveConsumer(e.consumer); }

  void operator()(const Deliver& e) {
    Stream& stream = StreamOf(e.stream);
    ConsumerGroup& group = stream.Group(e.group);
    Consumer& consumer = group.Mutable(e.consumer);
    consumer.seen_ms = e.now_ms;
    consumer.active_ms = e.now_ms;
    if (e.no_ack == 0) {
      stream.Scan(*Next(group.last_delivered_), e.last, [&](StreamId id, storage::Place) {
        group.pending_.Put({.id = id, .delivered_ms = e.now_ms, .deliveries = 1, .consumer = e.consumer});
        return true;
      });
    }
    group.last_delivered_ = e.last;
    group.entries_read_ = e.entries_read;
  }
  void operator()(const Redeliver& e) {
    ConsumerGroup& group = GroupOf(e);
    group.Mutable(e.consumer).seen_ms = e.now_ms;
    for (StreamId id : e.ids) {
      Pending pending = *group.pending_.Find(id);
      pending.delivered_ms = e.now_ms;
      Increment(pending.deliveries);
      group.pending_.Put(pending);
    }
  }
  void operator()(const Release& e) {
    ConsumerGroup& group = GroupOf(e);
    for (StreamId id : e.ids) group.pending_.Erase(id);
  }
  void operator()(const Claim& e) {
    ConsumerGroup& group = GroupOf(e);
    Consumer& consumer = group.Mutable(e.consumer);
    consumer.seen_ms = e.now_ms;
    if (!e.ids.empty()) consumer.active_ms = e.now_ms;
    for (StreamId id : e.ids) {
      // What was not pending (FORCE) counts as delivered once already, as in Redis.
      Pending pending = group.pending_.Find(id).value_or(Pending{.id = id, .deliveries = 1});
      pending.consumer = e.consumer;
      pending.delivered_ms = e.delivered_ms;
      if (e.count == Claim::kSet) pending.deliveries = e.deliveries;
      if (e.count == Claim::kIncrement) Increment(pending.deliveries);
      group.pending_.Put(pending);
    }
  }

  void operator()(const GiveBack& e) {
    ConsumerGroup& group = GroupOf(e);
    for (StreamId id : e.ids) {
      Pending pending = group.pending_.Find(id).value_or(Pending{.id = id});
      pending.consumer = kNobody;
      pending.delivered_ms = 0;
      if (e.count == GiveBack::kSet) pending.deliveries = e.deliveries;
      if (e.count == GiveBack::kDecrement && pending.deliveries > 0) --pending.deliveries;
      group.pending_.Put(pending);
    }
  }

  void operator()(const LimitProducers& e) {
    Stream& stream = StreamOf(e.stream);
    stream.idempotence_.seconds = e.seconds;
    stream.idempotence_.messages = e.messages;
    if (stream.idempotence_.producers) DropPart(std::move(stream.idempotence_.producers));
  }
  void operator()(const RememberMessage& e) {
    Idempotence& idempotence = StreamOf(e.stream).idempotence_;
    if (!idempotence.producers) idempotence.producers = std::make_unique<ProducerTable>();
    idempotence.producers->Remember(e.producer, e.message, e.entry, e.most);
    ++idempotence.added;
  }
  void operator()(const CountDuplicate& e) { ++StreamOf(e.stream).idempotence_.duplicates; }
  void operator()(const ForgetMessages& e) {
    StreamOf(e.stream).idempotence_.producers->ForgetThrough(e.through_ms);
  }

  void operator()(const ConfigureItem& e) {
    StockItem& item = ItemOf(e.item);
    item.total_ = item.available_ = e.stock;
    item.rules_ = {std::string(e.stream), e.start_ms, e.end_ms, e.limit, e.max_quantity};
  }
  void operator()(const AddStock& e) {
    StockItem& item = ItemOf(e.item);
    item.total_ += static_cast<uint64_t>(e.delta);
    item.available_ += static_cast<uint64_t>(e.delta);
  }
  void operator()(const Sell& e) {
    StockItem& item = ItemOf(e.item);
    item.available_ -= e.quantity;
    item.sold_ += e.quantity;
    ++item.orders_;
    item.last_order_ = e.order;
    item.buyers_.Add(e.user, e.quantity);
  }

 private:
  // Counts of deliveries saturate, as XNACK FATAL's largest number must.
  static void Increment(uint64_t& deliveries) {
    if (deliveries < INT64_MAX) ++deliveries;
  }

  Stream& StreamOf(ObjectId id) { return **std::get_if<std::unique_ptr<Stream>>(&keys_.Mutable(id)->value); }
  StockItem& ItemOf(ObjectId id) {
    return **std::get_if<std::unique_ptr<StockItem>>(&keys_.Mutable(id)->value);
  }
  ConsumerGroup& GroupOf(const auto& event) { return StreamOf(event.stream).Group(event.group); }
  void Drop(ObjectId id) {
    Object removed = keys_.Remove(id);
    if (engine_.dump_ != nullptr) return engine_.dump_->Take(std::move(removed), engine_.dropped_);
    engine_.dropped_.emplace_back(std::move(removed));
  }
  void DropPart(auto part) {
    if (engine_.dump_ != nullptr) return engine_.dump_->Take(std::move(part));
    engine_.dropped_.emplace_back(std::move(part));
  }

  Engine& engine_;
  Keyspace& keys_;
  storage::Place place_;
};

void Engine::Apply(const Event& event, storage::Place place) {
  if (dump_ != nullptr) [[unlikely]]
    dump_->BeforeChange(event);
  ++events_;
  std::visit(Applier(*this, place), event);
}

void Engine::BeginDump(StateDump::Out out) {
  CHECK(dump_ == nullptr);
  dump_ = std::make_unique<StateDump>(keys_, std::move(out));
}

bool Engine::ContinueDump(size_t bytes) {
  if (dump_ == nullptr) return false;
  if (dump_->Continue(bytes, dropped_)) return true;
  dumped_records_ = dump_->records();
  dump_.reset();
  return false;
}

void Engine::Touch(ObjectId stream, uint32_t group, uint32_t consumer, uint64_t now_ms) {
  auto& value = std::get<std::unique_ptr<Stream>>(keys_.Mutable(stream)->value);
  const_cast<ConsumerGroup*>(value->FindGroup(group))->Mutable(consumer).seen_ms = now_ms;
}

bool Engine::FreeSome() {
  constexpr size_t kSlice = 256;
  dropped_.resize(dropped_.size() - std::min(kSlice, dropped_.size()));
  return !dropped_.empty();
}

}  // namespace sluice::engine
