// SCRIPT and FUNCTION, as far as they can be asked where there are no scripts.
#include "server/commands/command_rows.h"
#include "server/commands/handlers.h"
#include "server/commands/scripting.h"

namespace sluice::commands {
namespace {

constexpr uint32_t kNone = kNoScript | kAlways | kStateless;

constexpr Command kFunction[] = {
    {"function|flush", -2, kNone, kNoKeys, Group::kServer, "7.0.0", "O(1)", "[ASYNC | SYNC]",
     "Deletes all functions: there are none.", ScriptFlush},
    {"function|help", 2, kAlways | kStateless, kNoKeys, Group::kServer, "7.0.0", "O(1)", "",
     "Lists the subcommands.", Help},
    {"function|list", -2, kNone, kNoKeys, Group::kServer, "7.0.0", "O(1)",
     "[LIBRARYNAME library-name-pattern] [WITHCODE]", "Returns the functions: none.", FunctionList},
    {"function|load", -3, kNone, kNoKeys, Group::kServer, "7.0.0", "O(1)", "[REPLACE] function-code",
     "Refuses, and says what to use instead.", ScriptLoad},
};

constexpr Command kScript[] = {
    {"script|exists", -3, kNone, kNoKeys, Group::kServer, "2.6.0", "O(scripts)", "sha1 [sha1 ...]",
     "Returns which of the scripts are there: none.", ScriptExists},
    {"script|flush", -2, kNone, kNoKeys, Group::kServer, "2.6.0", "O(1)", "[ASYNC | SYNC]",
     "Deletes all scripts: there are none.", ScriptFlush},
    {"script|help", 2, kAlways | kStateless, kNoKeys, Group::kServer, "5.0.0", "O(1)", "",
     "Lists the subcommands.", Help},
    {"script|load", 3, kNone, kNoKeys, Group::kServer, "2.6.0", "O(1)", "script",
     "Refuses, and says what to use instead.", ScriptLoad},
};

// Sorted by name.
constexpr Command kScriptingRows[] = {
    {"function", -2, kStateless, kNoKeys, Group::kServer, "7.0.0", "as the subcommand", "",
     "Commands about functions.", nullptr, kFunction},
    {"script", -2, kStateless, kNoKeys, Group::kServer, "2.6.0", "as the subcommand", "",
     "Commands about scripts.", nullptr, kScript},
};
static_assert(SoundTable(kScriptingRows, ""));

}  // namespace

std::span<const Command> ScriptingRows() {
  return kScriptingRows;
}

}  // namespace sluice::commands
