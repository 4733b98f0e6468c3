#include "server/commands/string_lookup.h"

namespace sluice::commands {

using engine::Event;
using engine::Object;
using engine::ObjectType;

std::optional<const Object*> FindString(Context& ctx, std::string_view key) {
  const Object* object = ctx.Find(key);
  if (object == nullptr || object->type() == ObjectType::kString) return object;
  ctx.reply.Error(errors::kWrongType);
  return std::nullopt;
}

bool StoreString(Context& ctx, const Object* existing, std::string_view key, std::string_view value,
                 NewExpiry expiry) {
  if (expiry.kind == NewExpiry::kAt && expiry.unix_ms <= ctx.now.unix_ms()) {
    return existing == nullptr || RemoveObject(ctx, *existing);
  }
  uint64_t kept_ms = 0;  // the end that a fresh value has to be given
  if (expiry.kind == NewExpiry::kAt) kept_ms = expiry.unix_ms;
  if (expiry.kind == NewExpiry::kKeep && existing != nullptr) kept_ms = existing->expire_ms;

  Event events[4];
  size_t count = 0;
  if (existing != nullptr && existing->type() == ObjectType::kString) {
    events[count++] = engine::SetString{existing->id, value};
    if (existing->expire_ms != kept_ms) events[count++] = engine::SetExpiry{existing->id, kept_ms};
    return ctx.Record(std::span(events, count));
  }
  engine::ObjectId id = ctx.engine.keys().NextId();
  if (existing != nullptr) {
    id = ctx.engine.keys().NextIdWithout(existing->id);
    events[count++] = engine::RemoveKey{existing->id};
  }
  events[count++] = engine::CreateKey{id, ctx.session.db, ObjectType::kString, key};
  events[count++] = engine::SetString{id, value};
  if (kept_ms != 0) events[count++] = engine::SetExpiry{id, kept_ms};
  return ctx.Record(std::span(events, count));
}

bool RemoveObject(Context& ctx, const Object& object) {
  return ctx.Record({engine::RemoveKey{object.id}});
}

bool StoreExpiry(Context& ctx, const Object& object, uint64_t unix_ms) {
  if (unix_ms != 0 && unix_ms <= ctx.now.unix_ms()) return RemoveObject(ctx, object);
  return object.expire_ms == unix_ms || ctx.Record({engine::SetExpiry{object.id, unix_ms}});
}

}  // namespace sluice::commands
