#include "server/engine/producer_table.h"

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
  messages_.push_back({&owner, std::string(message), entry});
  const Place place = std::prev(messages_.end());
  owner.by_text.emplace(place->text, place);
  owner.by_age.push_back(place);
  while (owner.by_age.size() > most) ForgetOldestOf(owner);
}

void ProducerTable::ForgetThrough(uint64_t ms) {
  // The oldest of all is its producer's oldest.
  while (!messages_.empty() && messages_.front().entry.ms <= ms) ForgetOldestOf(*messages_.front().producer);
}

void ProducerTable::Clear() {
  producers_.clear();
  messages_.clear();
}

void ProducerTable::ForgetOldestOf(Producer& producer) {
  const Place place = producer.by_age.front();
  producer.by_age.pop_front();
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
