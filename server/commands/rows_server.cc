#include "server/commands/command_rows.h"
#include "server/commands/handlers.h"

namespace sluice::commands {
namespace {

constexpr uint32_t kAclFlags = kAlways | kStateless | kNoScript;

constexpr Command kAcl[] = {
    {"acl|cat", -2, kAclFlags, kNoKeys, Group::kServer, "6.0.0", "O(commands)", "[category]",
     "Lists the categories, or the commands of one.", AclCat},
    {"acl|deluser", -3, kAdmin | kAclFlags, kNoKeys, Group::kServer, "6.0.0", "O(clients) a user",
     "username [username ...]", "Deletes users and closes their connections.", AclDeluser},
    {"acl|dryrun", -4, kAdmin | kAclFlags, kNoKeys, Group::kServer, "7.0.0", "O(rules of the user)",
     "username command [arg [arg ...]]", "Tells whether a user may run a command, without running it.",
     AclDryrun},
    {"acl|genpass", -2, kAclFlags, kNoKeys, Group::kServer, "6.0.0", "O(1)", "[bits]",
     "Makes up a password that nobody can guess.", AclGenpass},
    {"acl|getuser", 3, kAdmin | kAclFlags, kNoKeys, Group::kServer, "6.0.0", "O(rules of the user)",
     "username", "Returns a user's rules.", AclGetuser},
    {"acl|help", 2, kAlways | kStateless, kNoKeys, Group::kServer, "6.0.0", "O(1)", "",
     "Lists the subcommands.", Help},
    {"acl|list", 2, kAdmin | kAclFlags, kNoKeys, Group::kServer, "6.0.0", "O(users)", "",
     "Returns every user's rules as the ACL file has them.", AclList},
    {"acl|load", 2, kAdmin | kAclFlags, kNoKeys, Group::kServer, "6.0.0", "O(users)", "",
     "Reads the ACL file again.", AclLoad},
    {"acl|log", -2, kAdmin | kAclFlags, kNoKeys, Group::kServer, "6.0.0", "O(entries)", "[count | RESET]",
     "Returns what was refused, newest first, or forgets it.", AclLog},
    {"acl|save", 2, kAdmin | kAclFlags, kNoKeys, Group::kServer, "6.0.0", "O(users)", "",
     "Writes the ACL file.", AclSave},
    {"acl|setuser", -3, kAdmin | kAclFlags, kNoKeys, Group::kServer, "6.0.0", "O(rules)",
     "username [rule [rule ...]]", "Creates a user, or changes one: all of the rules, or none.", AclSetuser},
    {"acl|users", 2, kAdmin | kAclFlags, kNoKeys, Group::kServer, "6.0.0", "O(users)", "",
     "Lists the names of users.", AclUsers},
    {"acl|whoami", 2, kAclFlags, kNoKeys, Group::kServer, "6.0.0", "O(1)", "",
     "Returns the name of the connection's user.", AclWhoami},
};

constexpr Command kCommandSubcommands[] = {
    {"command|count", 2, kAlways | kStateless, kNoKeys, Group::kServer, "2.8.13", "O(1)", "",
     "Returns the number of commands.", CommandCount},
    {"command|docs", -2, kAlways | kStateless, kNoKeys, Group::kServer, "7.0.0", "O(commands)",
     "[command [command ...]]", "Describes commands for people.", CommandDocs},
    {"command|getkeys", -3, kAlways | kStateless, kNoKeys, Group::kServer, "2.8.13", "O(arguments)",
     "command [arg [arg ...]]", "Returns the keys of a command.", CommandGetkeys},
    {"command|getkeysandflags", -3, kAlways | kStateless, kNoKeys, Group::kServer, "7.0.0", "O(arguments)",
     "command [arg [arg ...]]", "Returns the keys of a command, and what it does with them.",
     CommandGetkeysandflags},
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
    {"config|resetstat", 2, kAdmin | kAlways | kStateless, kNoKeys, Group::kServer, "2.0.0", "O(commands)",
     "", "Sets what INFO counts back to zero.", ConfigResetstat},
    {"config|rewrite", 2, kAdmin | kAlways | kStateless, kNoKeys, Group::kServer, "2.8.0", "O(options)", "",
     "Writes the options as they are now into the conf file.", ConfigRewrite},
    {"config|set", -4, kAdmin | kAlways | kStateless, kNoKeys, Group::kServer, "2.0.0", "O(options)",
     "option value [option value ...]", "Sets options, all or none.", ConfigSet},
};

constexpr Command kDebug[] = {
    {"debug|digest", 2, kAdmin | kAlways, kNoKeys, Group::kServer, "1.0.0", "O(state)", "",
     "Returns a hash of everything stored.", DebugDigest},
    {"debug|error", 3, kAdmin | kAlways | kStateless, kNoKeys, Group::kServer, "1.0.0", "O(1)", "message",
     "Answers with this error.", DebugError},
    {"debug|help", 2, kAdmin | kAlways | kStateless, kNoKeys, Group::kServer, "1.0.0", "O(1)", "",
     "Lists the subcommands.", Help},
    {"debug|log", 3, kAdmin | kAlways | kStateless, kNoKeys, Group::kServer, "1.0.0", "O(1)", "message",
     "Writes a line to the server's log.", DebugLog},
    {"debug|object", 3, kAdmin | kAlways | kReadOnly, kSecondArgKey, Group::kServer, "1.0.0", "O(1)", "key",
     "Describes how a value is kept.", DebugObject},
    {"debug|protocol", 3, kAdmin | kAlways | kStateless, kNoKeys, Group::kServer, "1.0.0", "O(1)", "type",
     "Answers with a value of a type of the protocol.", DebugProtocol},
    {"debug|sleep", 3, kAdmin | kAlways | kStateless, kNoKeys, Group::kServer, "1.0.0", "O(1)", "seconds",
     "Stops the server for some seconds.", DebugSleep},
};

constexpr uint32_t kWatching = kAdmin | kAlways | kNoScript | kStateless;

constexpr Command kLatency[] = {
    {"latency|doctor", 2, kWatching, kNoKeys, Group::kServer, "2.8.13", "O(samples)", "",
     "Says what took long, and what to do.", LatencyDoctor},
    {"latency|graph", 3, kWatching, kNoKeys, Group::kServer, "2.8.13", "O(samples)", "event",
     "Draws an event's samples.", LatencyGraph},
    {"latency|help", 2, kAlways | kStateless, kNoKeys, Group::kServer, "2.8.13", "O(1)", "",
     "Lists the subcommands.", Help},
    {"latency|histogram", -2, kWatching, kNoKeys, Group::kServer, "7.0.0", "O(commands)",
     "[command [command ...]]", "Returns how long commands take.", LatencyHistogram},
    {"latency|history", 3, kWatching, kNoKeys, Group::kServer, "2.8.13", "O(samples)", "event",
     "Returns an event's samples.", LatencyHistory},
    {"latency|latest", 2, kWatching, kNoKeys, Group::kServer, "2.8.13", "O(events)", "",
     "Returns the latest sample of each event.", LatencyLatest},
    {"latency|reset", -2, kWatching, kNoKeys, Group::kServer, "2.8.13", "O(events)", "[event [event ...]]",
     "Forgets samples.", LatencyReset},
};

constexpr Command kMemory[] = {
    {"memory|doctor", 2, kStateless, kNoKeys, Group::kServer, "4.0.0", "O(1)", "",
     "Says what is odd about the memory in use.", MemoryDoctor},
    {"memory|help", 2, kAlways | kStateless, kNoKeys, Group::kServer, "4.0.0", "O(1)", "",
     "Lists the subcommands.", Help},
    {"memory|malloc-stats", 2, kStateless, kNoKeys, Group::kServer, "4.0.0", "O(free lists)", "",
     "Returns what the allocator says of itself.", MemoryMallocStats},
    {"memory|purge", 2, kStateless, kNoKeys, Group::kServer, "4.0.0", "O(free memory)", "",
     "Gives free memory back to the system.", MemoryPurge},
    {"memory|stats", 2, 0, kNoKeys, Group::kServer, "4.0.0", "O(clients)", "", "Returns what takes memory.",
     MemoryStats},
    {"memory|usage", -3, kReadOnly, kSecondArgKey.With(kRO), Group::kServer, "4.0.0", "O(samples)",
     "key [SAMPLES count]", "Returns the bytes of memory that a key takes; entries in the log take none.",
     MemoryUsage},
};

constexpr Command kSlowlog[] = {
    {"slowlog|get", -2, kAdmin | kAlways | kStateless, kNoKeys, Group::kServer, "2.2.12", "O(count)",
     "[count]", "Returns the commands that took long, newest first.", SlowlogGet},
    {"slowlog|help", 2, kAlways | kStateless, kNoKeys, Group::kServer, "6.2.0", "O(1)", "",
     "Lists the subcommands.", Help},
    {"slowlog|len", 2, kAdmin | kAlways | kStateless, kNoKeys, Group::kServer, "2.2.12", "O(1)", "",
     "Returns how many are kept.", SlowlogLen},
    {"slowlog|reset", 2, kAdmin | kAlways | kStateless, kNoKeys, Group::kServer, "2.2.12", "O(kept)", "",
     "Forgets them.", SlowlogReset},
};

// Sorted by name.
constexpr Command kServerRows[] = {
    {"acl", -2, kStateless, kNoKeys, Group::kServer, "6.0.0", "as the subcommand", "",
     "Commands about users and what they may do.", nullptr, kAcl},
    {"bgrewriteaof", 1, kAdmin | kNoScript, kNoKeys, Group::kServer, "1.0.0", "O(state)", "",
     "Makes a checkpoint, after which a start replays nothing older.", Bgrewriteaof},
    {"bgsave", -1, kAdmin | kNoScript, kNoKeys, Group::kServer, "1.0.0", "O(state)", "[SCHEDULE]",
     "Makes a checkpoint, after which a start replays nothing older.", Bgsave},
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
    {"lastsave", 1, kAlways | kFast, kNoKeys, Group::kServer, "1.0.0", "O(1)", "",
     "Returns the unix time of the newest checkpoint.", Lastsave},
    {"latency", -2, kStateless, kNoKeys, Group::kServer, "2.8.13", "as the subcommand", "",
     "Commands about times.", nullptr, kLatency},
    {"lolwut", -1, kReadOnly | kFast, kNoKeys, Group::kServer, "5.0.0", "O(what it draws)",
     "[VERSION version [columns] [rows]]", "Draws the version.", Lolwut},
    {"memory", -2, kStateless, kNoKeys, Group::kServer, "4.0.0", "as the subcommand", "",
     "Commands about memory.", nullptr, kMemory},
    {"monitor", 1, kAdmin | kAlways | kNoScript | kStateless, kNoKeys, Group::kServer, "1.0.0", "O(1)", "",
     "Shows every command that is executed from now on.", Monitor},
    {"save", 1, kAdmin | kNoScript | kNoMulti, kNoKeys, Group::kServer, "1.0.0", "O(state)", "",
     "Makes a checkpoint and answers when it is there. Others are served meanwhile.", Save},
    {"shutdown", -1, kAdmin | kAlways | kNoScript | kNoMulti, kNoKeys, Group::kServer, "1.0.0",
     "O(what is not yet durable)", "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]", "Stops the server in good order.",
     Shutdown},
    {"slowlog", -2, kStateless, kNoKeys, Group::kServer, "2.2.12", "as the subcommand", "",
     "Commands about commands that took long.", nullptr, kSlowlog},
    {"swapdb", 3, kWrite | kFast, kNoKeys, Group::kServer, "4.0.0", "O(who watches or waits there)",
     "index1 index2", "Exchanges two databases.", Swapdb},
    {"time", 1, kAlways | kFast | kStateless, kNoKeys, Group::kServer, "2.6.0", "O(1)", "",
     "Returns the server's clock.", TimeNow},
};
static_assert(SoundTable(kServerRows, ""));

}  // namespace

std::span<const Command> ServerRows() {
  return kServerRows;
}

}  // namespace sluice::commands
