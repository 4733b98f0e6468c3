// XINFO: what a stream, its groups and their consumers look like from outside.
#include <algorithm>

#include "server/commands/handlers.h"
#include "server/commands/reply_fields.h"
#include "server/commands/stream_idempotence.h"
#include "server/commands/stream_lookup.h"

namespace sluice::commands {
namespace {

using engine::ConsumerGroup;
using engine::Stream;
using engine::StreamId;

constexpr uint64_t kDefaultFullCount = 10;

void WriteEntriesRead(protocol::ReplyWriter& reply, const ConsumerGroup& group) {
  if (group.entries_read()) {
    reply.Integer(static_cast<int64_t>(*group.entries_read()));
  } else {
    reply.Null();
  }
}

void WriteField(protocol::ReplyWriter& reply, std::string_view name, StreamId id) {
  reply.Bulk(name);
  WriteId(reply, id);
}

// -1: as the server's option says.
void WriteField(protocol::ReplyWriter& reply, std::string_view name, std::optional<uint64_t> value) {
  reply.Bulk(name);
  reply.Integer(value ? static_cast<int64_t>(*value) : -1);
}

// The fields that both forms begin with.
void WriteHead(Context& ctx, const Stream& stream) {
  const uint64_t node_entries = ctx.host.settings().stream_node_max_entries;
  const uint64_t nodes = stream.Nodes(node_entries == 0 ? UINT32_MAX : node_entries);
  WriteField(ctx.reply, "length", stream.length());
  WriteField(ctx.reply, "radix-tree-keys", nodes);
  WriteField(ctx.reply, "radix-tree-nodes", nodes + 1);
  WriteField(ctx.reply, "last-generated-id", stream.last_id());
  WriteField(ctx.reply, "max-deleted-entry-id", stream.max_deleted_id());
  WriteField(ctx.reply, "entries-added", stream.entries_added());
  WriteField(ctx.reply, "recorded-first-entry-id", stream.first_id());
  const engine::Idempotence& idempotence = stream.idempotence();
  const engine::ProducerTable* table = idempotence.producers.get();
  WriteField(ctx.reply, "idmp-duration", ProducerSeconds(ctx, &stream));
  WriteField(ctx.reply, "idmp-maxsize", ProducerMessages(ctx, &stream));
  WriteField(ctx.reply, "pids-tracked", table == nullptr ? 0 : table->producers());
  WriteField(ctx.reply, "iids-tracked", table == nullptr ? 0 : table->messages());
  WriteField(ctx.reply, "iids-added", idempotence.added);
  WriteField(ctx.reply, "iids-duplicates", idempotence.duplicates);
  if (!stream.retention().any()) return;
  WriteField(ctx.reply, "retention-ms", stream.retention().ms);
  WriteField(ctx.reply, "retention-bytes", stream.retention().bytes);
}

// Clients of Redis may stumble over fields that it does not have: those of a retention are there only where a
// stream has one of its own.
size_t HeadFields(const Stream& stream) {
  return stream.retention().any() ? 15 : 13;
}

void WriteEdge(Context& ctx, const Stream& stream, bool last) {
  auto write = [&](StreamId id, storage::Place place) {
    EntryWriter(ctx).Write(id, place);
    return false;
  };
  if (stream.length() == 0) return ctx.reply.Null();
  if (last) {
    ctx.ScanBack(stream, engine::kMinStreamId, engine::kMaxStreamId, write);
  } else {
    ctx.Scan(stream, engine::kMinStreamId, engine::kMaxStreamId, write);
  }
}

void WriteConsumerFull(Context& ctx, const ConsumerGroup& group, const engine::Consumer& consumer,
                       uint64_t count) {
  ctx.reply.Map(5);
  ctx.reply.Bulk("name");
  ctx.reply.Bulk(consumer.name);
  WriteField(ctx.reply, "seen-time", consumer.seen_ms);
  ctx.reply.Bulk("active-time");
  ctx.reply.Integer(consumer.active_ms ? static_cast<int64_t>(*consumer.active_ms) : -1);
  const uint64_t pending_count = group.pending().size_of(consumer.number);
  WriteField(ctx.reply, "pel-count", pending_count);
  ctx.reply.Bulk("pending");
  const uint64_t shown = std::min(count, pending_count);
  ctx.reply.Array(shown);
  if (shown == 0) return;
  uint64_t written = 0;
  group.pending().ScanOf(consumer.number, engine::kMinStreamId, [&](const engine::Pending& pending) {
    ctx.reply.Array(3);
    WriteId(ctx.reply, pending.id);
    ctx.reply.Integer(static_cast<int64_t>(pending.delivered_ms));
    ctx.reply.Integer(static_cast<int64_t>(pending.deliveries));
    return ++written < shown;
  });
}

void WriteGroupFull(Context& ctx, const Stream& stream, const ConsumerGroup& group, uint64_t count) {
  ctx.reply.Map(8);
  ctx.reply.Bulk("name");
  ctx.reply.Bulk(group.name());
  WriteField(ctx.reply, "last-delivered-id", group.last_delivered());
  ctx.reply.Bulk("entries-read");
  WriteEntriesRead(ctx.reply, group);
  WriteField(ctx.reply, "lag", stream.Lag(group));
  WriteField(ctx.reply, "pel-count", group.pending().size());
  WriteField(ctx.reply, "nacked-count", group.pending().size_of(engine::kNobody));
  ctx.reply.Bulk("pending");
  const uint64_t shown = std::min<uint64_t>(count, group.pending().size());
  ctx.reply.Array(shown);
  uint64_t written = 0;
  group.pending().Scan(engine::kMinStreamId, [&](const engine::Pending& pending) {
    ctx.reply.Array(4);
    WriteId(ctx.reply, pending.id);
    ctx.reply.Bulk(group.OwnerOf(pending));
    ctx.reply.Integer(static_cast<int64_t>(pending.delivered_ms));
    ctx.reply.Integer(static_cast<int64_t>(pending.deliveries));
    return ++written < shown;
  });
  ctx.reply.Bulk("consumers");
  ctx.reply.Array(group.consumers().size());
  for (const auto& [name, consumer] : group.consumers()) WriteConsumerFull(ctx, group, *consumer, count);
}

void WriteFull(Context& ctx, const Stream& stream, uint64_t count) {
  ctx.reply.Map(HeadFields(stream) + 2);
  WriteHead(ctx, stream);
  ctx.reply.Bulk("entries");
  const uint64_t shown = std::min(count, stream.length());
  ctx.reply.Array(shown);
  uint64_t written = 0;
  if (shown != 0) {
    EntryWriter writer(ctx);
    ctx.Scan(stream, engine::kMinStreamId, engine::kMaxStreamId, [&](StreamId id, storage::Place place) {
      return (writer.Write(id, place) || ctx.reads_on()) && ++written < shown;
    });
  }
  ctx.reply.Bulk("groups");
  ctx.reply.Array(stream.groups().size());
  for (const auto& [name, group] : stream.groups()) WriteGroupFull(ctx, stream, *group, count);
}

}  // namespace

void XinfoStream(Context& ctx) {
  const engine::Object* object = FindExistingStream(ctx, ctx.arg(2), errors::kNoSuchKey);
  if (object == nullptr) return;
  const Stream& stream = object->stream();
  if (ctx.argc() == 3) {
    ctx.reply.Map(HeadFields(stream) + 3);
    WriteHead(ctx, stream);
    WriteField(ctx.reply, "groups", stream.groups().size());
    ctx.reply.Bulk("first-entry");
    WriteEdge(ctx, stream, false);
    ctx.reply.Bulk("last-entry");
    WriteEdge(ctx, stream, true);
    return;
  }
  const bool counted = ctx.argc() == 6 && IsWord(ctx.arg(4), "COUNT");
  if (!IsWord(ctx.arg(3), "FULL") || (ctx.argc() != 4 && !counted)) {
    return ctx.reply.Error(errors::Concat(
        {"unknown subcommand or wrong number of arguments for '", ctx.arg(1), "'. Try XINFO HELP."}));
  }
  uint64_t count = kDefaultFullCount;
  if (counted) {
    const auto wanted = ParseInteger(ctx.arg(5));
    if (!wanted) return ctx.reply.Error(errors::kNotInteger);
    if (*wanted == 0) count = UINT64_MAX;
    if (*wanted > 0) count = static_cast<uint64_t>(*wanted);
  }
  WriteFull(ctx, stream, count);
}

void XinfoGroups(Context& ctx) {
  const engine::Object* object = FindExistingStream(ctx, ctx.arg(2), errors::kNoSuchKey);
  if (object == nullptr) return;
  const Stream& stream = object->stream();
  ctx.reply.Array(stream.groups().size());
  for (const auto& [name, group] : stream.groups()) {
    ctx.reply.Map(6);
    ctx.reply.Bulk("name");
    ctx.reply.Bulk(name);
    WriteField(ctx.reply, "consumers", group->consumers().size());
    WriteField(ctx.reply, "pending", group->pending().size());
    WriteField(ctx.reply, "last-delivered-id", group->last_delivered());
    ctx.reply.Bulk("entries-read");
    WriteEntriesRead(ctx.reply, *group);
    WriteField(ctx.reply, "lag", stream.Lag(*group));
  }
}

void XinfoConsumers(Context& ctx) {
  if (FindExistingStream(ctx, ctx.arg(2), errors::kNoSuchKey) == nullptr) return;
  const auto group = FindGroup(ctx, ctx.arg(2), ctx.arg(3), errors::NoGroupForKey);
  if (!group) return;
  const uint64_t now = ctx.now.unix_ms();
  auto since = [now](uint64_t then) { return now > then ? now - then : 0; };
  ctx.reply.Array(group->group->consumers().size());
  for (const auto& [name, consumer] : group->group->consumers()) {
    ctx.reply.Map(4);
    ctx.reply.Bulk("name");
    ctx.reply.Bulk(name);
    WriteField(ctx.reply, "pending", group->group->pending().size_of(consumer->number));
    WriteField(ctx.reply, "idle", since(consumer->seen_ms));
    ctx.reply.Bulk("inactive");
    ctx.reply.Integer(consumer->active_ms ? static_cast<int64_t>(since(*consumer->active_ms)) : -1);
  }
}

}  // namespace sluice::commands
