#include "server/engine/consumer_group.h"

#include "storage/check.h"

namespace sluice::engine {

const Consumer* ConsumerGroup::FindConsumer(std::string_view name) const {
  auto it = consumers_.find(name);
  return it == consumers_.end() ? nullptr : it->second.get();
}

Consumer& ConsumerGroup::AddConsumer(uint32_t number, std::string_view name) {
  auto consumer = std::make_unique<Consumer>();
  consumer->number = number;
  consumer->name = name;
  Consumer& added = *consumer;
  CHECK(consumers_.emplace(added.name, std::move(consumer)).second);
  by_number_[number] = &added;
  next_consumer_ = number + 1;
  return added;
}

void ConsumerGroup::RemoveConsumer(uint32_t number) {
  Consumer& consumer = Mutable(number);
  for (StreamId id : consumer.pending) pending_.erase(id);
  by_number_.erase(number);
  consumers_.erase(consumers_.find(std::string_view(consumer.name)));
}

Pending& ConsumerGroup::Assign(StreamId id, Consumer& consumer) {
  // Deliveries come in the order of IDs: both trees are entered at their end, in constant time.
  auto [it, added] = pending_.empty() || std::prev(pending_.end())->first < id
                         ? std::pair{pending_.emplace_hint(pending_.end(), id, Pending{}), true}
                         : pending_.try_emplace(id);
  Pending& pending = it->second;
  if (!added && pending.consumer == consumer.number) return pending;
  if (!added) Mutable(pending.consumer).pending.erase(id);
  pending.consumer = consumer.number;
  consumer.pending.insert(consumer.pending.end(), id);
  return pending;
}

bool ConsumerGroup::Release(StreamId id) {
  auto it = pending_.find(id);
  if (it == pending_.end()) return false;
  Mutable(it->second.consumer).pending.erase(id);
  pending_.erase(it);
  return true;
}

size_t ConsumerGroup::memory_bytes() const {
  size_t bytes = sizeof *this + pending_.size() * (sizeof(StreamId) * 2 + sizeof(Pending));
  for (const auto& [name, consumer] : consumers_) bytes += sizeof *consumer + 2 * name.capacity();
  return bytes;
}

}  // namespace sluice::engine
