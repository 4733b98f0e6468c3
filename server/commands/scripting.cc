// SCRIPT and FUNCTION: there are no scripts. What asks whether one is there, or wants all of them gone, gets
// the answer that holds, since test harnesses and frameworks ask; what would bring one is refused with what
// to do instead.
#include "server/commands/scripting.h"

#include "server/commands/arguments.h"
#include "server/commands/command_table.h"
#include "server/commands/errors.h"

namespace sluice::commands {

std::string NoScripts(std::string_view name) {
  return errors::Concat(
      {"there are no scripts here ('", name,
       "'): what a flash sale's script does, SECKILL.CREATE and SECKILL.BUY do in one command; a "
       "counter with bounds is INCREX"});
}

void ScriptExists(Context& ctx) {
  ctx.reply.Array(ctx.argc() - 2);
  for (size_t i = 2; i < ctx.argc(); ++i) ctx.reply.Integer(0);
}

void ScriptFlush(Context& ctx) {
  if (ctx.argc() > 3) return ctx.reply.Error(errors::BadSubcommand(ctx.arg(1), ctx.arg(0)));
  if (ctx.argc() == 3 && !IsWord(ctx.arg(2), "ASYNC") && !IsWord(ctx.arg(2), "SYNC")) {
    return ctx.reply.Error(ctx.command.name.starts_with("script")
                               ? "SCRIPT FLUSH only support SYNC|ASYNC option"
                               : "FUNCTION FLUSH only supports SYNC|ASYNC option");
  }
  ctx.reply.Ok();
}

void ScriptLoad(Context& ctx) {
  ctx.reply.Error(NoScripts(ctx.command.name.starts_with("script") ? "SCRIPT LOAD" : "FUNCTION LOAD"));
}

void FunctionList(Context& ctx) {
  for (size_t i = 2; i < ctx.argc(); ++i) {
    if (IsWord(ctx.arg(i), "LIBRARYNAME") && i + 1 < ctx.argc()) {
      ++i;
    } else if (!IsWord(ctx.arg(i), "WITHCODE")) {
      return ctx.reply.Error(errors::Concat({"Unknown argument ", ctx.arg(i)}));
    }
  }
  ctx.reply.Array(0);
}

}  // namespace sluice::commands
