// Calls that wait: for a pause to end, for the disk, for a key to change.
#include <algorithm>
#include <utility>

#include "server/commands/dispatcher_call.h"
#include "server/commands/dispatcher_impl.h"
#include "server/commands/handlers.h"
#include "storage/check.h"

namespace sluice::commands {

bool Dispatcher::Impl::MustWait(const Session& session, const Command& command) const {
  if (pause_->all) return true;
  if (command.handler == &Exec) return session.transaction && session.transaction->writes;
  return (command.flags & (kWrite | kWaitsForWrites)) != 0;
}

// Executes what was held back, until another pause begins.
void Dispatcher::Impl::Resume() {
  while (!pause_ && !postponed_.empty()) {
    Session& session = *postponed_.front();
    postponed_.erase(postponed_.begin());
    const std::unique_ptr<std::string> wire = std::move(session.postponed);
    CHECK(postponed_parser_.Parse(*wire) == protocol::RequestParser::Status::kRequest);
    Admit(session, postponed_parser_.request());
    EndTurn(session, &postponed_parser_.request());
    if (!session.waits()) host_.Wake(session);
    if (waiters_.any_ready()) ServeReady();
  }
  statistics_.blocked = waiters_.size() + postponed_.size();
}

// The call has met with what is not in memory: as if it had not run yet, it runs again once that is there.
void Dispatcher::Impl::PutOff(Session& session, const protocol::Request& request, size_t begin) {
  session.output.bytes().resize(begin);
  session.cold = std::make_unique<ColdCall>();
  session.cold->request = KeptRequest(request.args());
  session.cold->ticket = cold_calls_.Add(session);
  session.cold->waits = static_cast<uint8_t>(cold_waits_ + 1);
}

// Runs what has waited long enough for the disk.
void Dispatcher::Impl::RunFetched() {
  while (Session* session = cold_calls_.Next()) {
    if (!session->blocked) {
      RunAgain(*session);
    } else {
      // Its neighbours in the queue have waited for it: they are served behind it.
      session->cold->ticket = 0;
      waiters_.MarkReady(*session->blocked);
    }
    if (waiters_.any_ready()) ServeReady();
  }
}

void Dispatcher::Impl::RunAgain(Session& session) {
  const std::unique_ptr<ColdCall> call = std::move(session.cold);
  std::vector<std::string_view> args;
  call->request.Unpack(args);
  const protocol::Request request(args);
  {
    std::optional<storage::ColdReads::InPlace> in_place;
    if (call->waits == kMostColdWaits) in_place.emplace(cold_reads_);
    cold_waits_ = call->waits;
    Admit(session, request);
    cold_waits_ = 0;
  }
  EndTurn(session, &request);
  if (!session.waits()) host_.Wake(session);
}

void Dispatcher::Impl::ServeReady() {
  waiters_.ServeReady([this](WaitQueue& queue) { ServeQueue(queue); });
  statistics_.blocked = waiters_.size() + postponed_.size();
}

void Dispatcher::Impl::ServeQueue(WaitQueue& queue) {
  bool nothing_new = false;
  for (WaitTicket* ticket = queue.first(); ticket != nullptr;) {
    BlockedCall& call = *ticket->call;
    ticket = ticket->behind;  // the call takes its ticket with it when it is answered
    if (nothing_new && !call.claims) continue;
    if (Retry(call) || !queue.grouped()) continue;
    if (!queue.claims()) return;
    nothing_new = true;
  }
}

// Executes a waiting call again; true where it was answered, and is gone.
bool Dispatcher::Impl::Retry(BlockedCall& call) {
  Session& session = *call.session;
  if (session.cold && session.cold->ticket != 0) return false;
  call.request.Unpack(kept_args_);
  const protocol::Request request(kept_args_);
  // His rules may have changed while he waited.
  if (const acl::Denied denied = DeniedTo(session, *call.command, request); denied != acl::Denied::kNothing) {
    Answer(call, acl::NoPermission(denied, *call.command));
    return true;
  }
  const Delivery::Reply writing(delivery_, session);
  const size_t begin = session.output.bytes().size();
  session.output.ShowState();
  protocol::ReplyWriter reply(session.output.bytes(), session.version);
  Call again(*this, session, *call.command, request, reply, true);
  {
    std::optional<storage::ColdReads::InPlace> in_place;
    if (session.cold && session.cold->waits == kMostColdWaits) in_place.emplace(cold_reads_);
    call.command->handler(again);
  }
  again.AnswerDamage();
  if (cold_reads_.missed()) {
    session.output.bytes().resize(begin);
    if (!session.cold) session.cold = std::make_unique<ColdCall>();
    session.cold->ticket = cold_calls_.Add(session);
    ++session.cold->waits;
    waiters_.SetRetry(call, BlockedCall::kNever);
    return false;
  }
  session.cold.reset();
  if (again.blocks()) {
    if (call.retry_ms != again.retry_ms()) waiters_.SetRetry(call, again.retry_ms());
    return false;
  }
  waiters_.Remove(call);
  session.blocked.reset();
  if (session.mute()) Mute(session, begin);
  host_.Wake(session);
  return true;
}

// Ends a waiting call with an error, or as its timeout does.
void Dispatcher::Impl::Answer(BlockedCall& call, std::string_view error) {
  Session& session = *call.session;
  if (session.cold) cold_calls_.Remove(session.cold->ticket);
  session.cold.reset();
  waiters_.Remove(call);
  session.blocked.reset();
  session.output.ShowState();
  const size_t begin = session.output.bytes().size();
  if (error.empty()) {
    protocol::ReplyWriter(session.output.bytes(), session.version).NullArray();
  } else {
    Refuse(session, nullptr, error);
  }
  if (session.mute()) Mute(session, begin);
  statistics_.blocked = waiters_.size() + postponed_.size();
  host_.Wake(session);
}

void Dispatcher::Impl::RunDue() {
  ReleaseDueHolds();
  RunFetched();
  while (BlockedCall* call = waiters_.Earliest()) {
    if (call->due_ms() > now_.monotonic_ms) break;
    if (call->deadline_ms <= now_.monotonic_ms) {
      Answer(*call, {});
    } else {
      Retry(*call);
    }
  }
  if (waiters_.any_ready()) ServeReady();
  if (pause_ && pause_->until_ms <= now_.monotonic_ms) {
    pause_.reset();
    Resume();
  }
  statistics_.blocked = waiters_.size() + postponed_.size();
}

std::optional<uint64_t> Dispatcher::Impl::next_deadline_ms() const {
  if (cold_calls_.ready()) return now_.monotonic_ms;
  const BlockedCall* call = waiters_.Earliest();
  uint64_t due_ms = call == nullptr ? UINT64_MAX : call->due_ms();
  if (pause_) {
    due_ms = std::min(due_ms, pause_->until_ms);
  } else if (!journal_.engine().deadlines().empty()) {
    due_ms = std::min(due_ms, HoldsDueMs());
  }
  return due_ms == UINT64_MAX ? std::nullopt : std::optional(due_ms);
}

void Dispatcher::Impl::Drop(Session& session) {
  watches_.Remove(session);
  subscriptions_.Drop(session);
  monitors_.Drop(session);
  if (session.postponed) std::erase(postponed_, &session);
  session.postponed.reset();
  if (session.blocked) waiters_.Remove(*session.blocked);
  session.blocked.reset();
  if (session.cold) cold_calls_.Remove(session.cold->ticket);
  session.cold.reset();
  statistics_.blocked = waiters_.size() + postponed_.size();
}

}  // namespace sluice::commands
