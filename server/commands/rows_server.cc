#include "server/commands/command_rows.h"
#include "server/commands/handlers.h"

namespace sluice::commands {
namespace {

constexpr Command kCommandSubcommands[] = {
    {"command|count", 2, kAlways | kStateless, kNoKeys, Group::kServer, "2.8.13", "O(1)", "",
     "Returns the number of commands.", CommandCount},
    {"command|docs", -2, kAlways | kStateless, kNoKeys, Group::kServer, "7.0.0", "O(commands)",
     "[command [command ...]]", "Describes commands for people.", CommandDocs},
    {"command|getkeys", -3, kAlways | kStateless, kNoKeys, Group::kServer, "2.8.13", "O(arguments)",
     "command [arg [arg ...]]", "Returns the keys of a command.", CommandGetkeys},
    {"command|help", 2, kAlways | kStateless, kNoKeys, Group::kServer, "5.0.0", "O(1)", "",
     "Lists the subcommands.", Help},
    {"command|info", -2, kAlways | kStateless, kNoKeys, Group::kServer, "2.8.13", "O(commands)",
     "[command [command ...]]", "Describes commands for programs.", CommandInfo},
    {"command|list", -2, kAlways | kStateless, kNoKeys, Group::kServer, "7.0.0", "O(commands)",
     "[FILTERBY <MODULE module | ACLCAT category | PATTERN pattern>]", "Lists command names.", CommandList},
};

constexpr Command kConfig[] = {
    {"config|get", -3, kAdmin | kAlways | kStateless, kNoKeys, Group::kServer, "2.0.0", "O(options)",
     "pattern [pattern ...]", "Returns options and their values.", ConfigGet},
    {"config|help", 2, kAlways | kStateless, kNoKeys, Group::kServer, "5.0.0", "O(1)", "",
     "Lists the subcommands.", Help},
    {"config|rewrite", 2, kAdmin | kAlways | kStateless, kNoKeys, Group::kServer, "2.8.0", "O(options)", "",
     "Writes the options as they are now into the conf file.", ConfigRewrite},
    {"config|set", -4, kAdmin | kAlways | kStateless, kNoKeys, Group::kServer, "2.0.0", "O(options)",
     "option value [option value ...]", "Sets options, all or none.", ConfigSet},
};

constexpr Command kDebug[] = {
    {"debug|help", 2, kAdmin | kAlways | kStateless, kNoKeys, Group::kServer, "1.0.0", "O(1)", "",
     "Lists the subcommands.", Help},
    {"debug|sleep", 3, kAdmin | kAlways | kStateless, kNoKeys, Group::kServer, "1.0.0", "O(1)", "seconds",
     "Stops the server for some seconds.", DebugSleep},
};

// Sorted by name.
constexpr Command kRows[] = {
    {"command", -1, kAlways | kStateless, kNoKeys, Group::kServer, "2.8.13", "O(commands)", "",
     "Describes every command.", CommandAll, kCommandSubcommands},
    {"config", -2, kStateless, kNoKeys, Group::kServer, "2.0.0", "as the subcommand", "",
     "Commands about options.", nullptr, kConfig},
    {"dbsize", 1, kReadOnly | kFast, kNoKeys, Group::kServer, "1.0.0", "O(1)", "",
     "Returns the number of keys in the database.", Dbsize},
    {"debug", -2, kAdmin | kStateless, kNoKeys, Group::kServer, "1.0.0", "as the subcommand", "",
     "Commands for tests.", nullptr, kDebug},
    {"flushall", -1, kWrite, kNoKeys, Group::kServer, "1.0.0", "O(keys)", "[ASYNC | SYNC]",
     "Deletes the keys of every database.", Flushall},
    {"flushdb", -1, kWrite, kNoKeys, Group::kServer, "1.0.0", "O(keys)", "[ASYNC | SYNC]",
     "Deletes the keys of the database.", Flushdb},
    {"info", -1, kAlways, kNoKeys, Group::kServer, "1.0.0", "O(1)", "[section [section ...]]",
     "Describes the server.", Info},
    {"shutdown", -1, kAdmin | kAlways | kNoScript | kNoMulti, kNoKeys, Group::kServer, "1.0.0",
     "O(what is not yet durable)", "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]", "Stops the server in good order.",
     Shutdown},
    {"swapdb", 3, kWrite | kFast, kNoKeys, Group::kServer, "4.0.0", "O(who watches or waits there)",
     "index1 index2", "Exchanges two databases.", Swapdb},
    {"time", 1, kAlways | kFast | kStateless, kNoKeys, Group::kServer, "2.6.0", "O(1)", "",
     "Returns the server's clock.", TimeNow},
};
static_assert(SoundTable(kRows, ""));

}  // namespace

std::span<const Command> ServerRows() {
  return kRows;
}

}  // namespace sluice::commands
