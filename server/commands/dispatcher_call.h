// The Context of one execution: what a handler does to the world goes through here.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "server/commands/context.h"
#include "server/commands/dispatcher_impl.h"

namespace sluice::commands {

class Dispatcher::Impl::Call final : public Context {
 public:
  Call(Impl& impl, Session& caller, const Command& row, const protocol::Request& asked,
       protocol::ReplyWriter& writer, bool again)
      : Context(asked, impl.journal_.engine(), impl.cold_reads_, writer, caller, impl.host_, impl.now_, row,
                impl.new_ids_, again),
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

  void ExecuteAll(const Transaction& transaction) override { impl_.ExecuteAll(session, transaction); }
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

}  // namespace sluice::commands
