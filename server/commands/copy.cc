// COPY: a second value like the first, as one record.
#include <deque>
#include <vector>

#include "server/commands/arguments.h"
#include "server/commands/handlers.h"
#include "server/commands/stream_lookup.h"

namespace sluice::commands {
namespace {

using engine::Event;
using engine::Object;
using engine::ObjectId;
using engine::ObjectType;

struct CopyOptions {
  uint8_t db;
  bool replace = false;
};

std::optional<CopyOptions> ParseCopyOptions(Context& ctx) {
  CopyOptions options{.db = ctx.session.db};
  for (size_t i = 3; i < ctx.argc(); ++i) {
    if (IsWord(ctx.arg(i), "REPLACE")) {
      options.replace = true;
    } else if (IsWord(ctx.arg(i), "DB") && i + 1 < ctx.argc()) {
      const auto db = ParseInteger(ctx.arg(++i));
      if (!db) return ctx.reply.Error(errors::kNotInteger), std::nullopt;
      if (*db < 0 || static_cast<uint64_t>(*db) >= ctx.host.settings().databases) {
        return ctx.reply.Error("DB index is out of range"), std::nullopt;
      }
      options.db = static_cast<uint8_t>(*db);
    } else {
      return ctx.reply.Error(errors::kSyntax), std::nullopt;
    }
  }
  return options;
}

// What a copy records. The lists that events point into live here too.
struct CopyPlan {
  ObjectId to;
  std::vector<Event> events;
  std::deque<engine::StreamId> ids;

  std::span<const engine::StreamId> Keep(engine::StreamId id) { return std::span(&ids.emplace_back(id), 1); }
};

void CopyGroup(const engine::ConsumerGroup& group, uint32_t number, CopyPlan& plan) {
  plan.events.push_back(
      engine::CreateGroup{plan.to, number, group.last_delivered(), group.entries_read(), group.name()});
  uint32_t consumer_number = 0;
  for (const auto& [name, consumer] : group.consumers()) {
    const uint32_t copied = consumer_number++;
    const uint64_t active_ms = consumer->active_ms.value_or(0);
    plan.events.push_back(engine::CreateConsumer{plan.to, number, copied, consumer->seen_ms, name});
    group.pending().ScanOf(consumer->number, engine::kMinStreamId, [&](const engine::Pending& pending) {
      plan.events.push_back(engine::Claim{.stream = plan.to,
                                          .group = number,
                                          .consumer = copied,
                                          .now_ms = active_ms,
                                          .delivered_ms = pending.delivered_ms,
                                          .count = engine::Claim::kSet,
                                          .deliveries = pending.deliveries,
                                          .ids = plan.Keep(pending.id)});
      return true;
    });
  }
  // What is nobody's comes first in the order of waiting, in the order in which it was given back.
  group.pending().ScanLongestWaiting([&](const engine::Pending& pending) {
    if (pending.owned()) return false;
    plan.events.push_back(engine::GiveBack{.stream = plan.to,
                                           .group = number,
                                           .count = engine::GiveBack::kSet,
                                           .deliveries = pending.deliveries,
                                           .ids = plan.Keep(pending.id)});
    return true;
  });
}

// What is known of producers: their messages name entries by ID, and the copy has the same.
void CopyMessages(const engine::Idempotence& from, CopyPlan& plan) {
  if (from.seconds != 0 || from.messages != 0) {
    plan.events.push_back(engine::LimitProducers{plan.to, from.seconds, from.messages});
  }
  if (!from.producers) return;
  from.producers->ForEach([&](std::string_view producer, std::string_view message, engine::StreamId entry) {
    plan.events.push_back(engine::RememberMessage{plan.to, entry, UINT64_MAX, producer, message});
  });
}

// The entries are recorded again: a copy's messages are its own, whatever becomes of the first.
void CopyStream(Context& ctx, const engine::Stream& from, CopyPlan& plan) {
  ctx.Scan(from, engine::kMinStreamId, engine::kMaxStreamId, [&](engine::StreamId id, storage::Place place) {
    const std::optional<engine::EntryView> entry = ctx.Read(place);
    if (!entry) return ctx.reads_on();  // Record() will refuse
    plan.events.push_back(engine::AppendEntry{0, plan.to, id, entry->pairs, entry->fields});
    return true;
  });
  plan.events.push_back(
      engine::SetStreamId{plan.to, from.last_id(), from.entries_added(), from.max_deleted_id()});
  const engine::Retention& retention = from.retention();
  if (retention.any()) plan.events.push_back(engine::SetRetention{plan.to, retention.ms, retention.bytes});
  CopyMessages(from.idempotence(), plan);
  uint32_t number = 0;
  for (const auto& [name, group] : from.groups()) CopyGroup(*group, number++, plan);
}

}  // namespace

void Copy(Context& ctx) {
  const auto options = ParseCopyOptions(ctx);
  if (!options) return;
  if (options->db == ctx.session.db && ctx.arg(1) == ctx.arg(2)) {
    return ctx.reply.Error("source and destination objects are the same");
  }
  const Object* from = ctx.Find(ctx.arg(1));
  if (from == nullptr) return ctx.reply.Integer(0);
  if (from->type() == ObjectType::kStockItem)
    return ctx.reply.Error("an item of stock cannot be copied: it is sold once");
  const Object* to = ctx.engine.Find(options->db, ctx.arg(2));
  if (to != nullptr && !options->replace && !to->IsDue(ctx.now.unix_ms())) return ctx.reply.Integer(0);

  CopyPlan plan{.to = ctx.engine.keys().NextId(), .events = {}, .ids = {}};
  if (to != nullptr) {
    plan.to = ctx.engine.keys().NextIdWithout(to->id);
    plan.events.push_back(engine::RemoveKey{to->id});
  }
  plan.events.push_back(engine::CreateKey{plan.to, options->db, from->type(), ctx.arg(2)});
  if (from->type() == ObjectType::kString) {
    plan.events.push_back(engine::SetString{plan.to, from->string()});
  } else {
    CopyStream(ctx, from->stream(), plan);
  }
  if (from->expire_ms != 0) plan.events.push_back(engine::SetExpiry{plan.to, from->expire_ms});
  if (ctx.Record(plan.events)) ctx.reply.Integer(1);
}

}  // namespace sluice::commands
