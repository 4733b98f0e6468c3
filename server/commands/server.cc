// Commands about the process: options, the clock, the end.
#include "server/commands/arguments.h"
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

// Redis's words for how to leave make no difference here: everything acknowledged is in the log, and the stop
// waits for the rest. There is no reply to a stop that succeeds.
void Shutdown(Context& ctx) {
  for (size_t i = 1; i < ctx.argc(); ++i) {
    const std::string_view word = ctx.arg(i);
    if (IsWord(word, "ABORT")) return ctx.reply.Error("No shutdown in progress.");
    if (!IsWord(word, "SAVE") && !IsWord(word, "NOSAVE") && !IsWord(word, "NOW") && !IsWord(word, "FORCE")) {
      return ctx.reply.Error(errors::kSyntax);
    }
  }
  ctx.session.close = true;
  ctx.host.Shutdown();
}

void DebugSleep(Context& ctx) {
  if (!ctx.host.settings().debug_commands) {
    return ctx.reply.Error(
        "DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it "
        "from a local "
        "connection, otherwise you need to set this option in the configuration file, and then restart the "
        "server.");
  }
  const auto seconds = ParseDouble(ctx.arg(2));
  if (!seconds || *seconds < 0 || *seconds > 3600) return ctx.reply.Error("value is not a valid float");
  ctx.host.Sleep(*seconds);
  ctx.reply.Ok();
}

}  // namespace sluice::commands
