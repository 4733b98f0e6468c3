// The plain string commands: counters and flags beside the streams.
#include <charconv>
#include <limits>

#include "server/commands/arguments.h"
#include "server/commands/handlers.h"

namespace sluice::commands {
namespace {

using engine::Event;
using engine::Object;
using engine::ObjectType;

// The string at `key`, or nullptr where there is none. nullopt: another type, the error is replied.
std::optional<const Object*> FindString(Context& ctx, std::string_view key) {
  const Object* object = ctx.Find(key);
  if (object == nullptr || object->type() == ObjectType::kString) return object;
  ctx.reply.Error(errors::kWrongType);
  return std::nullopt;
}

// Gives `key` a value, whatever it held: `existing` is what it holds, of any type.
bool StoreString(Context& ctx, const Object* existing, std::string_view key, std::string_view value) {
  if (existing != nullptr && existing->type() == ObjectType::kString) {
    return ctx.Record({engine::SetString{existing->id, value}});
  }
  if (existing == nullptr) {
    const engine::ObjectId id = ctx.engine.keys().NextId();
    return ctx.Record(
        {engine::CreateKey{id, ctx.session.db, ObjectType::kString, key}, engine::SetString{id, value}});
  }
  const engine::ObjectId id = ctx.engine.keys().NextIdWithout(existing->id);
  return ctx.Record({engine::RemoveKey{existing->id},
                     engine::CreateKey{id, ctx.session.db, ObjectType::kString, key},
                     engine::SetString{id, value}});
}

void Add(Context& ctx, int64_t delta) {
  const auto found = FindString(ctx, ctx.arg(1));
  if (!found) return;
  int64_t value = 0;
  if (*found != nullptr) {
    const auto number = ParseInteger((*found)->string());
    if (!number) return ctx.reply.Error(errors::kNotInteger);
    value = *number;
  }
  int64_t sum;
  if (__builtin_add_overflow(value, delta, &sum)) return ctx.reply.Error(errors::kOverflow);
  char text[24];
  const char* end = std::to_chars(text, text + sizeof text, sum).ptr;
  if (!StoreString(ctx, *found, ctx.arg(1), {text, static_cast<size_t>(end - text)})) return;
  ctx.reply.Integer(sum);
}

}  // namespace

void Set(Context& ctx) {
  if (ctx.argc() > 3) return ctx.reply.Error(errors::kSyntax);
  if (!StoreString(ctx, ctx.Find(ctx.arg(1)), ctx.arg(1), ctx.arg(2))) return;
  ctx.reply.Ok();
}

void Get(Context& ctx) {
  const auto found = FindString(ctx, ctx.arg(1));
  if (!found) return;
  if (*found == nullptr) return ctx.reply.Null();
  ctx.reply.Bulk((*found)->string());
}

void Incr(Context& ctx) {
  Add(ctx, 1);
}
void Decr(Context& ctx) {
  Add(ctx, -1);
}

void Incrby(Context& ctx) {
  const auto delta = ParseInteger(ctx.arg(2));
  if (!delta) return ctx.reply.Error(errors::kNotInteger);
  Add(ctx, *delta);
}

void Decrby(Context& ctx) {
  const auto delta = ParseInteger(ctx.arg(2));
  if (!delta) return ctx.reply.Error(errors::kNotInteger);
  if (*delta == std::numeric_limits<int64_t>::min()) return ctx.reply.Error("decrement would overflow");
  Add(ctx, -*delta);
}

}  // namespace sluice::commands
