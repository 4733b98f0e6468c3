// XCLAIM and XAUTOCLAIM: pending entries change hands.
#include <vector>

#include <absl/container/btree_set.h>
#include <absl/container/inlined_vector.h>

#include "server/commands/handlers.h"
#include "server/commands/stream_lookup.h"

namespace sluice::commands {
namespace {

using engine::Claim;
using engine::StreamId;

std::optional<uint64_t> ParseMinIdle(Context& ctx, std::string_view command_name) {
  const auto idle = ParseInteger(ctx.arg(4));
  if (!idle) {
    ctx.reply.Error(errors::Concat({"Invalid min-idle-time argument for ", command_name}));
    return std::nullopt;
  }
  return *idle > 0 ? static_cast<uint64_t>(*idle) : 0;
}

struct ClaimOptions {
  uint64_t delivered_ms = 0;  // unix time that the entries count as delivered at
  std::optional<uint64_t> deliveries;
  bool force = false;
  bool just_id = false;
  StreamId last_id{};
};

// Reads XCLAIM's options from argument `i` on. nullopt: the error is replied.
std::optional<ClaimOptions> ParseClaimOptions(Context& ctx, size_t i) {
  const uint64_t now = ctx.now.unix_ms();
  ClaimOptions options;
  options.delivered_ms = now;
  auto number = [&](std::string_view option) -> std::optional<int64_t> {
    const auto value = ParseInteger(ctx.arg(++i));
    if (!value) ctx.reply.Error(errors::Concat({"Invalid ", option, " option argument for XCLAIM"}));
    return value;
  };
  for (; i < ctx.argc(); ++i) {
    const std::string_view word = ctx.arg(i);
    const bool more = i + 1 < ctx.argc();
    if (IsWord(word, "FORCE")) {
      options.force = true;
    } else if (IsWord(word, "JUSTID")) {
      options.just_id = true;
    } else if (more && IsWord(word, "IDLE")) {
      const auto idle = number("IDLE");
      if (!idle) return std::nullopt;
      // A time before the epoch or in the future counts as now.
      const bool sound = *idle >= 0 && static_cast<uint64_t>(*idle) <= now;
      options.delivered_ms = sound ? now - static_cast<uint64_t>(*idle) : now;
    } else if (more && IsWord(word, "TIME")) {
      const auto time = number("TIME");
      if (!time) return std::nullopt;
      const bool sound = *time >= 0 && static_cast<uint64_t>(*time) <= now;
      options.delivered_ms = sound ? static_cast<uint64_t>(*time) : now;
    } else if (more && IsWord(word, "RETRYCOUNT")) {
      const auto count = number("RETRYCOUNT");
      if (!count) return std::nullopt;
      if (*count >= 0)
        options.deliveries = static_cast<uint64_t>(*count);  // below 0: as if not given, as in Redis
    } else if (more && IsWord(word, "LASTID")) {
      const auto id = ParseStreamId(ctx.arg(++i));
      if (!id) return ctx.reply.Error(errors::kInvalidStreamId), std::nullopt;
      options.last_id = *id;
    } else {
      ctx.reply.Error(errors::Concat({"Unrecognized XCLAIM option '", word, "'"}));
      return std::nullopt;
    }
  }
  return options;
}

// What a claim does, recorded as one: the consumer, the entries that left the stream, those that change
// hands.
class ClaimPlan {
 public:
  ClaimPlan(Context& ctx, const GroupRef& group)
      : ctx_(ctx), group_(group), consumer_(FindConsumer(*group.group, ctx.arg(3))) {}

  std::vector<StreamId>& claimed() { return claimed_; }
  std::vector<StreamId>& vanished() { return vanished_; }

  bool Record(uint64_t delivered_ms, std::optional<uint64_t> deliveries, bool just_id, StreamId last_id) {
    const engine::ObjectId stream = group_.object->id;
    const uint32_t number = group_.group->number();
    // What cannot be shown must not change hands.
    for (size_t i = 0; !just_id && i < claimed_.size() && ctx_.reads_on(); ++i) {
      ctx_.Read(*group_.stream->Find(claimed_[i]));
    }
    absl::InlinedVector<engine::Event, 4> events;
    if (consumer_.existing == nullptr) {
      events.push_back(consumer_.Creation(group_, ctx_.arg(3), ctx_.now.unix_ms()));
    } else {
      ctx_.Touch(stream, number, consumer_.number);
    }
    if (last_id > group_.group->last_delivered()) {
      events.push_back(engine::SetGroupId{stream, number, last_id, group_.group->entries_read()});
    }
    if (!vanished_.empty()) events.push_back(engine::Release{stream, number, vanished_});
    if (!claimed_.empty()) {
      events.push_back(Claim{.stream = stream,
                             .group = number,
                             .consumer = consumer_.number,
                             .now_ms = ctx_.now.unix_ms(),
                             .delivered_ms = delivered_ms,
                             .count = deliveries ? Claim::kSet
                                      : just_id  ? Claim::kKeep
                                                 : Claim::kIncrement,
                             .deliveries = deliveries.value_or(0),
                             .ids = claimed_});
    }
    return events.empty() || ctx_.Record(std::span(events.data(), events.size()));
  }

  void WriteClaimed(bool just_id) {
    ctx_.reply.Array(claimed_.size());
    EntryWriter writer(ctx_);
    for (StreamId id : claimed_) {
      if (just_id) {
        WriteId(ctx_.reply, id);
      } else {
        writer.Write(id, *group_.stream->Find(id));
      }
    }
  }

 private:
  Context& ctx_;
  const GroupRef& group_;
  ConsumerRef consumer_;
  std::vector<StreamId> claimed_;
  std::vector<StreamId> vanished_;  // pending, but in the stream no more
};

}  // namespace

void Xclaim(Context& ctx) {
  const auto group = FindGroup(ctx, ctx.arg(1), ctx.arg(2), errors::NoKeyOrGroup);
  if (!group) return;
  const auto min_idle = ParseMinIdle(ctx, "XCLAIM");
  if (!min_idle) return;
  std::vector<StreamId> ids;
  size_t i = 5;
  for (; i < ctx.argc(); ++i) {
    const auto id = ParseStreamId(ctx.arg(i));
    if (!id) break;
    ids.push_back(*id);
  }
  const auto options = ParseClaimOptions(ctx, i);
  if (!options) return;

  ClaimPlan plan(ctx, *group);
  absl::btree_set<StreamId> seen;
  absl::btree_set<StreamId> claimed;
  for (StreamId id : ids) {
    auto pending = group->group->pending().Find(id);
    if (!seen.insert(id).second) {
      // Named again: it is as the first time has left it.
      if (!claimed.contains(id)) continue;
      pending = engine::Pending{.id = id, .delivered_ms = options->delivered_ms};
    }
    if (!ctx.Find(*group->stream, id)) {
      if (pending) plan.vanished().push_back(id);
      continue;
    }
    if (pending ? !IsIdle(*pending, *min_idle, ctx.now.unix_ms()) : !options->force) continue;
    plan.claimed().push_back(id);
    claimed.insert(id);
  }
  if (!plan.Record(options->delivered_ms, options->deliveries, options->just_id, options->last_id)) return;
  plan.WriteClaimed(options->just_id);
}

void Xautoclaim(Context& ctx) {
  constexpr uint64_t kScanFactor = 10;  // pending entries looked at for each one asked for
  const auto min_idle = ParseMinIdle(ctx, "XAUTOCLAIM");
  if (!min_idle) return;
  const auto from = ParseIntervalStart(ctx, ctx.arg(5));
  if (!from) return;
  uint64_t count = 100;
  bool just_id = false;
  for (size_t i = 6; i < ctx.argc(); ++i) {
    if (IsWord(ctx.arg(i), "COUNT") && i + 1 < ctx.argc()) {
      const auto wanted = ParseInteger(ctx.arg(++i));
      if (!wanted || *wanted < 1 || static_cast<uint64_t>(*wanted) > INT64_MAX / kScanFactor) {
        return ctx.reply.Error("COUNT must be > 0");
      }
      count = static_cast<uint64_t>(*wanted);
    } else if (IsWord(ctx.arg(i), "JUSTID")) {
      just_id = true;
    } else {
      return ctx.reply.Error(errors::kSyntax);
    }
  }
  const auto group = FindGroup(ctx, ctx.arg(1), ctx.arg(2), errors::NoKeyOrGroup);
  if (!group) return;

  ClaimPlan plan(ctx, *group);
  uint64_t attempts = count * kScanFactor;
  StreamId cursor = engine::kMinStreamId;  // the first that was not looked at
  group->group->pending().Scan(*from, [&](const engine::Pending& pending) {
    if (attempts == 0 || count == 0) {
      cursor = pending.id;
      return false;
    }
    --attempts;
    if (!ctx.Find(*group->stream, pending.id)) {
      plan.vanished().push_back(pending.id);
      --count;
    } else if (IsIdle(pending, *min_idle, ctx.now.unix_ms())) {
      plan.claimed().push_back(pending.id);
      --count;
    }
    return true;
  });
  if (!plan.Record(ctx.now.unix_ms(), std::nullopt, just_id, engine::kMinStreamId)) return;
  ctx.reply.Array(3);
  WriteId(ctx.reply, cursor);
  plan.WriteClaimed(just_id);
  ctx.reply.Array(plan.vanished().size());
  for (StreamId id : plan.vanished()) WriteId(ctx.reply, id);
}

}  // namespace sluice::commands
