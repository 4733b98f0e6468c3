#include "server/engine/producer_table.h"

#include <algorithm>
#include <utility>

#include "server/engine/estimate.h"

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
  messages_.push_back({&owner, std::string(message), entry, next_number_++});
  const Place place = std::prev(messages_.end());
  if (dump_ && dump_->next == messages_.end()) dump_->next = place;
  owner.by_age.push_back(place);
  // In this order: a producer without messages would be gone.
  if (known != owner.by_text.end()) Forget(known->second);
  owner.by_text.emplace(place->text, place);
  while (owner.by_age.size() > std::max<uint64_t>(most, 1)) Forget(owner.by_age.front());
}

std::optional<uint64_t> ProducerTable::PlanForget(uint64_t ms, size_t most) const {
  std::optional<uint64_t> through;
  // Entries need not come in the order of their IDs (XIDMPRECORD): the highest on the way is what takes all
  // of them along.
  for (auto it = messages_.begin(); it != messages_.end() && it->entry.ms <= ms && most > 0; ++it, --most)
    through = std::max(through.value_or(0), it->entry.ms);
  return through;
}

void ProducerTable::ForgetThrough(uint64_t ms) {
  while (!messages_.empty() && messages_.front().entry.ms <= ms) Forget(messages_.begin());
}

// Nearly always the producer's oldest, which is found at once.
void ProducerTable::Forget(Place place) {
  if (dump_ && dump_->next != messages_.end() && place->number >= dump_->next->number) [[unlikely]] {
    if (place->number < dump_->end) Show(*place);
    if (place == dump_->next) ++dump_->next;
  }
  Producer& producer = *place->producer;
  producer.by_age.erase(std::find(producer.by_age.begin(), producer.by_age.end(), place));
  producer.by_text.erase(place->text);
  messages_.erase(place);
  if (producer.by_age.empty()) producers_.erase(producers_.find(std::string_view(producer.name)));
}

void ProducerTable::Show(const Message& message) {
  dump_->dump(message.number, message.producer->name, message.text, message.entry);
}

void ProducerTable::BeginDump(Dump dump) {
  dump_ = std::make_unique<DumpState>(DumpState{std::move(dump), messages_.begin(), next_number_});
}

bool ProducerTable::ContinueDump() {
  if (!dump_) return false;
  if (dump_->next != messages_.end() && dump_->next->number < dump_->end) {
    Show(*dump_->next);
    ++dump_->next;
    return true;
  }
  dump_.reset();
  return false;
}

bool ProducerTable::FreeSome(size_t& pieces) {
  constexpr size_t kPiecesOfMessage = 4;
  for (; !messages_.empty() && pieces > 0; pieces -= std::min(pieces, kPiecesOfMessage))
    Forget(messages_.begin());
  return !messages_.empty();
}

size_t ProducerTable::memory_bytes(size_t samples) const {
  return producers_.size() * (sizeof(Producer) + 2 * sizeof(void*)) +
         EstimateSum(messages_, samples, [](const Message& message) {
           return sizeof message + message.text.capacity() + 4 * sizeof(void*);
         });
}

}  // namespace sluice::engine
