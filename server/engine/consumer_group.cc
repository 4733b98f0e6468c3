#include "server/engine/consumer_group.h"

#include "server/engine/estimate.h"
#include "server/engine/free_some.h"
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

bool ConsumerGroup::FreeSome(size_t& pieces) {
  return pending_.FreeSome(pieces) || EraseSome(by_number_, pieces) || EraseSome(consumers_, pieces);
}

size_t ConsumerGroup::memory_bytes(size_t samples) const {
  return sizeof *this + pending_.memory_bytes() + EstimateSum(consumers_, samples, [](const auto& named) {
           return sizeof(Consumer) + 2 * named.first.capacity();
         });
}

}  // namespace sluice::engine
