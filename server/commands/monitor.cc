// MONITOR.
#include "server/commands/handlers.h"

namespace sluice::commands {

void Monitor(Context& ctx) {
  if (ctx.in_exec()) return ctx.reply.Error("MONITOR isn't allowed for DENY BLOCKING client");
  ctx.Monitor();
  ctx.reply.Ok();
}

}  // namespace sluice::commands
