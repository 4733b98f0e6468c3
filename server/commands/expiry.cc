// EXPIRE and its family: when keys end.
#include "server/commands/arguments.h"
#include "server/commands/expiry_time.h"
#include "server/commands/handlers.h"
#include "server/commands/string_lookup.h"

namespace sluice::commands {
namespace {

using engine::Object;

struct Condition {
  bool if_none = false;    // NX
  bool if_any = false;     // XX
  bool if_later = false;   // GT; no end is later than any
  bool if_sooner = false;  // LT
};

std::optional<Condition> ParseCondition(Context& ctx) {
  Condition condition;
  for (size_t i = 3; i < ctx.argc(); ++i) {
    if (IsWord(ctx.arg(i), "NX")) {
      condition.if_none = true;
    } else if (IsWord(ctx.arg(i), "XX")) {
      condition.if_any = true;
    } else if (IsWord(ctx.arg(i), "GT")) {
      condition.if_later = true;
    } else if (IsWord(ctx.arg(i), "LT")) {
      condition.if_sooner = true;
    } else {
      return ctx.reply.Error(errors::Concat({"Unsupported option ", ctx.arg(i)})), std::nullopt;
    }
  }
  if (condition.if_none && (condition.if_any || condition.if_later || condition.if_sooner)) {
    return ctx.reply.Error("NX and XX, GT or LT options at the same time are not compatible"), std::nullopt;
  }
  if (condition.if_later && condition.if_sooner) {
    return ctx.reply.Error("GT and LT options at the same time are not compatible"), std::nullopt;
  }
  return condition;
}

bool Holds(const Condition& condition, uint64_t present_ms, int64_t wanted_ms) {
  const auto present = static_cast<int64_t>(present_ms);
  if (condition.if_none && present_ms != 0) return false;
  if (condition.if_any && present_ms == 0) return false;
  if (condition.if_later && (present_ms == 0 || wanted_ms <= present)) return false;
  return !(condition.if_sooner && present_ms != 0 && wanted_ms >= present);
}

void ExpireKey(Context& ctx, ExpiryUnit unit, bool from_now) {
  const auto condition = ParseCondition(ctx);
  if (!condition) return;
  const auto wanted_ms = ParseExpiry(ctx, ctx.arg(2), unit, from_now);
  if (!wanted_ms) return;
  const Object* object = ctx.Find(ctx.arg(1));
  if (object == nullptr || !Holds(*condition, object->expire_ms, *wanted_ms)) return ctx.reply.Integer(0);
  // A time that is gone removes the key; any time before the clock's own will do for that.
  const uint64_t unix_ms = *wanted_ms > 0 ? static_cast<uint64_t>(*wanted_ms) : 1;
  if (StoreExpiry(ctx, *object, unix_ms)) ctx.reply.Integer(1);
}

constexpr int64_t kNoKey = -2;
constexpr int64_t kNoExpiry = -1;

void ShowExpiry(Context& ctx, ExpiryUnit unit, bool from_now) {
  const Object* object = ctx.Find(ctx.arg(1));
  if (object == nullptr) return ctx.reply.Integer(kNoKey);
  if (object->expire_ms == 0) return ctx.reply.Integer(kNoExpiry);
  const uint64_t now_ms = ctx.now.unix_ms();
  // What should have ended lives on while something of it is held.
  const uint64_t left_ms = object->expire_ms > now_ms ? object->expire_ms - now_ms : 0;
  const auto ms = static_cast<int64_t>(from_now ? left_ms : object->expire_ms);
  if (unit == ExpiryUnit::kMilliseconds) return ctx.reply.Integer(ms);
  ctx.reply.Integer(from_now ? (ms + 500) / 1000 : ms / 1000);
}

}  // namespace

void Expire(Context& ctx) {
  ExpireKey(ctx, ExpiryUnit::kSeconds, true);
}
void Pexpire(Context& ctx) {
  ExpireKey(ctx, ExpiryUnit::kMilliseconds, true);
}
void Expireat(Context& ctx) {
  ExpireKey(ctx, ExpiryUnit::kSeconds, false);
}
void Pexpireat(Context& ctx) {
  ExpireKey(ctx, ExpiryUnit::kMilliseconds, false);
}
void Ttl(Context& ctx) {
  ShowExpiry(ctx, ExpiryUnit::kSeconds, true);
}
void Pttl(Context& ctx) {
  ShowExpiry(ctx, ExpiryUnit::kMilliseconds, true);
}
void Expiretime(Context& ctx) {
  ShowExpiry(ctx, ExpiryUnit::kSeconds, false);
}
void Pexpiretime(Context& ctx) {
  ShowExpiry(ctx, ExpiryUnit::kMilliseconds, false);
}

void Persist(Context& ctx) {
  const Object* object = ctx.Find(ctx.arg(1));
  if (object == nullptr || object->expire_ms == 0) return ctx.reply.Integer(0);
  if (StoreExpiry(ctx, *object, 0)) ctx.reply.Integer(1);
}

}  // namespace sluice::commands
