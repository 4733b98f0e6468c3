// XREADGROUP.
#include <algorithm>
#include <vector>

#include <absl/container/inlined_vector.h>

#include "server/commands/handlers.h"
#include "server/commands/stream_lookup.h"
#include "server/commands/stream_read_options.h"
#include "server/commands/stream_read_reply.h"

namespace sluice::commands {
namespace {

using engine::StreamId;

std::string NoGroupToRead(std::string_view key, std::string_view group) {
  return errors::NoKeyOrGroup(key, group) + " in XREADGROUP with GROUP option";
}

// One XREADGROUP: what it decides grows stream by stream, and is recorded as a whole.
class GroupRead {
 public:
  GroupRead(Context& ctx, const ReadOptions& options) : ctx_(ctx), options_(options), reply_(ctx, options) {}

  void Run() {
    if (!FindGroups()) return;
    // Whoever asks for his history is not asking for the work of others: from there on nothing is claimed.
    bool claims = options_.claim_idle_ms.has_value();
    for (size_t i = 0; i < options_.streams && reply_.HasRoom(); ++i) {
      if (positions_[i]) {
        claims = false;
        ReadHistory(i);
      } else {
        Serve(i, claims);
      }
    }
    if (!events_.empty() && !ctx_.Record(std::span(events_.data(), events_.size()))) return;
    if (reply_.streams() != 0) return reply_.End();
    if (!options_.block) return ctx_.reply.NullArray();
    BlockOnStreams(ctx_, options_, ctx_.request.args(), NextClaimable());
  }

 private:
  bool FindGroups() {
    for (size_t i = 0; i < options_.streams; ++i) {
      const auto group = FindGroup(ctx_, Key(i), options_.group, NoGroupToRead);
      if (!group) return false;
      groups_.push_back(*group);
      const std::string_view id = ctx_.arg(options_.keys_at + options_.streams + i);
      // Redis has the last of all IDs stand for ">".
      if (id == ">" || ParseStreamId(id) == engine::kMaxStreamId) {
        positions_.push_back(std::nullopt);
        continue;
      }
      if (id == "$" || id == "+") {
        ctx_.reply.Error(errors::Concat(
            {"The ", id,
             " ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer "
             "by specifying a proper ID, or use the > ID to get new messages. The ",
             id, " ID would just return an empty result set."}));
        return false;
      }
      const auto position = ParseStreamId(id);
      if (!position) return ctx_.reply.Error(errors::kInvalidStreamId), false;
      positions_.push_back(*position);
    }
    return true;
  }

  // First what others have held for too long, if that is asked for, then what nobody of the group was given.
  void Serve(size_t i, bool claims) {
    const GroupRef& ref = groups_[i];
    const uint32_t consumer = ConsumerOf(ref);
    reply_.BeginStream(Key(i), ref.stream->length());
    if (claims) TakeOver(ref, consumer);
    ReadNew(ref, consumer);
    reply_.EndStream(false);
  }

  void TakeOver(const GroupRef& ref, uint32_t consumer) {
    const uint64_t now = ctx_.now.unix_ms();
    // A stream that is named twice is claimed from once.
    for (const engine::Event& event : events_) {
      const auto* earlier = std::get_if<engine::Claim>(&event);
      if (earlier != nullptr && earlier->stream == ref.object->id) return;
    }
    std::vector<StreamId> ids;
    ref.group->pending().ScanLongestWaiting([&](const engine::Pending& pending) {
      if (!IsIdle(pending, *options_.claim_idle_ms, now) || !reply_.StreamHasRoom()) return false;
      if (const auto place = ctx_.Find(*ref.stream, pending.id)) {
        // What is nobody's has been idle since the epoch, as its delivery time says.
        reply_.EntryWithPast(pending.id, *place, IdleOf(pending, now), pending.deliveries);
        ids.push_back(pending.id);
      }
      return true;
    });
    if (ids.empty()) return;
    lists_.push_back(std::move(ids));
    events_.push_back(engine::Claim{.stream = ref.object->id,
                                    .group = ref.group->number(),
                                    .consumer = consumer,
                                    .now_ms = now,
                                    .delivered_ms = now,
                                    .count = engine::Claim::kIncrement,
                                    .deliveries = 0,
                                    .ids = lists_.back()});
  }

  void ReadNew(const GroupRef& ref, uint32_t consumer) {
    StreamId last = ref.group->last_delivered();
    std::optional<uint64_t> read = ref.group->entries_read();
    // A stream named twice goes on where its first reading ends.
    for (const engine::Event& event : events_) {
      const auto* earlier = std::get_if<engine::Deliver>(&event);
      if (earlier == nullptr || earlier->stream != ref.object->id) continue;
      last = earlier->last;
      read = earlier->entries_read;
    }
    if (last == engine::kMaxStreamId || last >= ref.stream->last_id() || !reply_.StreamHasRoom()) return;
    const size_t before = reply_.entries();
    bool counts_on = false;
    ctx_.Scan(*ref.stream, *engine::Next(last), engine::kMaxStreamId, [&](StreamId id, storage::Place place) {
      if (options_.claim_idle_ms) {
        reply_.EntryWithPast(id, place, 0, 0);
      } else {
        reply_.Entry(id, place);
      }
      counts_on = counts_on || ref.stream->CountsOn(read, last);
      read = counts_on ? *read + 1 : ref.stream->DistanceFromFirst(id);
      last = id;
      return reply_.StreamHasRoom();
    });
    if (reply_.entries() == before) return;
    events_.push_back(engine::Deliver{.stream = ref.object->id,
                                      .group = ref.group->number(),
                                      .consumer = consumer,
                                      .now_ms = ctx_.now.unix_ms(),
                                      .last = last,
                                      .entries_read = read,
                                      .no_ack = options_.no_ack});
  }

  // The unix time at which the next pending entry may be claimed; nullopt: none will be, or it is not asked
  // for.
  std::optional<uint64_t> NextClaimable() const {
    if (!options_.claim_idle_ms) return std::nullopt;
    std::optional<uint64_t> earliest;
    for (const GroupRef& ref : groups_) {
      ref.group->pending().ScanLongestWaiting([&](const engine::Pending& pending) {
        if (!ctx_.Find(*ref.stream, pending.id)) return true;
        const uint64_t at = pending.delivered_ms + *options_.claim_idle_ms;
        earliest = std::min(earliest.value_or(at), at);
        return false;
      });
    }
    return earliest;
  }

  // Shows the consumer what is pending for it, above the position it gave.
  void ReadHistory(size_t i) {
    const GroupRef& ref = groups_[i];
    const uint32_t consumer = ConsumerOf(ref);
    const engine::Consumer* existing = ref.group->FindConsumer(options_.consumer);
    reply_.BeginStream(Key(i), existing == nullptr ? 0 : ref.group->pending().size_of(existing->number));
    std::vector<StreamId> again;
    if (existing != nullptr) {
      ref.group->pending().ScanOf(existing->number, *positions_[i], [&](const engine::Pending& pending) {
        if (pending.id == *positions_[i]) return true;
        if (const auto place = ctx_.Find(*ref.stream, pending.id)) {
          reply_.Entry(pending.id, *place);
          again.push_back(pending.id);
        } else {
          reply_.DeletedEntry(pending.id);
        }
        return reply_.StreamHasRoom();
      });
    }
    reply_.EndStream(true);
    if (again.empty()) return;
    lists_.push_back(std::move(again));
    events_.push_back(engine::Redeliver{.stream = ref.object->id,
                                        .group = ref.group->number(),
                                        .consumer = consumer,
                                        .now_ms = ctx_.now.unix_ms(),
                                        .ids = lists_.back()});
  }

  // The consumer's number; decides to create it where this is the first that is heard of it.
  uint32_t ConsumerOf(const GroupRef& ref) {
    const ConsumerRef consumer = FindConsumer(*ref.group, options_.consumer);
    if (consumer.existing != nullptr) {
      ctx_.Touch(ref.object->id, ref.group->number(), consumer.number);
      return consumer.number;
    }
    for (const engine::Event& event : events_) {
      const auto* created = std::get_if<engine::CreateConsumer>(&event);
      if (created != nullptr && created->stream == ref.object->id) return consumer.number;
    }
    events_.push_back(consumer.Creation(ref, options_.consumer, ctx_.now.unix_ms()));
    return consumer.number;
  }

  std::string_view Key(size_t i) const { return ctx_.arg(options_.keys_at + i); }

  Context& ctx_;
  const ReadOptions& options_;
  ReadReply reply_;
  absl::InlinedVector<GroupRef, 2> groups_;
  absl::InlinedVector<std::optional<StreamId>, 2> positions_;  // nullopt: ">"
  absl::InlinedVector<engine::Event, 4> events_;
  absl::InlinedVector<std::vector<StreamId>, 1>
      lists_;  // what the events' lists point into: moving one keeps it
};

}  // namespace

void Xreadgroup(Context& ctx) {
  const auto options = ParseReadOptions(ctx, true);
  if (!options) return;
  GroupRead(ctx, *options).Run();
}

}  // namespace sluice::commands
