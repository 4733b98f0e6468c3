#include "server/commands/wait_table.h"

namespace sluice::commands {

bool WaitTable::Less::Before(const Name& a, const Name& b) {
  if (a.db != b.db) return a.db < b.db;
  if (const int order = a.key.compare(b.key); order != 0) return order < 0;
  if (a.grouped != b.grouped) return !a.grouped;
  return a.group < b.group;
}

void WaitTable::Add(BlockedCall& call, std::span<const std::string_view> keys, std::string_view group,
                    bool grouped) {
  for (std::string_view key : keys) {
    auto it = queues_.find(Name{call.db, key, group, grouped});
    if (it == queues_.end()) {
      auto queue = std::make_unique<WaitQueue>();
      queue->db = call.db;
      queue->key = key;
      queue->group = group;
      queue->grouped = grouped;
      it = queues_.insert(std::move(queue)).first;
    }
    WaitQueue& queue = **it;
    if (!queue.calls.empty() && queue.calls.back() == &call) continue;  // a key named twice
    queue.calls.push_back(&call);
    queue.claiming += call.claims;
    call.tickets.push_back({&queue, std::prev(queue.calls.end())});
  }
  if (const auto due = call.due_ms()) due_.insert({*due, &call});
  ++size_;
}

void WaitTable::Remove(BlockedCall& call) {
  for (const BlockedCall::Ticket& ticket : call.tickets) {
    ticket.queue->calls.erase(ticket.place);
    ticket.queue->claiming -= call.claims;
    if (ticket.queue->calls.empty() && ticket.queue != visited_) {
      const WaitQueue& queue = *ticket.queue;
      queues_.erase(queues_.find(Name{queue.db, queue.key, queue.group, queue.grouped}));
    }
  }
  call.tickets.clear();
  if (const auto due = call.due_ms()) due_.erase({*due, &call});
  --size_;
}

void WaitTable::SetRetry(BlockedCall& call, std::optional<uint64_t> retry_ms) {
  if (const auto due = call.due_ms()) due_.erase({*due, &call});
  call.retry_ms = retry_ms;
  if (const auto due = call.due_ms()) due_.insert({*due, &call});
}

std::vector<std::string> WaitTable::KeysOf(uint8_t db) const {
  std::vector<std::string> keys;
  for (auto it = queues_.lower_bound(Name{db, {}, {}, false}); it != queues_.end() && (*it)->db == db; ++it) {
    if (keys.empty() || keys.back() != (*it)->key) keys.push_back((*it)->key);
  }
  return keys;
}

}  // namespace sluice::commands
