#include "server/commands/wait_queue.h"

#include <algorithm>

#include "server/commands/blocked_call.h"

namespace sluice::commands {

// An argument's length fits: a bulk string has at most 2^29 bytes.
WaitQueue::WaitQueue(const WaitName& name)
    : text_(new char[name.key.size() + name.group.size()]),
      key_size_(static_cast<uint32_t>(name.key.size())),
      group_size_(static_cast<uint32_t>(name.group.size())),
      db_(name.db),
      grouped_(name.grouped) {
  std::copy(name.group.begin(), name.group.end(), std::copy(name.key.begin(), name.key.end(), text_.get()));
}

void WaitQueue::Append(WaitTicket& ticket) {
  ticket.queue = this;
  ticket.behind = nullptr;
  if (first_ == nullptr) {
    first_ = &ticket;
  } else {
    ticket.before = first_->before;
    ticket.before->behind = &ticket;
  }
  first_->before = &ticket;
  claiming_ += ticket.call->claims;
}

void WaitQueue::Remove(WaitTicket& ticket) {
  if (&ticket == first_) {
    first_ = ticket.behind;
    if (first_ != nullptr) first_->before = ticket.before;
  } else {
    ticket.before->behind = ticket.behind;
    (ticket.behind == nullptr ? first_ : ticket.behind)->before = ticket.before;
  }
  claiming_ -= ticket.call->claims;
}

}  // namespace sluice::commands
