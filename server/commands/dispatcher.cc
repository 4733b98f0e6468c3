#include "server/commands/dispatcher.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "protocol/request_parser.h"
#include "server/commands/acl_denial.h"
#include "server/commands/acl_users.h"
#include "server/commands/arguments.h"
#include "server/commands/blocked_call.h"
#include "server/commands/cold_calls.h"
#include "server/commands/command_table.h"
#include "server/commands/delivery.h"
#include "server/commands/diagnostics.h"
#include "server/commands/errors.h"
#include "server/commands/handlers.h"
#include "server/commands/keyspace_events.h"
#include "server/commands/memory_gauge.h"
#include "server/commands/monitors.h"
#include "server/commands/rate_table.h"
#include "server/commands/sale_expiry.h"
#include "server/commands/scripting.h"
#include "server/commands/stream_sweep.h"
#include "server/commands/subscriptions.h"
#include "server/commands/wait_table.h"
#include "server/commands/watch_table.h"
#include "storage/check.h"

namespace sluice::commands {
namespace {

// What waits for a checkpoint stands in the queues beside what waits for keys, in a database that no key has.
constexpr uint8_t kNoDatabase = 255;
constexpr std::string_view kCheckpoint = "checkpoint";

// Due keys that one slice of background work removes.
constexpr size_t kExpiriesAtOnce = 256;

// Holds that end in a millisecond: about an eighth of it, so that a million that run out together are
// released within eight seconds, while the log and the loop have most of their time for everybody else. Where
// ticks come more slowly than that, one of them makes up for another that did not come.
constexpr uint64_t kHoldsInMillisecond = 128;
constexpr uint64_t kHoldsAtOnce = 2 * kHoldsInMillisecond;
// Closed orders that one slice of background work forgets.
constexpr size_t kForgottenAtOnce = 512;

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

// On a full disk what makes the state larger is refused; what hands out, acknowledges and removes goes on.
storage::Log::Use UseOf(bool grows) {
  return grows ? storage::Log::Use::kGrowth : storage::Log::Use::kReserve;
}

// A row that fits a request, or what to answer instead.
struct Resolved {
  const Command* command = nullptr;
  std::string error;
};

Resolved Resolve(const protocol::Request& request, bool authenticated) {
  const Command* command = FindCommand(request[0]);
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

class Dispatcher::Impl {
 public:
  Impl(engine::Journal& journal, Host& host)
      : journal_(journal),
        host_(host),
        settings_(host.settings()),
        delivery_(host),
        cold_reads_(journal.cold_reads()),
        waiters_(journal.engine().hash_seed()) {
    ReadSettings();
  }

  void SetTime(Time now) {
    if (now_.monotonic_ms == 0) start_ = now;
    now.steady_ms = start_.unix_ms() + (now.monotonic_ms - start_.monotonic_ms);
    // A wall clock that is set back stands still until it has caught up: IDs and windows rely on it.
    now.unix_us = std::max(now.unix_us, now_.unix_us);
    now_ = now;
    cold_reads_.SetTime(now.monotonic_ms);
    diagnostics_.commands_rate.Sample(now.monotonic_ms, statistics_.commands);
  }

  void Execute(Session& session, const protocol::Request& request);
  bool IsWrite(const protocol::Request& request) const;
  void RunDue();
  std::optional<uint64_t> next_deadline_ms() const;
  const ServerStatistics& statistics() const { return statistics_; }
  void Drop(Session& session);
  bool RunBackgroundSlice();
  void EndTurn(Session& session, const protocol::Request* last);
  void ReadSettings();

 private:
  class Call;  // the Context of one execution

  void Admit(Session& session, const protocol::Request& request);
  void Mute(Session& session, size_t begin);
  void Decide(Session& session, const protocol::Request& request);
  void Run(Session& session, const Command& command, const protocol::Request& request);
  void RunHandler(Session& session, const Command& command, const protocol::Request& request);
  void CountOutcome(const Command& command, std::string_view reply);
  void NoticeSlow(Session& session, const Command& command, const protocol::Request* request);
  bool MustWait(const Session& session, const Command& command) const;
  void Resume();
  void Queue(Session& session, const Command& command, const protocol::Request& request);
  bool ExecuteAll(Session& session, const Transaction& transaction);
  void Refuse(Session& session, const Command* command, std::string_view error);
  bool MayRun(Session& session, const Command& command, const protocol::Request& request);
  acl::Denied DeniedTo(Session& session, const Command& command, const protocol::Request& request);
  static bool NeedsMemory(const Session& session, const Command& command);
  void RefuseMemory(Session& session, const Command& command);
  // `cause`: the command whose change this is; nullptr: time's.
  storage::Result<void> Record(std::span<engine::Event> events, storage::Log::Use use, const Command* cause);
  bool RunCheckpointSlice();
  void PublishKeyspaceEvents(const std::vector<KeyspaceEvent>& events);
  void PublishMisses(Session& session, const Command& command, const protocol::Request& request);
  void RemoveDueKeys(const Session& session, const Command& command, const protocol::Request& request);
  void RemoveIfDue(const engine::Object* object);
  void Notice(const engine::Event& event);
  void NoticeKey(uint8_t db, std::string_view key, bool wakes);
  void NoticeDatabase(uint8_t db);
  void StockChanged(engine::ObjectId id, uint64_t before);
  uint64_t HoldsDueMs() const;
  void ReleaseDueHolds();
  bool ForgetStaleOrders();
  void PutOff(Session& session, const protocol::Request& request, size_t begin);
  void RunFetched();
  void RunAgain(Session& session);
  bool SweepStreams();
  void ServeReady();
  void ServeQueue(WaitQueue& queue);
  bool Retry(BlockedCall& call);
  void Answer(BlockedCall& call, std::string_view error);

  // CLIENT PAUSE.
  struct Pausing {
    uint64_t until_ms;  // monotonic
    bool all;           // not only writes
  };

  engine::Journal& journal_;
  Host& host_;
  const Settings& settings_;
  Time now_;
  Time start_;                                 // when this life began
  uint64_t holds_next_ms_ = 0;                 // monotonic: before, no hold ends, though it may be due
  uint64_t holds_ended_ms_ = 0;                // monotonic: the last full slice of holds
  std::array<storage::Lsn, 2> holds_ended_{};  // where the last two such slices end in the log
  std::unique_ptr<RateTable> rates_;           // none until it is needed
  StreamSweep sweep_;
  MemoryGauge memory_;
  Diagnostics diagnostics_;
  ServerStatistics& statistics_ = diagnostics_.statistics;
  CommandTimes& times_ = diagnostics_.times;
  Delivery delivery_;
  Subscriptions subscriptions_{delivery_};
  Monitors monitors_{delivery_};
  std::optional<Pausing> pause_;
  std::vector<Session*> postponed_;  // by the pause, in the order in which they came
  bool publishes_keys_ = false;      // somebody may want to hear of changed keys
  storage::ColdReads& cold_reads_;
  ColdCalls cold_calls_{cold_reads_};
  uint8_t cold_waits_ = 0;  // of the call that runs again
  WaitTable waiters_;
  WatchTable watches_;
  bool in_exec_ = false;
  std::vector<std::string_view> kept_args_;  // of the call that is executed again
  protocol::RequestParser postponed_parser_{
      {.max_args = SIZE_MAX, .max_bulk_bytes = SIZE_MAX, .max_inline_bytes = 0}};
  // Of requests that were kept here, whose limits were looked at when they came.
  protocol::RequestParser kept_parser_{
      {.max_args = SIZE_MAX, .max_bulk_bytes = SIZE_MAX, .max_inline_bytes = 0}};
};

class Dispatcher::Impl::Call final : public Context {
 public:
  Call(Impl& impl, Session& caller, const Command& row, const protocol::Request& asked,
       protocol::ReplyWriter& writer, bool again)
      : Context(asked, impl.journal_.engine(), impl.cold_reads_, writer, caller, impl.host_, impl.now_, row,
                again),
        impl_(impl),
        begin_(writer.Mark()) {}

  using Context::Record;
  bool Record(std::span<engine::Event> events) override {
    if (damaged_) return AnswerDamage(), false;
    if (cold_reads_.missed()) return false;
    const storage::Result<void> recorded =
        impl_.Record(events, UseOf((command.flags & kDenyOom) != 0), &command);
    if (recorded) return true;
    reply.Truncate(begin_);
    reply.Error(recorded.error().code == storage::Error::Code::kInvalid ? errors::kTooLarge
                                                                        : errors::kDiskFull);
    return false;
  }

  // Once the handler is through.
  void AnswerDamage() {
    if (!damaged_) return;
    reply.Truncate(begin_);
    reply.Error(errors::Damaged(damaged_->segment->path(), damaged_->offset));
    blocks_ = false;
  }

  void Block(const BlockRequest& block) override {
    if (damaged_ || cold_reads_.missed()) return;
    if (impl_.in_exec_) return reply.NullArray();
    blocks_ = true;
    retry_ms_ = BlockedCall::kNever;
    if (block.retry_at_ms) {
      const uint64_t unix_ms = now.unix_ms();
      retry_ms_ = now.monotonic_ms + (*block.retry_at_ms > unix_ms ? *block.retry_at_ms - unix_ms : 1);
    }
    if (retried) return;  // it keeps its place in the queues
    auto call = std::make_unique<BlockedCall>();
    call->session = &session;
    call->command = &command;
    call->db = block.for_checkpoint ? kNoDatabase : session.db;
    call->request = KeptRequest(block.args);
    call->claims = block.claims;
    call->retry_ms = retry_ms_;
    if (block.timeout_ms != 0) call->deadline_ms = now.monotonic_ms + block.timeout_ms;
    const auto keys = block.for_checkpoint ? std::span(&kCheckpoint, 1) : block.keys;
    impl_.waiters_.Add(*call, keys, block.group, (command.flags & kWrite) != 0);
    session.blocked = std::move(call);
    impl_.statistics_.blocked = impl_.waiters_.size() + impl_.postponed_.size();
  }

  void Touch(engine::ObjectId stream, uint32_t group, uint32_t consumer) override {
    impl_.journal_.mutable_engine().Touch(stream, group, consumer, now.unix_ms());
  }

  bool MayTry(engine::ObjectId item, uint64_t user, uint64_t rate, uint64_t span_ms) override {
    const uint64_t users = host.settings().seckill_rate_users;
    if (impl_.rates_ == nullptr || impl_.rates_->users() != users)
      impl_.rates_ = std::make_unique<RateTable>(users);
    // The same user's tries of another item are another's.
    const uint64_t key = (user ^ static_cast<uint64_t>(item)) * 0x9E3779B97F4A7C15u;
    return impl_.rates_->Take(key, rate, span_ms, now.monotonic_ms);
  }
  void CountTry(engine::ObjectId item, size_t code) override {
    impl_.journal_.mutable_engine().CountTry(item, code);
  }
  void StockChanged(engine::ObjectId item, uint64_t available) override {
    impl_.StockChanged(item, available);
  }

  bool ExecuteAll(const Transaction& transaction) override { return impl_.ExecuteAll(session, transaction); }
  void Watch(std::string_view key) override { impl_.watches_.Add(session, session.db, key); }
  void Unwatch() override { impl_.watches_.Remove(session); }
  bool Unblock(Session& blocked, bool with_error) override {
    if (!blocked.blocked) return false;
    impl_.Answer(*blocked.blocked, with_error ? "-UNBLOCKED client unblocked via CLIENT UNBLOCK" : "");
    return true;
  }

  void RequestCheckpoint(engine::CheckpointReason reason) override {
    impl_.journal_.checkpointer().Request(reason);
  }
  const engine::Journal& journal() const override { return impl_.journal_; }
  size_t Publish(std::string_view channel, std::string_view message) override {
    return impl_.subscriptions_.Publish(ChannelKind::kChannel, channel, message);
  }
  Subscriptions& subscriptions() override { return impl_.subscriptions_; }
  void Monitor() override { impl_.monitors_.Add(session); }
  size_t monitors() const override { return impl_.monitors_.size(); }
  void Forget() override {
    impl_.watches_.Remove(session);
    impl_.subscriptions_.Drop(session);
    impl_.monitors_.Drop(session);
  }
  void Pause(uint64_t until_monotonic_ms, bool all) override {
    auto& pause = impl_.pause_;
    if (!pause) pause = Pausing{0, false};
    pause->until_ms = std::max(pause->until_ms, until_monotonic_ms);
    pause->all |= all;
  }
  // Those who wait are served once this command's reply stands.
  void Unpause() override { impl_.pause_.reset(); }
  bool in_exec() const override { return impl_.in_exec_; }
  void SettingsChanged() override { impl_.ReadSettings(); }
  Diagnostics& diagnostics() override { return impl_.diagnostics_; }
  uint32_t hits() const { return hits_; }
  uint32_t misses() const { return misses_; }
  bool blocks() const { return blocks_; }
  uint64_t retry_ms() const { return retry_ms_; }

 private:
  Impl& impl_;
  size_t begin_;  // of this call's reply
  bool blocks_ = false;
  uint64_t retry_ms_ = BlockedCall::kNever;
};

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
  const Resolved resolved = Resolve(request, session.authenticated);
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

// ---- the pause

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

// ---- calls that wait for the disk

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
bool Dispatcher::Impl::ExecuteAll(Session& session, const Transaction& transaction) {
  // An event takes less than twice the request that asks for it and what it fixes besides; what depends on
  // state (the ids that XAUTOCLAIM finds) has to do with the rest, or is refused in its place.
  constexpr size_t kRoomPerRequest = 512;
  constexpr size_t kRoomForState = 64 * 1024;
  const size_t room = kRoomForState + transaction.bytes * 2 + transaction.requests.size() * kRoomPerRequest;
  if (transaction.writes && !journal_.BeginGroup(room, UseOf(transaction.grows))) {
    Refuse(session, nullptr, errors::kDiskFull);
    return false;
  }
  in_exec_ = true;
  // What came before in the transaction has changed something: there is no running it again.
  const storage::ColdReads::InPlace in_place(cold_reads_);
  for (const std::string& wire : transaction.requests) {
    CHECK(kept_parser_.Parse(wire) == protocol::RequestParser::Status::kRequest);
    const protocol::Request& request = kept_parser_.request();
    const Resolved resolved = Resolve(request, session.authenticated);
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
  return true;
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

// ---- changes

storage::Result<void> Dispatcher::Impl::Record(std::span<engine::Event> events, storage::Log::Use use,
                                               const Command* cause) {
  // The names of keys that go are known only before they do.
  if (!waiters_.empty() || !watches_.empty()) {
    for (const engine::Event& event : events) Notice(event);
  }
  if (!publishes_keys_ || !subscriptions_.any()) [[likely]]
    return journal_.Record(events, use);
  const std::vector<KeyspaceEvent> told = KeyspaceEventsOf(events, journal_.engine().keys(), cause);
  auto recorded = journal_.Record(events, use);
  if (recorded) PublishKeyspaceEvents(told);
  return recorded;
}

void Dispatcher::Impl::PublishKeyspaceEvents(const std::vector<KeyspaceEvent>& events) {
  const uint64_t wanted = settings_.notify_keyspace_events;
  for (const KeyspaceEvent& told : events) {
    if ((wanted & told.event_class) == 0) continue;
    const std::string db = std::to_string(told.db);
    if ((wanted & notify::kKeyspace) != 0) {
      subscriptions_.Publish(ChannelKind::kChannel, errors::Concat({"__keyspace@", db, "__:", told.key}),
                             told.event);
    }
    if ((wanted & notify::kKeyevent) != 0) {
      subscriptions_.Publish(ChannelKind::kChannel, errors::Concat({"__keyevent@", db, "__:", told.event}),
                             told.key);
    }
  }
}

void Dispatcher::Impl::PublishMisses(Session& session, const Command& command,
                                     const protocol::Request& request) {
  if ((settings_.notify_keyspace_events & notify::kMiss) == 0 || !subscriptions_.any()) return;
  std::vector<KeyspaceEvent> missed;
  ForEachKey(command, request.args(), [&](size_t position) {
    const engine::Object* object = journal_.engine().Find(session.db, request[position]);
    if (object != nullptr && !object->IsDue(now_.unix_ms())) return;
    missed.push_back({notify::kMiss, session.db, "keymiss", std::string(request[position])});
  });
  PublishKeyspaceEvents(missed);
}

// So that no handler acts on a dead key.
void Dispatcher::Impl::RemoveDueKeys(const Session& session, const Command& command,
                                     const protocol::Request& request) {
  if (command.keys.kind == Keys::kNone || pause_) return;  // a pause of writes is one of removals too
  ForEachKey(command, request.args(),
             [&](size_t position) { RemoveIfDue(journal_.engine().Find(session.db, request[position])); });
}

void Dispatcher::Impl::RemoveIfDue(const engine::Object* object) {
  if (object == nullptr || !object->IsDue(now_.unix_ms())) return;
  engine::Event removal = engine::RemoveKey{object->id};
  if (Record(std::span(&removal, 1), storage::Log::Use::kReserve, nullptr)) ++statistics_.expired;
}

bool Dispatcher::Impl::RunBackgroundSlice() {
  bool more = journal_.mutable_engine().FreeSome();
  more |= RunCheckpointSlice();
  more |= journal_.SealSome();
  more |= ForgetStaleOrders();
  more |= SweepStreams();
  const bool watched = settings_.latency_threshold_ms != 0;
  const uint64_t began_ns = watched ? Stopwatch::Nanoseconds() : 0;
  for (size_t i = 0; i < kExpiriesAtOnce && !pause_; ++i) {
    const engine::Object* first = journal_.engine().keys().FirstToExpire();
    if (first == nullptr || !first->IsDue(now_.unix_ms())) break;
    const engine::ObjectId id = first->id;
    RemoveIfDue(first);
    if (journal_.engine().keys().Find(id) != nullptr) break;  // no room for it now
    more |= i + 1 == kExpiriesAtOnce;
  }
  const uint64_t took_ms = watched ? (Stopwatch::Nanoseconds() - began_ns) / 1'000'000 : 0;
  if (watched && took_ms >= settings_.latency_threshold_ms) {
    diagnostics_.latency.Add("expire-cycle", now_.unix_ms() / 1000, took_ms);
  }
  if (waiters_.any_ready()) ServeReady();
  return more;
}

// False where there is no more to do now.
bool Dispatcher::Impl::SweepStreams() {
  const engine::Engine& engine = journal_.engine();
  const StreamSweep::Limits limits{.ms = settings_.retention_ms,
                                   .bytes = settings_.retention_bytes,
                                   .producer_seconds = settings_.stream_idmp_duration};
  if (pause_ || !sweep_.BeginSlice(engine, limits, now_)) return false;
  while (auto loss = sweep_.Next(engine)) {
    const engine::Stream& stream = engine.keys().Find(engine::TargetOf(*loss))->stream();
    const uint64_t length = stream.length();
    if (!Record(std::span(&*loss, 1), storage::Log::Use::kReserve, nullptr)) {
      sweep_.GiveUp();
      return false;
    }
    statistics_.retention_trimmed += length - stream.length();
  }
  return sweep_.has_more();
}

bool Dispatcher::Impl::RunCheckpointSlice() {
  engine::Checkpointer& checkpointer = journal_.checkpointer();
  const uint64_t finished = checkpointer.status().finished;
  bool more = checkpointer.RunSlice(now_.unix_ms());
  if (checkpointer.status().finished != finished) {
    journal_.compactor().Request();
    waiters_.MarkReady(kNoDatabase, kCheckpoint);
    if (waiters_.any_ready()) ServeReady();
  }
  more |= journal_.compactor().RunSlice();
  return more;
}

// Remembers the keys that `event`, not yet applied, will change.
void Dispatcher::Impl::Notice(const engine::Event& event) {
  const engine::Keyspace& keys = journal_.engine().keys();
  if (const auto* flush = std::get_if<engine::FlushKeys>(&event)) {
    for (uint8_t db = 0; db < engine::kDatabases; ++db) {
      if (flush->db == engine::kAllDatabases || flush->db == db) NoticeDatabase(db);
    }
    return;
  }
  if (const auto* swap = std::get_if<engine::SwapDatabases>(&event)) {
    NoticeDatabase(swap->first);
    NoticeDatabase(swap->second);
    return;
  }
  if (const auto* create = std::get_if<engine::CreateKey>(&event))
    return NoticeKey(create->db, create->key, true);
  if (const auto* rename = std::get_if<engine::RenameKey>(&event)) NoticeKey(rename->db, rename->key, true);
  const engine::Object* object = keys.Find(engine::TargetOf(event));
  if (object == nullptr) return;  // created by this very record
  const bool wakes =
      std::holds_alternative<engine::AppendEntry>(event) ||
      std::holds_alternative<engine::RemoveKey>(event) || std::holds_alternative<engine::RenameKey>(event) ||
      std::holds_alternative<engine::DestroyGroup>(event) ||
      std::holds_alternative<engine::SetGroupId>(event) || std::holds_alternative<engine::GiveBack>(event) ||
      std::holds_alternative<engine::Claim>(event);  // XCLAIM may set an entry's time back
  NoticeKey(keys.DatabaseOf(*object), object->key, wakes);
}

void Dispatcher::Impl::NoticeKey(uint8_t db, std::string_view key, bool wakes) {
  if (!watches_.empty()) watches_.Touch(db, key);
  if (wakes && !waiters_.empty()) waiters_.MarkReady(db, key);
}

void Dispatcher::Impl::NoticeDatabase(uint8_t db) {
  watches_.TouchAll(db);
  waiters_.MarkAllReady(db);
}

// ---- sales

void Dispatcher::Impl::StockChanged(engine::ObjectId id, uint64_t before) {
  const engine::Object& object = *journal_.engine().keys().Find(id);
  const uint64_t now = object.item().available();
  if ((before == 0) == (now == 0)) return;
  if (now == 0) journal_.mutable_engine().NoteSoldOut(id, now_.unix_ms());
  subscriptions_.Publish(ChannelKind::kChannel, errors::Concat({"__seckill__:", object.key}),
                         now == 0 ? "soldout" : "restocked");
}

// When the first hold ends, in monotonic time: not before the grace after the start, nor before it is the
// turn of holds again.
uint64_t Dispatcher::Impl::HoldsDueMs() const {
  const int64_t from_start = journal_.engine().deadlines().time_ms() - static_cast<int64_t>(start_.unix_ms());
  const uint64_t grace_ms = settings_.hold_grace_ms;
  const uint64_t after = std::max(grace_ms, static_cast<uint64_t>(std::max<int64_t>(from_start, 0)));
  return std::max(start_.monotonic_ms + after, holds_next_ms_);
}

// Not during CLIENT PAUSE, in which nothing is written: holds last until its end then.
void Dispatcher::Impl::ReleaseDueHolds() {
  const engine::ItemAlarms& deadlines = journal_.engine().deadlines();
  // However slow the disk is, others wait behind the messages of two slices at most.
  const bool disk_is_behind = journal_.log().committed() < holds_ended_[0];
  const uint64_t passed_ms = now_.monotonic_ms - holds_ended_ms_;
  uint64_t left = std::clamp(passed_ms * kHoldsInMillisecond, kHoldsInMillisecond, kHoldsAtOnce);
  if (disk_is_behind) left = 0;
  while (!pause_ && !deadlines.empty() && HoldsDueMs() <= now_.monotonic_ms) {
    if (left == 0) {
      holds_next_ms_ = now_.monotonic_ms + 1;
      if (disk_is_behind) return;
      holds_ended_ms_ = now_.monotonic_ms;
      holds_ended_ = {holds_ended_[1], journal_.log().tail()};
      return;
    }
    if (journal_.mutable_engine().DropDeadAlarms(left)) continue;
    SalePlan plan(journal_.engine(), now_);
    left -= PlanRelease(journal_.engine(), now_, left, settings_.seckill_closed_orders, plan);
    if (!Record(plan.events(), storage::Log::Use::kReserve, nullptr)) {
      constexpr uint64_t kRetryMs = 100;
      holds_next_ms_ = now_.monotonic_ms + kRetryMs;  // the log has no room
      return;
    }
    for (const auto& [item, available] : plan.touched()) StockChanged(item, available);
  }
}

// False where there are no more now.
bool Dispatcher::Impl::ForgetStaleOrders() {
  if (pause_) return false;
  const engine::ItemAlarms& stale = journal_.engine().stale();
  for (size_t left = kForgottenAtOnce; !stale.empty() && left > 0;) {
    if (journal_.mutable_engine().DropDeadAlarms(left)) continue;
    if (stale.time_ms() > static_cast<int64_t>(now_.steady_ms)) return false;
    const StaleOrders found = FindStale(journal_.engine(), now_, left);
    engine::Event event = found.event;
    if (!Record(std::span(&event, 1), storage::Log::Use::kReserve, nullptr)) return false;
    left -= found.count;
  }
  return !stale.empty() && stale.time_ms() <= static_cast<int64_t>(now_.steady_ms);
}

// ---- waiting calls

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

Dispatcher::Dispatcher(engine::Journal& journal, Host& host) : impl_(std::make_unique<Impl>(journal, host)) {}
Dispatcher::~Dispatcher() = default;

void Dispatcher::SetTime(Time now) {
  impl_->SetTime(now);
}
void Dispatcher::Execute(Session& session, const protocol::Request& request) {
  impl_->Execute(session, request);
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
