#include "server/engine/producer_table.h"

#include <algorithm>
#include <utility>

namespace sluice::engine {

std::optional<StreamId> ProducerTable::Find(std::string_view producer, std::string_view message) const {
  const auto found = producers_.find(producer);
  if (found == producers_.end()) return std::nullopt;
  const auto place = found->second->by_text.find(message);
  if (place == found->second->by_text.end()) return std::nullopt;
  return place->second->entry;
}

void ProducerTable::Remember(std::string_view producer, std::string_view message, StreamId entry,
                             uint64_t most) {
  auto found = producers_.find(producer);
  if (found == producers_.end()) {
    auto added = std::make_unique<Producer>();
    added->name = producer;
    const std::string_view name = added->name;
    found = producers_.emplace(name, std::move(added)).first;
  }
  Producer& owner = *found->second;
  const auto known = owner.by_text.find(message);
  messages_.push_back({&owner, std::string(message), entry});
  const Place place = std::prev(messages_.end());
  owner.by_age.push_back(place);
  // In this order: a producer without messages would be gone.
  if (known != owner.by_text.end()) Forget(known->second);
  owner.by_text.emplace(place->text, place);
  while (owner.by_age.size() > std::max<uint64_t>(most, 1)) Forget(owner.by_age.front());
}

void ProducerTable::ForgetThrough(uint64_t ms) {
  while (!messages_.empty() && messages_.front().entry.ms <= ms) Forget(messages_.begin());
}

void ProducerTable::Clear() {
  producers_.clear();
  messages_.clear();
}

// Nearly always the producer's oldest, which is found at once.
void ProducerTable::Forget(Place place) {
  Producer& producer = *place->producer;
  producer.by_age.erase(std::find(producer.by_age.begin(), producer.by_age.end(), place));
  producer.by_text.erase(place->text);
  messages_.erase(place);
  if (producer.by_age.empty()) producers_.erase(producers_.find(std::string_view(producer.name)));
}

size_t ProducerTable::memory_bytes() const {
  size_t bytes = producers_.size() * (sizeof(Producer) + 2 * sizeof(void*));
  for (const Message& message : messages_)
    bytes += sizeof message + message.text.capacity() + 4 * sizeof(void*);
  return bytes;
}

}  // namespace sluice::engine
