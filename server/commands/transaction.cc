// MULTI, EXEC, DISCARD, WATCH, UNWATCH. The queue itself is filled by the dispatcher.
#include "server/commands/handlers.h"

namespace sluice::commands {

void Multi(Context& ctx) {
  if (ctx.session.transaction) return ctx.reply.Error("MULTI calls can not be nested");
  ctx.session.transaction = std::make_unique<Transaction>();
  ctx.reply.Ok();
}

void Exec(Context& ctx) {
  if (!ctx.session.transaction) return ctx.reply.Error("EXEC without MULTI");
  const std::unique_ptr<Transaction> transaction = std::move(ctx.session.transaction);
  const bool changed = ctx.session.watch_broken;
  ctx.Unwatch();
  if (transaction->broken) {
    return ctx.reply.Error("-EXECABORT Transaction discarded because of previous errors.");
  }
  if (changed) return ctx.reply.NullArray();
  ctx.ExecuteAll(*transaction);
}

void Discard(Context& ctx) {
  if (!ctx.session.transaction) return ctx.reply.Error("DISCARD without MULTI");
  ctx.session.transaction.reset();
  ctx.Unwatch();
  ctx.reply.Ok();
}

void Watch(Context& ctx) {
  if (ctx.session.transaction) return ctx.reply.Error("WATCH inside MULTI is not allowed");
  for (size_t i = 1; i < ctx.argc(); ++i) ctx.Watch(ctx.arg(i));
  ctx.reply.Ok();
}

void Unwatch(Context& ctx) {
  ctx.Unwatch();
  ctx.reply.Ok();
}

}  // namespace sluice::commands
