#include "server/commands/dispatcher.h"

#include <algorithm>
#include <utility>

#include "protocol/glance.h"
#include "server/commands/acl_denial.h"
#include "server/commands/arguments.h"
#include "server/commands/dispatcher_call.h"
#include "server/commands/dispatcher_impl.h"
#include "server/commands/scripting.h"
#include "server/engine/look_ahead.h"
#include "storage/check.h"

namespace sluice::commands {
namespace {

// What an unknown command is told: its name and the first arguments, cut as Redis cuts them.
std::string UnknownCommand(const protocol::Request& request) {
  constexpr size_t kShown = 128;
  for (std::string_view script : {"EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO"}) {
    if (IsWord(request[0], script)) return NoScripts(script);
  }
  if (IsWord(request[0], "MODULE")) return "there are no modules here, and none can be loaded";
  for (std::string_view payload : {"DUMP", "MIGRATE", "RESTORE", "RESTORE-ASKING"}) {
    if (!IsWord(request[0], payload)) continue;
    return errors::Concat({"keys have no serialized form here ('", payload,
                           "'): sluice-backup copies a store, COPY and RENAME a key within it"});
  }
  std::string args;
  for (size_t i = 1; i < request.size() && args.size() < kShown; ++i) {
    args += errors::Concat({"'", request[i].substr(0, kShown - args.size()), "' "});
  }
  return errors::Concat(
      {"unknown command '", request[0].substr(0, kShown), "', with args beginning with: ", args});
}

std::string ToWire(std::span<const std::string_view> args) {
  std::string wire = errors::Concat({"*", std::to_string(args.size()), "\r\n"});
  for (std::string_view arg : args) AppendBulk(wire, arg);
  return wire;
}

// A row that fits a request, or what to answer instead.
struct Resolved {
  const Command* command = nullptr;
  std::string error;
};

Resolved Resolve(CommandFinder& commands, const protocol::Request& request, bool authenticated) {
  const Command* command = commands.Find(request[0]);
  if (command == nullptr)
    return {nullptr, authenticated ? UnknownCommand(request) : std::string(errors::kNoAuth)};
  if (!command->subcommands.empty() && request.size() > 1) {
    const Command* subcommand = FindSubcommand(*command, request[1]);
    if (subcommand == nullptr) {
      std::string container(command->name);
      for (char& c : container) c = static_cast<char>(c - 'a' + 'A');
      return {nullptr, authenticated ? errors::UnknownSubcommand(request[1], container)
                                     : std::string(errors::kNoAuth)};
    }
    command = subcommand;
  }
  if (!AritySuits(*command, request.size())) return {command, errors::WrongArity(command->name)};
  if (!authenticated && (command->flags & kNoAuth) == 0) return {command, std::string(errors::kNoAuth)};
  return {command, {}};
}

}  // namespace

const ServerStatistics& Context::statistics() {
  return diagnostics().statistics;
}

void Dispatcher::Impl::ReadSettings() {
  publishes_keys_ = notify::Publishes(settings_.notify_keyspace_events);
  // Below a millisecond an operator wants to know each command's own time.
  constexpr int64_t kPreciseBelowUs = 1000;
  const int64_t slower_us = settings_.slowlog_slower_than_us;
  times_.set_precise(slower_us >= 0 && slower_us < kPreciseBelowUs);
  uint64_t notice_ns = UINT64_MAX;
  if (slower_us >= 0) notice_ns = static_cast<uint64_t>(slower_us) * 1000;
  if (settings_.latency_threshold_ms != 0) {
    notice_ns = std::min(notice_ns, settings_.latency_threshold_ms * 1'000'000);
  }
  times_.set_notice(notice_ns);
  times_.set_tracking(settings_.latency_tracking);
  diagnostics_.slow_log.set_max_entries(settings_.slowlog_max_entries);
}

void Dispatcher::Impl::Execute(Session& session, const protocol::Request& request) {
  ++statistics_.commands;
  ++session.commands;
  session.active_ms = now_.unix_ms();
  // The default user may have lost his password since the client came.
  if (!session.authenticated && host_.users().open()) host_.users().Greet(session);
  Admit(session, request);
  if (waiters_.any_ready()) ServeReady();
  if (!pause_ && !postponed_.empty()) Resume();
}

// A request of a session, from its first byte of reply to the last.
void Dispatcher::Impl::Admit(Session& session, const protocol::Request& request) {
  const Delivery::Reply writing(delivery_, session);
  const size_t begin = session.output.bytes().size();
  Decide(session, request);
  if (session.mute()) [[unlikely]]
    Mute(session, begin);
}

// CLIENT REPLY OFF or SKIP was said, before or just now: takes the reply back. That a channel was subscribed
// to is told all the same.
void Dispatcher::Impl::Mute(Session& session, size_t begin) {
  const bool confirms = session.last_command != nullptr && session.last_command->group == Group::kPubsub &&
                        (session.last_command->flags & kInSubscription) != 0;
  if (!confirms) session.output.bytes().resize(begin);
  if (!session.waits() && session.replies_skipped != 0) --session.replies_skipped;
}

void Dispatcher::Impl::Decide(Session& session, const protocol::Request& request) {
  const Resolved resolved = Resolve(commands_, request, session.authenticated);
  if (resolved.command != nullptr) session.last_command = resolved.command;
  if (!resolved.error.empty()) {
    if (session.transaction) session.transaction->broken = true;
    return Refuse(session, resolved.command, resolved.error);
  }
  const Command& command = *resolved.command;
  if (!session.user->unrestricted() && !MayRun(session, command, request)) return;
  if (NeedsMemory(session, command) && memory_.IsOver(settings_.max_memory, now_.monotonic_ms)) [[unlikely]]
    return RefuseMemory(session, command);
  if (session.subscriptions && session.version == protocol::Version::kResp2 &&
      (command.flags & kInSubscription) == 0) {
    return Refuse(session, &command,
                  errors::Concat({"Can't execute '", command.name,
                                  "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are "
                                  "allowed in this context"}));
  }
  if (pause_ && MustWait(session, command)) [[unlikely]] {
    session.postponed = std::make_unique<std::string>(ToWire(request.args()));
    postponed_.push_back(&session);
    statistics_.blocked = waiters_.size() + postponed_.size();
    return;
  }
  if (session.transaction && (command.flags & kRunsInMulti) == 0) return Queue(session, command, request);
  Run(session, command, request);
}

// Executes a command, and looks at how it went: its time, its outcome, who watches.
void Dispatcher::Impl::Run(Session& session, const Command& command, const protocol::Request& request) {
  // What a command with so many bytes does is copying.
  constexpr ptrdiff_t kLargeRequest = 16 * 1024;
  const bool large = request[request.size() - 1].data() - request[0].data() > kLargeRequest;
  const bool alone = times_.Enter(command, large);
  const uint64_t began = alone ? times_.StartAlone() : 0;
  RunHandler(session, command, request);
  if (session.cold) [[unlikely]] {
    if (!alone) times_.TakeBack();
    return;
  }
  if (alone) times_.StopAlone(command, began);
  if (times_.slow()) [[unlikely]]
    NoticeSlow(session, command, &request);
  if (monitors_.any()) [[unlikely]]
    monitors_.Show(session, command, request, now_);
}

void Dispatcher::Impl::RunHandler(Session& session, const Command& command,
                                  const protocol::Request& request) {
  if ((command.flags & kStateless) == 0) session.output.ShowState();
  if (journal_.engine().keys().any_expiring()) RemoveDueKeys(session, command, request);
  std::string& out = session.output.bytes();
  const size_t begin = out.size();
  protocol::ReplyWriter reply(out, session.version);
  Call call(*this, session, command, request, reply, false);
  command.handler(call);
  call.AnswerDamage();
  if (cold_reads_.missed()) [[unlikely]]
    return PutOff(session, request, begin);
  if (out.size() > begin && out[begin] == '-') CountOutcome(command, std::string_view(out).substr(begin));
  if ((command.flags & kReadOnly) == 0) return;
  statistics_.keyspace_hits += call.hits();
  statistics_.keyspace_misses += call.misses();
  if (call.misses() != 0 && publishes_keys_) PublishMisses(session, command, request);
}

void Dispatcher::Impl::CountOutcome(const Command& command, std::string_view reply) {
  ++statistics_.errors;
  times_.CountFailed(command);
  diagnostics_.errors.Add(reply);
}

// A command, or a stretch of them, took so long that the slow log or LATENCY may want to know.
void Dispatcher::Impl::NoticeSlow(Session& session, const Command& command,
                                  const protocol::Request* request) {
  const CommandTimes::Slow slow = times_.TakeSlow();
  const auto us =
      static_cast<uint64_t>(static_cast<double>(slow.cycles) / Stopwatch::CyclesPerNanosecond() / 1000);
  const uint64_t unix_s = now_.unix_ms() / 1000;
  const uint64_t threshold_ms = settings_.latency_threshold_ms;
  if (threshold_ms != 0 && us >= threshold_ms * 1000) {
    const bool fast = (slow.command->flags & kFast) != 0;
    diagnostics_.latency.Add(fast ? "fast-command" : "command", unix_s, us / 1000);
  }
  const int64_t slower_us = settings_.slowlog_slower_than_us;
  if (slower_us < 0 || us < static_cast<uint64_t>(slower_us) || (slow.command->flags & kUntimed) != 0) return;
  if (slow.calls == 1 && slow.command == &command && request != nullptr) {
    diagnostics_.slow_log.Add(session, command, request->args(), unix_s, us);
  } else {
    diagnostics_.slow_log.AddStretch(session, *slow.command, slow.calls, unix_s, us);
  }
}

void Dispatcher::Impl::EndTurn(Session& session, const protocol::Request* last) {
  times_.Close();
  if (times_.slow() && session.last_command != nullptr) NoticeSlow(session, *session.last_command, last);
}

void Dispatcher::Impl::Queue(Session& session, const Command& command, const protocol::Request& request) {
  Transaction& transaction = *session.transaction;
  if ((command.flags & kNoMulti) != 0) {
    transaction.broken = true;
    return Refuse(session, &command, "Command not allowed inside a transaction");
  }
  if (transaction.bytes > settings_.max_transaction_bytes) {
    transaction.broken = true;
    return Refuse(session, &command, "the transaction is larger than max-transaction-bytes");
  }
  transaction.requests.push_back(ToWire(request.args()));
  transaction.bytes += transaction.requests.back().size();
  transaction.writes |= (command.flags & kWrite) != 0;
  transaction.grows |= (command.flags & kDenyOom) != 0;
  protocol::ReplyWriter(session.output.bytes(), session.version).Simple("QUEUED");
}

// The whole of EXEC is one record: its room is taken before anything is executed.
void Dispatcher::Impl::ExecuteAll(Session& session, const Transaction& transaction) {
  // An event takes less than twice the request that asks for it and what it fixes besides; what depends on
  // state (the ids that XAUTOCLAIM finds) has to do with the rest, or is refused in its place.
  constexpr size_t kRoomPerRequest = 512;
  constexpr size_t kRoomForState = 64 * 1024;
  const size_t room = kRoomForState + transaction.bytes * 2 + transaction.requests.size() * kRoomPerRequest;
  if (transaction.writes && !journal_.BeginGroup(room, UseOf(transaction.grows))) {
    return Refuse(session, nullptr, errors::kDiskFull);
  }
  in_exec_ = true;
  protocol::ReplyWriter(session.output.bytes(), session.version).Array(transaction.requests.size());
  // What came before in the transaction has changed something: there is no running it again.
  const storage::ColdReads::InPlace in_place(cold_reads_);
  for (const std::string& wire : transaction.requests) {
    CHECK(kept_parser_.Parse(wire) == protocol::RequestParser::Status::kRequest);
    const protocol::Request& request = kept_parser_.request();
    const Resolved resolved = Resolve(commands_, request, session.authenticated);
    if (!resolved.error.empty()) {
      Refuse(session, resolved.command, resolved.error);
    } else if (const acl::Denied denied = DeniedTo(session, *resolved.command, request);
               denied != acl::Denied::kNothing) {
      Refuse(session, resolved.command, acl::RulesChanged(denied));
    } else {
      Run(session, *resolved.command, request);
    }
  }
  in_exec_ = false;
  if (transaction.writes) journal_.EndGroup();
}

void Dispatcher::Impl::Refuse(Session& session, const Command* command, std::string_view error) {
  ++statistics_.errors;
  std::string& out = session.output.bytes();
  const size_t begin = out.size();
  protocol::ReplyWriter(out, session.version).Error(error);
  diagnostics_.errors.Add(std::string_view(out).substr(begin));
  if (command != nullptr) times_.CountRejected(*command);
}

// What the session's user may not do is refused and remembered for ACL LOG.
bool Dispatcher::Impl::MayRun(Session& session, const Command& command, const protocol::Request& request) {
  const acl::Denied denied = DeniedTo(session, command, request);
  if (denied == acl::Denied::kNothing) return true;
  if (session.transaction) session.transaction->broken = true;
  Refuse(session, &command, acl::NoPermission(denied, command));
  return false;
}

acl::Denied Dispatcher::Impl::DeniedTo(Session& session, const Command& command,
                                       const protocol::Request& request) {
  const acl::Verdict verdict = session.user->Check(command, request.args());
  if (!verdict.allowed()) {
    acl::Remember(host_.users().log(), session, command, request.args(), verdict, in_exec_, now_);
  }
  return verdict.denied;
}

size_t Dispatcher::Impl::LookAhead(const Session& session, std::string_view input) const {
  const engine::Keyspace& keys = journal_.engine().keys();
  // Nearly every command has its key as its second word.
  protocol::Glance glance = protocol::GlanceAt(input);
  const bool alone = glance.bytes == 0 || glance.bytes == input.size();
  if (alone || !engine::LookAhead::PaysFor(keys, session.db, glance.second)) return engine::LookAhead::kMost;
  engine::LookAhead ahead;
  for (; glance.bytes != 0 && ahead.size() < engine::LookAhead::kMost; glance = protocol::GlanceAt(input)) {
    ahead.Add(glance.second, glance.third);
    input.remove_prefix(glance.bytes);
  }
  ahead.Walk(keys, session.db);
  return ahead.size();
}

bool Dispatcher::Impl::IsWrite(const protocol::Request& request) const {
  const Command* command = FindCommand(request[0]);
  if (command == nullptr) return false;
  if (!command->subcommands.empty() && request.size() > 1) {
    const Command* subcommand = FindSubcommand(*command, request[1]);
    if (subcommand != nullptr) command = subcommand;
  }
  return (command->flags & (kWrite | kMayWrite)) != 0;
}

bool Dispatcher::Impl::NeedsMemory(const Session& session, const Command& command) {
  if ((command.flags & kMayWrite) != 0) return session.transaction && session.transaction->grows;
  return (command.flags & kDenyOom) != 0;
}

// As Redis does it: a transaction in which one is queued is broken, and one that would execute one is
// discarded.
void Dispatcher::Impl::RefuseMemory(Session& session, const Command& command) {
  if ((command.flags & kMayWrite) == 0) {
    if (session.transaction) session.transaction->broken = true;
    return Refuse(session, &command, errors::kOutOfMemory);
  }
  session.transaction.reset();
  watches_.Remove(session);
  Refuse(session, &command,
         errors::Concat({"-EXECABORT Transaction discarded because of: ", errors::kOutOfMemory.substr(1)}));
}

Dispatcher::Dispatcher(engine::Journal& journal, Host& host) : impl_(std::make_unique<Impl>(journal, host)) {}
Dispatcher::~Dispatcher() = default;

void Dispatcher::SetTime(Time now) {
  impl_->SetTime(now);
}
void Dispatcher::Execute(Session& session, const protocol::Request& request) {
  impl_->Execute(session, request);
}
size_t Dispatcher::LookAhead(const Session& session, std::string_view input) const {
  return impl_->LookAhead(session, input);
}
bool Dispatcher::IsWrite(const protocol::Request& request) const {
  return impl_->IsWrite(request);
}
void Dispatcher::RunDue() {
  impl_->RunDue();
}
const ServerStatistics& Dispatcher::statistics() const {
  return impl_->statistics();
}
std::optional<uint64_t> Dispatcher::next_deadline_ms() const {
  return impl_->next_deadline_ms();
}
void Dispatcher::Drop(Session& session) {
  impl_->Drop(session);
}
void Dispatcher::EndTurn(Session& session, const protocol::Request* last) {
  impl_->EndTurn(session, last);
}
void Dispatcher::ReadSettings() {
  impl_->ReadSettings();
}
bool Dispatcher::RunBackgroundSlice() {
  return impl_->RunBackgroundSlice();
}

}  // namespace sluice::commands
