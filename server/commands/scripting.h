// What stands in for scripts and functions, of which there are none.
#pragma once

#include <string>
#include <string_view>

#include "server/commands/context.h"

namespace sluice::commands {

// What EVAL and its like are told; `name` is the command's.
std::string NoScripts(std::string_view name);

// Handlers of SCRIPT and FUNCTION.
void FunctionList(Context& ctx);
void ScriptExists(Context& ctx);
void ScriptFlush(Context& ctx);
void ScriptLoad(Context& ctx);

}  // namespace sluice::commands
