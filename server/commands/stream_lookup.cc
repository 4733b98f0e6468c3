#include "server/commands/stream_lookup.h"

namespace sluice::commands {

std::optional<const engine::Object*> FindStream(Context& ctx, std::string_view key) {
  const engine::Object* object = ctx.Find(key);
  if (object != nullptr && object->type() != engine::ObjectType::kStream) {
    ctx.reply.Error(errors::kWrongType);
    return std::nullopt;
  }
  return object;
}

const engine::Object* FindExistingStream(Context& ctx, std::string_view key, std::string_view missing) {
  const auto found = FindStream(ctx, key);
  if (!found) return nullptr;
  if (*found == nullptr) ctx.reply.Error(missing);
  return *found;
}

std::optional<GroupRef> FindGroup(Context& ctx, std::string_view key, std::string_view group,
                                  std::string (*missing)(std::string_view key, std::string_view group)) {
  const auto object = FindStream(ctx, key);
  if (!object) return std::nullopt;
  const engine::Stream* stream = *object == nullptr ? nullptr : &(*object)->stream();
  const engine::ConsumerGroup* found = stream == nullptr ? nullptr : stream->FindGroup(group);
  if (found == nullptr) {
    ctx.reply.Error(missing(key, group));
    return std::nullopt;
  }
  return GroupRef{*object, stream, found};
}

std::optional<std::vector<engine::StreamId>> ParseIds(Context& ctx, size_t first, size_t last) {
  std::vector<engine::StreamId> ids;
  ids.reserve(last - first);
  for (size_t i = first; i < last; ++i) {
    const auto id = ParseStreamId(ctx.arg(i));
    if (!id) {
      ctx.reply.Error(errors::kInvalidStreamId);
      return std::nullopt;
    }
    ids.push_back(*id);
  }
  return ids;
}

std::optional<engine::StreamId> ParseIntervalStart(Context& ctx, std::string_view text) {
  const auto bound = ParseRangeBound(text, 0);
  if (!bound) return ctx.reply.Error(errors::kInvalidStreamId), std::nullopt;
  const auto first = bound->exclusive ? engine::Next(bound->id) : bound->id;
  if (!first) ctx.reply.Error("invalid start ID for the interval");
  return first;
}

std::optional<engine::StreamId> ParseIntervalEnd(Context& ctx, std::string_view text) {
  const auto bound = ParseRangeBound(text, UINT64_MAX);
  if (!bound) return ctx.reply.Error(errors::kInvalidStreamId), std::nullopt;
  const auto last = bound->exclusive ? engine::Previous(bound->id) : bound->id;
  if (!last) ctx.reply.Error("invalid end ID for the interval");
  return last;
}

ConsumerRef FindConsumer(const engine::ConsumerGroup& group, std::string_view name) {
  const engine::Consumer* existing = group.FindConsumer(name);
  return {existing != nullptr ? existing->number : group.next_consumer(), existing};
}

}  // namespace sluice::commands
