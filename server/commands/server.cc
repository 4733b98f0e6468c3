// Commands about the process: options, the clock, the end.
#include "server/commands/arguments.h"
#include "server/commands/diagnostics.h"
#include "server/commands/handlers.h"

namespace sluice::commands {

void ConfigGet(Context& ctx) {
  const auto options = ctx.host.ConfigGet(ctx.request.args().subspan(2));
  ctx.reply.Map(options.size());
  for (const auto& [name, value] : options) {
    ctx.reply.Bulk(name);
    ctx.reply.Bulk(value);
  }
}

void ConfigSet(Context& ctx) {
  if (ctx.argc() % 2 != 0) return ctx.reply.Error(errors::WrongArity("config|set"));
  if (const auto refusal = ctx.host.ConfigSet(ctx.request.args().subspan(2)))
    return ctx.reply.Error(*refusal);
  ctx.SettingsChanged();
  ctx.reply.Ok();
}

void ConfigResetstat(Context& ctx) {
  Diagnostics& diagnostics = ctx.diagnostics();
  // How many wait is no count of what was.
  diagnostics.statistics = ServerStatistics{.blocked = diagnostics.statistics.blocked};
  diagnostics.errors.Reset();
  diagnostics.times.Reset();
  ctx.host.ResetStatistics();
  ctx.reply.Ok();
}

void ConfigRewrite(Context& ctx) {
  if (const auto refusal = ctx.host.ConfigRewrite()) return ctx.reply.Error(*refusal);
  ctx.reply.Ok();
}

void TimeNow(Context& ctx) {
  ctx.reply.Array(2);
  ctx.reply.BulkInteger(static_cast<int64_t>(ctx.now.unix_us / 1000000));
  ctx.reply.BulkInteger(static_cast<int64_t>(ctx.now.unix_us % 1000000));
}

// Everything acknowledged is in the log, and every stop waits for the rest: NOSAVE leaves out only the
// checkpoint, with which the next start has nothing to replay. NOW and FORCE have nothing to overrule: no
// replica is waited for, and a checkpoint that fails loses nothing. There is no reply to a stop that
// succeeds.
void Shutdown(Context& ctx) {
  bool save = false;
  bool nosave = false;
  for (size_t i = 1; i < ctx.argc(); ++i) {
    const std::string_view word = ctx.arg(i);
    if (IsWord(word, "ABORT") && ctx.argc() == 2) return ctx.reply.Error("No shutdown in progress.");
    save |= IsWord(word, "SAVE");
    nosave |= IsWord(word, "NOSAVE");
    if (!IsWord(word, "SAVE") && !IsWord(word, "NOSAVE") && !IsWord(word, "NOW") && !IsWord(word, "FORCE")) {
      return ctx.reply.Error(errors::kSyntax);
    }
  }
  if (save && nosave) return ctx.reply.Error(errors::kSyntax);
  ctx.session.close = true;
  ctx.host.Shutdown(!nosave);
}

}  // namespace sluice::commands
