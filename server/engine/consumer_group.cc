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
  pending_.EraseConsumer(number);
  by_number_.erase(number);
  consumers_.erase(consumers_.find(std::string_view(consumer.name)));
}

size_t ConsumerGroup::memory_bytes() const {
  size_t bytes = sizeof *this + pending_.memory_bytes();
  for (const auto& [name, consumer] : consumers_) bytes += sizeof *consumer + 2 * name.capacity();
  return bytes;
}

}  // namespace sluice::engine
