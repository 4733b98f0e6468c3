#include "server/commands/dispatcher.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "protocol/request_parser.h"
#include "server/commands/arguments.h"
#include "server/commands/blocked_call.h"
#include "server/commands/command_table.h"
#include "server/commands/errors.h"
#include "server/commands/wait_table.h"
#include "storage/check.h"

namespace sluice::commands {
namespace {

// What an unknown command is told: its name and the first arguments, cut as Redis cuts them.
std::string UnknownCommand(const protocol::Request& request) {
  constexpr size_t kShown = 128;
  for (std::string_view script :
       {"EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO", "SCRIPT", "FUNCTION"}) {
    if (!IsWord(request[0], script)) continue;
    return errors::Concat(
        {"there are no scripts here ('", script,
         "'): what a flash sale's script does, SECKILL.CREATE and SECKILL.BUY do in one command"});
  }
  std::string args;
  for (size_t i = 1; i < request.size() && args.size() < kShown; ++i) {
    args += errors::Concat({"'", request[i].substr(0, kShown - args.size()), "' "});
  }
  return errors::Concat(
      {"unknown command '", request[0].substr(0, kShown), "', with args beginning with: ", args});
}

// Somebody may wait for this key to change.
struct ReadyKey {
  uint8_t db;
  std::string key;
};

}  // namespace

class Dispatcher::Impl {
 public:
  Impl(engine::Journal& journal, Host& host) : journal_(journal), host_(host) {}

  void SetTime(Time now) {
    // A wall clock that is set back stands still until it has caught up: IDs and windows rely on it.
    now.unix_us = std::max(now.unix_us, now_.unix_us);
    now_ = now;
  }

  void Execute(Session& session, const protocol::Request& request);
  bool IsWrite(const protocol::Request& request) const;
  void ExpireBlocked();
  std::optional<uint64_t> next_deadline_ms() const;
  void Drop(Session& session);
  bool RunBackgroundSlice() { return journal_.mutable_engine().FreeSome(); }

 private:
  class Call;  // the Context of one execution

  void Run(Session& session, const Command& command, const protocol::Request& request);
  void Refuse(Session& session, std::string_view error);
  void Notice(std::span<const engine::Event> events);
  void NoticeKey(uint8_t db, std::string_view key) { ready_.push_back({db, std::string(key)}); }
  void NoticeObject(engine::ObjectId id);
  void ServeReady();
  void ServeQueue(WaitQueue& queue);
  bool Retry(BlockedCall& call);

  engine::Journal& journal_;
  Host& host_;
  Time now_;
  ServerStatistics statistics_;
  WaitTable waiters_;
  std::deque<ReadyKey> ready_;
  // Of waiting calls' own requests, whose limits were kept when they came.
  protocol::RequestParser retry_parser_{
      {.max_args = SIZE_MAX, .max_bulk_bytes = SIZE_MAX, .max_inline_bytes = 0}};
};

class Dispatcher::Impl::Call final : public Context {
 public:
  Call(Impl& impl, Session& caller, const Command& row, const protocol::Request& asked,
       protocol::ReplyWriter& writer, bool again)
      : Context(asked, impl.journal_.engine(), writer, caller, impl.host_, impl.now_, row, again),
        impl_(impl),
        begin_(writer.Mark()) {}

  using Context::Record;
  bool Record(std::span<engine::Event> events) override {
    // Names of keys that go are known only before they do.
    if (!impl_.waiters_.empty()) impl_.Notice(events);
    if (const auto recorded = impl_.journal_.Record(events); !recorded) {
      reply.Truncate(begin_);
      reply.Error(errors::kDiskFull);
      return false;
    }
    return true;
  }

  void Block(const BlockRequest& block) override {
    blocks_ = true;
    retry_ms_.reset();
    if (block.retry_at_ms) {
      const uint64_t unix_ms = now.unix_ms();
      retry_ms_ = now.monotonic_ms + (*block.retry_at_ms > unix_ms ? *block.retry_at_ms - unix_ms : 1);
    }
    if (retried) return;  // it keeps its place in the queues
    auto call = std::make_unique<BlockedCall>();
    call->session = &session;
    call->command = &command;
    call->db = session.db;
    call->wire = errors::Concat({"*", std::to_string(block.args.size()), "\r\n"});
    for (std::string_view arg : block.args) AppendBulk(call->wire, arg);
    call->claims = block.claims;
    call->retry_ms = retry_ms_;
    if (block.timeout_ms != 0) call->deadline_ms = now.monotonic_ms + block.timeout_ms;
    impl_.waiters_.Add(*call, block.keys, block.group, (command.flags & kWrite) != 0);
    session.blocked = std::move(call);
  }

  void Touch(engine::ObjectId stream, uint32_t group, uint32_t consumer) override {
    impl_.journal_.mutable_engine().Touch(stream, group, consumer, now.unix_ms());
  }

  const storage::Log& log() const override { return impl_.journal_.log(); }
  const ServerStatistics& statistics() const override { return impl_.statistics_; }
  bool blocks() const { return blocks_; }
  std::optional<uint64_t> retry_ms() const { return retry_ms_; }

 private:
  Impl& impl_;
  size_t begin_;  // of this call's reply
  bool blocks_ = false;
  std::optional<uint64_t> retry_ms_;  // monotonic
};

void Dispatcher::Impl::Execute(Session& session, const protocol::Request& request) {
  ++statistics_.commands;
  ++session.commands;
  session.active_ms = now_.unix_ms();
  const Command* command = FindCommand(request[0]);
  if (command == nullptr) {
    return Refuse(session, session.authenticated ? UnknownCommand(request) : std::string(errors::kNoAuth));
  }
  if (!command->subcommands.empty() && request.size() > 1) {
    const Command* subcommand = FindSubcommand(*command, request[1]);
    if (subcommand == nullptr) {
      std::string container(command->name);
      for (char& c : container) c = static_cast<char>(c - 'a' + 'A');
      return Refuse(session, session.authenticated ? errors::UnknownSubcommand(request[1], container)
                                                   : std::string(errors::kNoAuth));
    }
    command = subcommand;
  }
  session.last_command = command;
  if (!AritySuits(*command, request.size())) return Refuse(session, errors::WrongArity(command->name));
  if (!session.authenticated && (command->flags & kNoAuth) == 0) return Refuse(session, errors::kNoAuth);
  Run(session, *command, request);
  if (!ready_.empty()) ServeReady();
}

void Dispatcher::Impl::Run(Session& session, const Command& command, const protocol::Request& request) {
  if ((command.flags & kStateless) == 0) session.output.ShowState();
  std::string& out = session.output.bytes();
  const size_t begin = out.size();
  protocol::ReplyWriter reply(out, session.version);
  Call call(*this, session, command, request, reply, false);
  command.handler(call);
  if (out.size() > begin && out[begin] == '-') ++statistics_.errors;
  statistics_.blocked = waiters_.size();
}

void Dispatcher::Impl::Refuse(Session& session, std::string_view error) {
  ++statistics_.errors;
  protocol::ReplyWriter(session.output.bytes(), session.version).Error(error);
}

bool Dispatcher::Impl::IsWrite(const protocol::Request& request) const {
  const Command* command = FindCommand(request[0]);
  if (command == nullptr) return false;
  if (!command->subcommands.empty() && request.size() > 1) {
    const Command* subcommand = FindSubcommand(*command, request[1]);
    if (subcommand != nullptr) command = subcommand;
  }
  return (command->flags & kWrite) != 0;
}

void Dispatcher::Impl::NoticeObject(engine::ObjectId id) {
  const engine::Object* object = journal_.engine().keys().Find(id);
  if (object != nullptr) NoticeKey(object->db, object->key);
}

// Remembers the keys that `events`, not yet applied, will change in a way that a waiting call may care for.
void Dispatcher::Impl::Notice(std::span<const engine::Event> events) {
  for (const engine::Event& event : events) {
    if (const auto* append = std::get_if<engine::AppendEntry>(&event)) {
      NoticeObject(append->stream);
    } else if (const auto* create = std::get_if<engine::CreateKey>(&event)) {
      NoticeKey(create->db, create->key);
    } else if (const auto* remove = std::get_if<engine::RemoveKey>(&event)) {
      NoticeObject(remove->object);
    } else if (const auto* rename = std::get_if<engine::RenameKey>(&event)) {
      NoticeObject(rename->object);
      NoticeKey(rename->db, rename->key);
    } else if (const auto* destroy = std::get_if<engine::DestroyGroup>(&event)) {
      NoticeObject(destroy->stream);
    } else if (const auto* set = std::get_if<engine::SetGroupId>(&event)) {
      NoticeObject(set->stream);
    } else if (const auto* given_back = std::get_if<engine::GiveBack>(&event)) {
      NoticeObject(given_back->stream);
    } else if (const auto* claim = std::get_if<engine::Claim>(&event)) {
      NoticeObject(claim->stream);  // XCLAIM may set an entry's time back
    } else if (const auto* flush = std::get_if<engine::FlushKeys>(&event)) {
      for (uint8_t db = 0; db < engine::kDatabases; ++db) {
        if (flush->db != engine::kAllDatabases && flush->db != db) continue;
        for (const std::string& key : waiters_.KeysOf(db)) NoticeKey(db, key);
      }
    }
  }
}

void Dispatcher::Impl::ServeReady() {
  while (!ready_.empty()) {
    const ReadyKey ready = std::move(ready_.front());
    ready_.pop_front();
    waiters_.ForKey(ready.db, ready.key, [this](WaitQueue& queue) { ServeQueue(queue); });
  }
  statistics_.blocked = waiters_.size();
}

void Dispatcher::Impl::ServeQueue(WaitQueue& queue) {
  bool nothing_new = false;
  for (auto it = queue.calls.begin(); it != queue.calls.end();) {
    BlockedCall& call = **it;
    ++it;  // the call takes its ticket with it when it is answered
    if (nothing_new && !call.claims) continue;
    if (Retry(call) || !queue.grouped) continue;
    if (queue.claiming == 0) return;
    nothing_new = true;
  }
}

// Executes a waiting call again; true where it was answered, and is gone.
bool Dispatcher::Impl::Retry(BlockedCall& call) {
  Session& session = *call.session;
  CHECK(retry_parser_.Parse(call.wire) == protocol::RequestParser::Status::kRequest);
  session.output.ShowState();
  protocol::ReplyWriter reply(session.output.bytes(), session.version);
  Call again(*this, session, *call.command, retry_parser_.request(), reply, true);
  call.command->handler(again);
  if (again.blocks()) {
    if (call.retry_ms != again.retry_ms()) waiters_.SetRetry(call, again.retry_ms());
    return false;
  }
  waiters_.Remove(call);
  session.blocked.reset();
  host_.Wake(session);
  return true;
}

void Dispatcher::Impl::ExpireBlocked() {
  while (BlockedCall* call = waiters_.Earliest()) {
    if (*call->due_ms() > now_.monotonic_ms) break;
    if (!call->deadline_ms || *call->deadline_ms > now_.monotonic_ms) {
      Retry(*call);
      continue;
    }
    Session& session = *call->session;
    waiters_.Remove(*call);
    session.blocked.reset();
    session.output.ShowState();
    protocol::ReplyWriter(session.output.bytes(), session.version).NullArray();
    host_.Wake(session);
  }
  if (!ready_.empty()) ServeReady();
  statistics_.blocked = waiters_.size();
}

std::optional<uint64_t> Dispatcher::Impl::next_deadline_ms() const {
  const BlockedCall* call = waiters_.Earliest();
  return call == nullptr ? std::nullopt : call->due_ms();
}

void Dispatcher::Impl::Drop(Session& session) {
  if (!session.blocked) return;
  waiters_.Remove(*session.blocked);
  session.blocked.reset();
  statistics_.blocked = waiters_.size();
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
void Dispatcher::ExpireBlocked() {
  impl_->ExpireBlocked();
}
std::optional<uint64_t> Dispatcher::next_deadline_ms() const {
  return impl_->next_deadline_ms();
}
void Dispatcher::Drop(Session& session) {
  impl_->Drop(session);
}
bool Dispatcher::RunBackgroundSlice() {
  return impl_->RunBackgroundSlice();
}

}  // namespace sluice::commands
