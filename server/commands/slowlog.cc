// SLOWLOG: which commands took long.
#include "server/commands/arguments.h"
#include "server/commands/diagnostics.h"
#include "server/commands/handlers.h"

namespace sluice::commands {

void SlowlogGet(Context& ctx) {
  constexpr int64_t kDefaultCount = 10;
  int64_t count = kDefaultCount;
  if (ctx.argc() > 3) return ctx.reply.Error(errors::BadSubcommand(ctx.arg(1), "SLOWLOG"));
  if (ctx.argc() == 3) {
    const auto given = ParseInteger(ctx.arg(2));
    if (!given || *given < -1) return ctx.reply.Error("count should be greater than or equal to -1");
    count = *given;
  }
  const auto& entries = ctx.diagnostics().slow_log.entries();
  const size_t shown = count < 0 ? entries.size() : std::min(entries.size(), static_cast<size_t>(count));
  ctx.reply.Array(shown);
  for (size_t i = 0; i < shown; ++i) {
    const SlowLog::Entry& entry = entries[i];
    ctx.reply.Array(6);
    ctx.reply.Integer(static_cast<int64_t>(entry.id));
    ctx.reply.Integer(static_cast<int64_t>(entry.unix_s));
    ctx.reply.Integer(static_cast<int64_t>(entry.microseconds));
    ctx.reply.Array(entry.args.size());
    for (const std::string& arg : entry.args) ctx.reply.Bulk(arg);
    ctx.reply.Bulk(entry.peer);
    ctx.reply.Bulk(entry.name);
  }
}

void SlowlogLen(Context& ctx) {
  ctx.reply.Integer(static_cast<int64_t>(ctx.diagnostics().slow_log.entries().size()));
}

void SlowlogReset(Context& ctx) {
  ctx.diagnostics().slow_log.Clear();
  ctx.reply.Ok();
}

}  // namespace sluice::commands
