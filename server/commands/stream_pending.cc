// XACK and XPENDING: what came back, and what did not.
#include <algorithm>

#include "server/commands/handlers.h"
#include "server/commands/stream_lookup.h"

namespace sluice::commands {
namespace {

using engine::StreamId;

void WriteSummary(Context& ctx, const engine::ConsumerGroup& group) {
  const engine::PendingList& pending = group.pending();
  ctx.reply.Array(4);
  ctx.reply.Integer(static_cast<int64_t>(pending.size()));
  if (pending.empty()) {
    ctx.reply.Null();
    ctx.reply.Null();
    ctx.reply.NullArray();
    return;
  }
  WriteId(ctx.reply, pending.first_id());
  WriteId(ctx.reply, pending.last_id());
  const size_t array = ctx.reply.BeginArray();
  size_t consumers = 0;
  for (const auto& [name, consumer] : group.consumers()) {
    const size_t held = pending.size_of(consumer->number);
    if (held == 0) continue;
    ctx.reply.Array(2);
    ctx.reply.Bulk(name);
    ctx.reply.BulkInteger(static_cast<int64_t>(held));
    ++consumers;
  }
  ctx.reply.EndArray(array, consumers);
}

struct PendingRange {
  StreamId from;
  StreamId to;
  uint64_t count;
  uint64_t min_idle_ms;
};

// True where the entry is within the filter; then it is written.
bool WritePending(Context& ctx, const engine::ConsumerGroup& group, const PendingRange& range,
                  const engine::Pending& pending) {
  // What is nobody's has waited for ever: no filter by idleness leaves it out.
  const int64_t idle = pending.owned() ? static_cast<int64_t>(IdleOf(pending, ctx.now.unix_ms())) : -1;
  if (pending.owned() && static_cast<uint64_t>(idle) < range.min_idle_ms) return false;
  ctx.reply.Array(4);
  WriteId(ctx.reply, pending.id);
  ctx.reply.Bulk(group.OwnerOf(pending));
  ctx.reply.Integer(idle);
  ctx.reply.Integer(static_cast<int64_t>(pending.deliveries));
  return true;
}

void Extended(Context& ctx, const engine::ConsumerGroup& group, const PendingRange& range,
              std::optional<std::string_view> consumer_name) {
  const size_t array = ctx.reply.BeginArray(std::min<uint64_t>(range.count, group.pending().size()));
  uint64_t written = 0;
  const engine::PendingList& pending = group.pending();
  auto write = [&](const engine::Pending& entry) {
    if (entry.id > range.to || written >= range.count) return false;
    written += WritePending(ctx, group, range, entry);
    return true;
  };
  if (!consumer_name) {
    pending.Scan(range.from, write);
  } else if (const engine::Consumer* consumer = group.FindConsumer(*consumer_name)) {
    pending.ScanOf(consumer->number, range.from, write);
  }
  ctx.reply.EndArray(array, written);
}

}  // namespace

void Xack(Context& ctx) {
  const auto found = FindStream(ctx, ctx.arg(1));
  if (!found) return;
  const engine::ConsumerGroup* group = *found == nullptr ? nullptr : (*found)->stream().FindGroup(ctx.arg(2));
  if (group == nullptr) return ctx.reply.Integer(0);
  auto ids = ParseIds(ctx, 3, ctx.argc());
  if (!ids) return;
  std::sort(ids->begin(), ids->end());
  ids->erase(std::unique(ids->begin(), ids->end()), ids->end());
  std::erase_if(*ids, [&](StreamId id) { return !group->pending().contains(id); });
  if (!ids->empty() && !ctx.Record({engine::Release{(*found)->id, group->number(), *ids}})) return;
  ctx.reply.Integer(static_cast<int64_t>(ids->size()));
}

void Xpending(Context& ctx) {
  // key group [[IDLE ms] start end count [consumer]]; what is too much below that bound goes unread, as with
  // Redis
  constexpr size_t kMostArguments = 9;
  const bool idle_given = ctx.argc() > 3 && IsWord(ctx.arg(3), "IDLE");
  const size_t at = idle_given ? 5 : 3;  // of start
  const bool extended = ctx.argc() != 3;
  if (extended && (ctx.argc() < at + 3 || ctx.argc() > kMostArguments))
    return ctx.reply.Error(errors::kSyntax);
  PendingRange range{};
  if (extended) {
    if (idle_given) {
      const auto idle = ParseInteger(ctx.arg(4));
      if (!idle) return ctx.reply.Error(errors::kNotInteger);
      range.min_idle_ms = *idle > 0 ? static_cast<uint64_t>(*idle) : 0;
    }
    const auto count = ParseInteger(ctx.arg(at + 2));
    if (!count) return ctx.reply.Error(errors::kNotInteger);
    range.count = *count > 0 ? static_cast<uint64_t>(*count) : 0;
    const auto from = ParseIntervalStart(ctx, ctx.arg(at));
    if (!from) return;
    const auto to = ParseIntervalEnd(ctx, ctx.arg(at + 1));
    if (!to) return;
    range.from = *from;
    range.to = *to;
  }
  const auto group = FindGroup(ctx, ctx.arg(1), ctx.arg(2), errors::NoKeyOrGroup);
  if (!group) return;
  if (!extended) return WriteSummary(ctx, *group->group);
  std::optional<std::string_view> consumer;
  if (ctx.argc() > at + 3) consumer = ctx.arg(at + 3);
  Extended(ctx, *group->group, range, consumer);
}

}  // namespace sluice::commands
