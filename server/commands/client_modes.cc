// CLIENT: how the server treats this connection, and the pause of all of them.
#include "server/commands/arguments.h"
#include "server/commands/handlers.h"

namespace sluice::commands {
namespace {

// Argument 2 as ON or OFF. nullopt: the error is replied.
std::optional<bool> ParseSwitch(Context& ctx) {
  const bool on = IsWord(ctx.arg(2), "ON");
  if (!on && !IsWord(ctx.arg(2), "OFF")) return ctx.reply.Error(errors::kSyntax), std::nullopt;
  return on;
}

}  // namespace

void ClientPause(Context& ctx) {
  const auto ms = ParseInteger(ctx.arg(2));
  bool all = true;
  if (ctx.argc() == 4) {
    all = IsWord(ctx.arg(3), "ALL");
    if (!all && !IsWord(ctx.arg(3), "WRITE")) {
      return ctx.reply.Error("CLIENT PAUSE mode must be WRITE or ALL");
    }
  } else if (ctx.argc() != 3) {
    return ctx.reply.Error(errors::WrongArity("client|pause"));
  }
  if (!ms) return ctx.reply.Error("timeout is not an integer or out of range");
  if (*ms < 0) return ctx.reply.Error("timeout is negative");
  uint64_t until_ms;
  if (__builtin_add_overflow(ctx.now.monotonic_ms, static_cast<uint64_t>(*ms), &until_ms)) {
    return ctx.reply.Error("timeout is out of range");
  }
  ctx.Pause(until_ms, all);
  ctx.reply.Ok();
}

void ClientUnpause(Context& ctx) {
  ctx.Unpause();
  ctx.reply.Ok();
}

void ClientReply(Context& ctx) {
  Session& session = ctx.session;
  if (IsWord(ctx.arg(2), "ON")) {
    session.replies_off = false;
    session.replies_skipped = 0;
    return ctx.reply.Ok();
  }
  if (IsWord(ctx.arg(2), "OFF")) {
    session.replies_off = true;
  } else if (IsWord(ctx.arg(2), "SKIP")) {
    constexpr uint8_t kThisAndTheNext = 2;
    if (!session.replies_off) session.replies_skipped = kThisAndTheNext;
  } else {
    ctx.reply.Error(errors::kSyntax);
  }
}

void ClientNoEvict(Context& ctx) {
  const auto on = ParseSwitch(ctx);
  if (!on) return;
  ctx.session.no_evict = *on;
  ctx.reply.Ok();
}

// No key is ever evicted for being old, so there is no age that a read could touch: the mode is remembered
// and shown, and is always kept.
void ClientNoTouch(Context& ctx) {
  const auto on = ParseSwitch(ctx);
  if (!on) return;
  ctx.session.no_touch = *on;
  ctx.reply.Ok();
}

// Client-side caching would have to remember what each client has read. It is refused, and what asks about it
// is answered with the truth: it is off.
void ClientTracking(Context& ctx) {
  const auto on = ParseSwitch(ctx);
  if (!on) return;
  if (*on) return ctx.reply.Error("client-side caching is not supported: CLIENT TRACKING stays off");
  ctx.reply.Ok();
}

void ClientTrackinginfo(Context& ctx) {
  ctx.reply.Map(3);
  ctx.reply.Bulk("flags");
  ctx.reply.Set(1);
  ctx.reply.Bulk("off");
  ctx.reply.Bulk("redirect"), ctx.reply.Integer(-1);
  ctx.reply.Bulk("prefixes"), ctx.reply.Array(0);
}

void ClientGetredir(Context& ctx) {
  ctx.reply.Integer(-1);
}

void ClientCaching(Context& ctx) {
  ctx.reply.Error(
      "CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode "
      "enabled");
}

}  // namespace sluice::commands
