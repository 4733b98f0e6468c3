// XGROUP: groups and consumers come and go.
#include <algorithm>

#include "server/commands/handlers.h"
#include "server/commands/stream_lookup.h"

namespace sluice::commands {
namespace {

using engine::StreamId;

constexpr std::string_view kKeyMustExist =
    "The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM "
    "option to "
    "create an empty stream automatically.";

// A group of an existing stream. nullopt: the error is replied.
std::optional<GroupRef> ExistingGroup(Context& ctx) {
  if (FindExistingStream(ctx, ctx.arg(2), kKeyMustExist) == nullptr) return std::nullopt;
  return FindGroup(ctx, ctx.arg(2), ctx.arg(3), errors::NoGroupForKey);
}

struct GroupOptions {
  bool make_stream = false;
  std::optional<uint64_t> entries_read;
};

std::optional<GroupOptions> ParseGroupOptions(Context& ctx, bool create) {
  GroupOptions options;
  for (size_t i = 5; i < ctx.argc(); ++i) {
    if (create && IsWord(ctx.arg(i), "MKSTREAM")) {
      options.make_stream = true;
    } else if (IsWord(ctx.arg(i), "ENTRIESREAD") && i + 1 < ctx.argc()) {
      const auto read = ParseInteger(ctx.arg(++i));
      if (!read) return ctx.reply.Error(errors::kNotInteger), std::nullopt;
      if (*read < -1) return ctx.reply.Error("value for ENTRIESREAD must be positive or -1"), std::nullopt;
      options.entries_read.reset();
      if (*read >= 0) options.entries_read = static_cast<uint64_t>(*read);
    } else {
      ctx.reply.Error(errors::Concat(
          {"unknown subcommand or wrong number of arguments for '", ctx.arg(1), "'. Try XGROUP HELP."}));
      return std::nullopt;
    }
  }
  return options;
}

// "$" or an ID. nullopt: the error is replied.
std::optional<StreamId> ParseStart(Context& ctx, const engine::Object* object, bool loose) {
  const std::string_view text = ctx.arg(4);
  if (text == "$") return object == nullptr ? engine::kMinStreamId : object->stream().last_id();
  const auto id = loose ? ParseLooseStreamId(text) : ParseStreamId(text);
  if (!id) ctx.reply.Error(errors::kInvalidStreamId);
  return id;
}

void ClampEntriesRead(GroupOptions& options, const engine::Object* object) {
  if (!options.entries_read) return;
  const uint64_t added = object == nullptr ? 0 : object->stream().entries_added();
  options.entries_read = std::min(*options.entries_read, added);
}

}  // namespace

void XgroupCreate(Context& ctx) {
  auto options = ParseGroupOptions(ctx, true);
  if (!options) return;
  const auto found = FindStream(ctx, ctx.arg(2));
  if (!found) return;
  const engine::Object* object = *found;
  if (object == nullptr && !options->make_stream) return ctx.reply.Error(kKeyMustExist);
  const auto start = ParseStart(ctx, object, false);
  if (!start) return;
  if (object != nullptr && object->stream().FindGroup(ctx.arg(3)) != nullptr) {
    return ctx.reply.Error("-BUSYGROUP Consumer Group name already exists");
  }
  ClampEntriesRead(*options, object);

  engine::Event events[2];
  size_t count = 0;
  const engine::ObjectId stream = object != nullptr ? object->id : ctx.engine.keys().NextId();
  if (object == nullptr) {
    events[count++] = engine::CreateKey{stream, ctx.session.db, engine::ObjectType::kStream, ctx.arg(2)};
  }
  events[count++] = engine::CreateGroup{.stream = stream,
                                        .group = object != nullptr ? object->stream().next_group() : 0,
                                        .last_delivered = *start,
                                        .entries_read = options->entries_read,
                                        .name = ctx.arg(3)};
  if (!ctx.Record(std::span(events, count))) return;
  ctx.reply.Ok();
}

void XgroupSetid(Context& ctx) {
  auto options = ParseGroupOptions(ctx, false);
  if (!options) return;
  const auto group = ExistingGroup(ctx);
  if (!group) return;
  const auto start = ParseStart(ctx, group->object, true);
  if (!start) return;
  ClampEntriesRead(*options, group->object);
  if (!ctx.Record(
          {engine::SetGroupId{group->object->id, group->group->number(), *start, options->entries_read}}))
    return;
  ctx.reply.Ok();
}

void XgroupDestroy(Context& ctx) {
  const engine::Object* object = FindExistingStream(ctx, ctx.arg(2), kKeyMustExist);
  if (object == nullptr) return;
  const engine::ConsumerGroup* group = object->stream().FindGroup(ctx.arg(3));
  if (group == nullptr) return ctx.reply.Integer(0);
  if (!ctx.Record({engine::DestroyGroup{object->id, group->number()}})) return;
  ctx.reply.Integer(1);
}

void XgroupCreateconsumer(Context& ctx) {
  const auto group = ExistingGroup(ctx);
  if (!group) return;
  const ConsumerRef consumer = FindConsumer(*group->group, ctx.arg(4));
  if (consumer.existing != nullptr) return ctx.reply.Integer(0);
  if (!ctx.Record({consumer.Creation(*group, ctx.arg(4), ctx.now.unix_ms())})) return;
  ctx.reply.Integer(1);
}

void XgroupDelconsumer(Context& ctx) {
  const auto group = ExistingGroup(ctx);
  if (!group) return;
  const engine::Consumer* consumer = group->group->FindConsumer(ctx.arg(4));
  if (consumer == nullptr) return ctx.reply.Integer(0);
  const size_t pending = group->group->pending().size_of(consumer->number);
  if (!ctx.Record({engine::DeleteConsumer{group->object->id, group->group->number(), consumer->number}}))
    return;
  ctx.reply.Integer(static_cast<int64_t>(pending));
}

}  // namespace sluice::commands
