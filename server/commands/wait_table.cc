#include "server/commands/wait_table.h"

namespace sluice::commands {

WaitTable::WaitTable(uint64_t hash_seed) : firsts_(0, HashKey{hash_seed}), others_(0, HashName{hash_seed}) {}

void WaitTable::Add(BlockedCall& call, std::span<const std::string_view> keys, std::string_view group,
                    bool grouped) {
  call.tickets.reserve(keys.size());  // tickets stay where they are
  for (std::string_view key : keys) {
    WaitQueue& queue = QueueOf({call.db, grouped, key, group});
    if (!queue.empty() && queue.last()->call == &call) continue;  // a key named twice
    call.tickets.push_back({.call = &call});
    queue.Append(call.tickets.back());
  }
  SetDue(call);
  ++size_;
}

void WaitTable::Remove(BlockedCall& call) {
  for (WaitTicket& ticket : call.tickets) {
    ticket.queue->Remove(ticket);
    if (ticket.queue->empty()) Release(*ticket.queue);
  }
  call.tickets.clear();
  UnsetDue(call);
  --size_;
}

void WaitTable::SetRetry(BlockedCall& call, uint64_t retry_ms) {
  UnsetDue(call);
  call.retry_ms = retry_ms;
  SetDue(call);
}

void WaitTable::SetDue(BlockedCall& call) {
  if (call.due_ms() != BlockedCall::kNever) due_.insert({call.due_ms(), &call});
}

void WaitTable::UnsetDue(BlockedCall& call) {
  if (call.due_ms() != BlockedCall::kNever) due_.erase({call.due_ms(), &call});
}

void WaitTable::MarkReady(uint8_t db, std::string_view key) {
  const auto found = firsts_.find(WaitName{.db = db, .key = key});
  if (found == firsts_.end() || (*found)->ready_) return;
  (*found)->ready_ = true;
  ready_.push_back(found->get());
}

void WaitTable::MarkAllReady(uint8_t db) {
  for (const auto& first : firsts_) {
    if (first->db() != db || first->ready_) continue;
    first->ready_ = true;
    ready_.push_back(first.get());
  }
}

void WaitTable::MarkReady(const BlockedCall& call) {
  for (const WaitTicket& ticket : call.tickets) MarkReady(ticket.queue->db(), ticket.queue->key());
}

// The key's first queue, where its name fits or the key is new; otherwise one behind it.
WaitQueue& WaitTable::QueueOf(const WaitName& name) {
  const auto found = firsts_.find(name);
  if (found == firsts_.end()) return **firsts_.insert(std::make_unique<WaitQueue>(name)).first;
  WaitQueue& first = **found;
  if (first.grouped() == name.grouped && first.group() == name.group) return first;
  if (const auto other = others_.find(name); other != others_.end()) return **other;
  WaitQueue& queue = **others_.insert(std::make_unique<WaitQueue>(name)).first;
  queue.previous_ = &first;
  queue.next_ = first.next_;
  if (queue.next_ != nullptr) queue.next_->previous_ = &queue;
  first.next_ = &queue;
  return queue;
}

// `queue` is empty now: forgets it, unless its key has changed and is about to be visited.
void WaitTable::Release(WaitQueue& queue) {
  WaitQueue& first = **firsts_.find(WaitName{.db = queue.db(), .key = queue.key()});
  if (first.ready_ || &first == visited_) return;
  if (&queue != &first) Unlink(queue);
  if (first.empty() && first.next_ == nullptr) firsts_.erase(firsts_.find(NameOf(first)));
}

// After a visit: forgets the key's queues that nobody waits in any more.
void WaitTable::Sweep(WaitQueue& first) {
  for (WaitQueue* queue = first.next_; queue != nullptr;) {
    WaitQueue* next = queue->next_;
    if (queue->empty()) Unlink(*queue);
    queue = next;
  }
  if (first.empty() && first.next_ == nullptr) firsts_.erase(firsts_.find(NameOf(first)));
}

// Forgets a queue that is not its key's first.
void WaitTable::Unlink(WaitQueue& queue) {
  queue.previous_->next_ = queue.next_;
  if (queue.next_ != nullptr) queue.next_->previous_ = queue.previous_;
  others_.erase(others_.find(NameOf(queue)));
}

}  // namespace sluice::commands
