#include "server/engine/engine.h"

#include <algorithm>

#include "storage/check.h"

namespace sluice::engine {

// Applies events: one overload each.
class Applier {
 public:
  Applier(Engine& engine, storage::Place place) : engine_(engine), keys_(engine.keys_), place_(place) {}

  void operator()(const CreateKey& e) {
    // A replay may come here before what a flush ended is out of its slot.
    if (auto dead = keys_.TakeDeadAt(SlotOf(e.object))) engine_.Bury(std::move(*dead));
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
  void operator()(const RemoveKey& e) {
    Object removed = keys_.Remove(e.object);
    if (removed.type() == ObjectType::kStream) NoteLoss();
    engine_.Bury(std::move(removed));
  }
  void operator()(const RenameKey& e) { keys_.Rename(e.object, e.db, e.key); }
  void operator()(const FlushKeys& e) {
    for (uint8_t db = 0; db < kDatabases; ++db) {
      if ((e.db == kAllDatabases || e.db == db) && keys_.size(db) != 0)
        engine_.dropped_.emplace_back(keys_.Flush(db));
    }
    NoteLoss();
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
  void operator()(const TrimStream& e) {
    StreamOf(e.stream).TrimThrough(e.last, place_.lsn());
    NoteLoss();
  }
  void operator()(const DeleteEntries& e) {
    Stream& stream = StreamOf(e.stream);
    for (StreamId id : e.ids) stream.Delete(id, place_.lsn());
    NoteLoss();
  }
  void operator()(const TrimEntries& e) {
    Stream& stream = StreamOf(e.stream);
    for (StreamId id : e.ids) stream.Remove(id, place_.lsn());
    NoteLoss();
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
      PendingList::Delivery delivery(group.pending_, e.consumer, e.now_ms);
      stream.Scan(*Next(group.last_delivered_), e.last, [&](StreamId id, storage::Place) {
        delivery.Add(id);
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
    engine_.NoteSwept(e.stream, stream);
  }
  void operator()(const RememberMessage& e) {
    Stream& stream = StreamOf(e.stream);
    Idempotence& idempotence = stream.idempotence_;
    if (!idempotence.producers) idempotence.producers = std::make_unique<ProducerTable>();
    idempotence.producers->Remember(e.producer, e.message, e.entry, e.most);
    ++idempotence.added;
    engine_.NoteSwept(e.stream, stream);
  }
  void operator()(const CountDuplicate& e) { ++StreamOf(e.stream).idempotence_.duplicates; }
  void operator()(const ForgetMessages& e) {
    Stream& stream = StreamOf(e.stream);
    stream.idempotence_.producers->ForgetThrough(e.through_ms);
    engine_.NoteSwept(e.stream, stream);
  }
  void operator()(const SetRetention& e) {
    Stream& stream = StreamOf(e.stream);
    stream.retention_ = {.ms = e.ms, .bytes = e.bytes};
    engine_.NoteSwept(e.stream, stream);
  }

  void operator()(const SetSaleRules& e) {
    StockItem& item = ItemOf(e.item);
    item.rules_ = {.start_ms = e.start_ms,
                   .end_ms = e.end_ms,
                   .limit = e.limit,
                   .max_quantity = e.max_quantity,
                   .hold_ms = e.hold_ms,
                   .rate = e.rate,
                   .rate_ms = e.rate_ms,
                   .max_backlog = e.max_backlog,
                   .idem_ms = e.idem_ms,
                   .keep_quota = e.keep_quota != 0,
                   .events = e.events,
                   .stream = std::string(e.stream),
                   .event_stream = std::string(e.event_stream),
                   .backlog_group = std::string(e.backlog_group)};
    Rearm(e.item, item);
  }
  void operator()(const AddStock& e) { ItemOf(e.item).Restock(e.delta); }
  void operator()(const AddStockOnce& e) {
    StockItem& item = ItemOf(e.item);
    item.Restock(e.delta);
    item.requests_.AddRestock(e.request, e.delta, static_cast<int64_t>(e.now_ms));
    Rearm(e.item, item);
  }
  void operator()(const PlaceOrder& e) {
    StockItem& item = ItemOf(e.item);
    item.Place({.id = e.order,
                .now_ms = e.now_ms,
                .deadline_ms = e.deadline_ms,
                .quantity = e.quantity,
                .flags = e.flags,
                .user = e.user,
                .user_hash = e.user_hash ? *e.user_hash : item.buyers_.HashOf(e.user),
                .request = e.request});
    Rearm(e.item, item);
  }
  void operator()(const BindOrders& e) {
    const auto bundle = std::make_shared<const Bundle>(
        Bundle{std::vector<ObjectId>(e.items.begin(), e.items.end()), std::string(e.stream)});
    for (ObjectId id : e.items) ItemOf(id).Bind(e.order, bundle);
  }
  void operator()(const SettleOrders& e) {
    StockItem& item = ItemOf(e.item);
    const StockItem::Settling settling{.state = e.state,
                                       .keeps_quota = (e.flags & SettleOrders::kKeepQuota) != 0,
                                       .restocks = (e.flags & SettleOrders::kNoRestock) == 0,
                                       .now_ms = e.now_ms};
    for (StreamId order : e.orders) item.Settle(order, settling);
    Rearm(e.item, item);
  }
  void operator()(const ReacquireOrder& e) {
    StockItem& item = ItemOf(e.item);
    item.Reacquire(e.order, e.now_ms);
    Rearm(e.item, item);
  }
  void operator()(const ExtendOrder& e) {
    StockItem& item = ItemOf(e.item);
    item.Extend(e.order, e.deadline_ms);
    Rearm(e.item, item);
  }
  void operator()(const PauseSale& e) {
    StockItem& item = ItemOf(e.item);
    item.SetPause(e.pause, e.now_ms);
    Rearm(e.item, item);
  }
  void operator()(const ForgetOrders& e) {
    StockItem& item = ItemOf(e.item);
    item.ForgetThrough(static_cast<int64_t>(e.closed_ms), e.order);
    for (uint32_t n = 0; n < e.restocks; ++n) item.requests_.ForgetOldestRestock();
    Rearm(e.item, item);
  }
  void operator()(const ForgetOrder& e) {
    StockItem& item = ItemOf(e.item);
    item.Forget(item.orders_.Find(e.order));
    Rearm(e.item, item);
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
  // After any change of an item's orders: when it has something due, and whether its own end has to wait.
  void Rearm(ObjectId id, StockItem& item) { engine_.Rearm(id, item); }
  void NoteLoss() { engine_.last_loss_ = place_.lsn(); }
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

// What has come out of its slot: no state, and nothing that follows from the state names it.
void Engine::Bury(Object object) {
  if (object.type() == ObjectType::kStockItem) {
    StockItem& item = **std::get_if<std::unique_ptr<StockItem>>(&object.value);
    deadlines_.Move(object.id, item.deadline_alarm_ms_, ItemAlarms::kNever);
    stale_.Move(object.id, item.stale_alarm_ms_, ItemAlarms::kNever);
  } else if (object.type() == ObjectType::kStream && object.stream().swept_) {
    swept_.erase(object.id);
  }
  if (dump_ != nullptr) return dump_->Take(std::move(object), dropped_);
  dropped_.emplace_back(std::move(object));
}

bool Engine::DropDeadAlarms(size_t& most) {
  const size_t before = most;
  for (ItemAlarms* alarms : {&deadlines_, &stale_}) {
    for (; most > 0 && !alarms->empty() && keys_.Find(alarms->item()) == nullptr; --most) alarms->PopFirst();
  }
  return most != before;
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

void Engine::Rearm(ObjectId id, StockItem& item) {
  deadlines_.Move(id, item.deadline_alarm_ms_, item.next_deadline());
  stale_.Move(id, item.stale_alarm_ms_, item.next_stale());
  keys_.DelayExpiry(id, item.held() != 0);
}

void Engine::NoteSwept(ObjectId id, Stream& stream) {
  const bool wanted = stream.retention_.any() || stream.KnowsMessages();
  if (wanted == stream.swept_) return;
  stream.swept_ = wanted;
  if (wanted) {
    swept_.insert(id);
  } else {
    swept_.erase(id);
  }
}

void Engine::Adopt(Keyspace keys) {
  keys_ = std::move(keys);
  for (size_t slot = 0; slot < keys_.slots(); ++slot) {
    const Object* object = keys_.At(slot);
    if (object == nullptr) continue;
    if (object->type() == ObjectType::kStream) {
      NoteSwept(object->id, **std::get_if<std::unique_ptr<Stream>>(&keys_.Mutable(object->id)->value));
    } else if (object->type() == ObjectType::kStockItem) {
      Rearm(object->id, **std::get_if<std::unique_ptr<StockItem>>(&keys_.Mutable(object->id)->value));
    }
  }
}

void Engine::Touch(ObjectId stream, uint32_t group, uint32_t consumer, uint64_t now_ms) {
  auto& value = std::get<std::unique_ptr<Stream>>(keys_.Mutable(stream)->value);
  const_cast<ConsumerGroup*>(value->FindGroup(group))->Mutable(consumer).seen_ms = now_ms;
}

void Engine::CountTry(ObjectId item, size_t code) {
  ++std::get<std::unique_ptr<StockItem>>(keys_.Mutable(item)->value)->statistics_.tries[code];
}

void Engine::NoteSoldOut(ObjectId item, uint64_t unix_ms) {
  std::get<std::unique_ptr<StockItem>>(keys_.Mutable(item)->value)->statistics_.sold_out_ms = unix_ms;
}

bool Engine::FreeSome() {
  // About 100 us.
  size_t pieces = 1024;
  while (pieces > 0) {
    if (!dropped_.empty()) {
      if (engine::FreeSome(dropped_.back(), pieces)) break;
      dropped_.pop_back();
      pieces -= std::min<size_t>(pieces, 2);
    } else if (auto dead = keys_.TakeDead(pieces)) {
      Bury(std::move(*dead));
    } else if (!keys_.has_dead()) {
      return false;
    }
  }
  return true;
}

}  // namespace sluice::engine
