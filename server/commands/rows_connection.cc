#include "server/commands/command_rows.h"
#include "server/commands/handlers.h"

namespace sluice::commands {
namespace {

constexpr Command kClient[] = {
    {"client|caching", 3, kConnectionFlags, kNoKeys, Group::kConnection, "6.0.0", "O(1)", "<YES | NO>",
     "Refused as long as client-side caching is off, and here it always is.", ClientCaching},
    {"client|getname", 2, kConnectionFlags, kNoKeys, Group::kConnection, "2.6.9", "O(1)", "",
     "Returns the connection's name.", ClientGetname},
    {"client|getredir", 2, kConnectionFlags, kNoKeys, Group::kConnection, "6.0.0", "O(1)", "",
     "Returns -1: client-side caching is off.", ClientGetredir},
    {"client|help", 2, kConnectionFlags, kNoKeys, Group::kConnection, "5.0.0", "O(1)", "",
     "Lists the subcommands.", Help},
    {"client|id", 2, kConnectionFlags, kNoKeys, Group::kConnection, "5.0.0", "O(1)", "",
     "Returns the connection's ID.", ClientId},
    {"client|info", 2, kConnectionFlags, kNoKeys, Group::kConnection, "6.2.0", "O(1)", "",
     "Describes the connection.", ClientInfo},
    {"client|kill", -3, kAdmin | kConnectionFlags, kNoKeys, Group::kConnection, "2.4.0", "O(clients)",
     "<addr | <[ID id] [TYPE type] [USER user] [ADDR addr] [LADDR addr] [SKIPME <yes | no>] [MAXAGE "
     "seconds]>>",
     "Closes connections.", ClientKill},
    {"client|list", -2, kAdmin | kConnectionFlags, kNoKeys, Group::kConnection, "2.4.0", "O(clients)",
     "[TYPE type | ID id [id ...]]", "Lists the connections.", ClientList},
    {"client|no-evict", 3, kAdmin | kConnectionFlags, kNoKeys, Group::kConnection, "7.0.0", "O(1)",
     "<ON | OFF>", "Keeps the connection open at maxmemory-clients.", ClientNoEvict},
    {"client|no-touch", 3, kConnectionFlags, kNoKeys, Group::kConnection, "7.2.0", "O(1)", "<ON | OFF>",
     "Promises that reads leave no trace in keys, as none does here.", ClientNoTouch},
    {"client|pause", -3, kAdmin | kConnectionFlags, kNoKeys, Group::kConnection, "3.0.0", "O(1)",
     "milliseconds [WRITE | ALL]", "Holds requests back for a time: all, or those that write.", ClientPause},
    {"client|reply", 3, kConnectionFlags, kNoKeys, Group::kConnection, "3.2.0", "O(1)", "<ON | OFF | SKIP>",
     "Switches replies off and on, or leaves out the next.", ClientReply},
    {"client|setinfo", 4, kConnectionFlags, kNoKeys, Group::kConnection, "7.2.0", "O(1)",
     "<LIB-NAME name | LIB-VER version>", "Sets what is known of the client's library.", ClientSetinfo},
    {"client|setname", 3, kConnectionFlags, kNoKeys, Group::kConnection, "2.6.9", "O(1)", "name",
     "Sets the connection's name.", ClientSetname},
    {"client|tracking", -3, kConnectionFlags, kNoKeys, Group::kConnection, "6.0.0", "O(1)",
     "<ON | OFF> [REDIRECT client-id] [PREFIX prefix] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]",
     "Refuses to switch client-side caching on.", ClientTracking},
    {"client|trackinginfo", 2, kConnectionFlags, kNoKeys, Group::kConnection, "6.2.0", "O(1)", "",
     "Tells that client-side caching is off.", ClientTrackinginfo},
    {"client|unblock", -3, kAdmin | kConnectionFlags, kNoKeys, Group::kConnection, "5.0.0", "O(clients)",
     "client-id [TIMEOUT | ERROR]", "Ends a call that waits.", ClientUnblock},
    {"client|unpause", 2, kAdmin | kConnectionFlags, kNoKeys, Group::kConnection, "6.2.0",
     "O(requests held back)", "", "Ends a pause.", ClientUnpause},
};

// Sorted by name.
constexpr Command kConnectionRows[] = {
    {"auth", -2, kConnectionFlags | kFast | kNoAuth, kNoKeys, Group::kConnection, "1.0.0", "O(1)",
     "[username] password", "Authenticates the connection.", Auth},
    {"client", -2, kStateless, kNoKeys, Group::kConnection, "2.4.0", "as the subcommand", "",
     "Commands about connections.", nullptr, kClient},
    {"discard", 1, kConnectionFlags | kFast | kRunsInMulti, kNoKeys, Group::kTransactions, "2.0.0",
     "O(queued)", "", "Forgets the queued commands.", Discard},
    {"echo", 2, kConnectionFlags | kFast, kNoKeys, Group::kConnection, "1.0.0", "O(1)", "message",
     "Returns the message.", Echo},
    {"exec", 1, kAlways | kNoScript | kMayWrite | kRunsInMulti | kUntimed, kNoKeys, Group::kTransactions,
     "1.2.0", "that of the queued commands", "", "Executes the queued commands, as one.", Exec},
    {"hello", -1, kConnectionFlags | kFast | kNoAuth, kNoKeys, Group::kConnection, "6.0.0", "O(1)",
     "[protover [AUTH username password] [SETNAME clientname]]", "Chooses the protocol's version.", Hello},
    {"multi", 1, kConnectionFlags | kFast | kRunsInMulti, kNoKeys, Group::kTransactions, "1.2.0", "O(1)", "",
     "Begins to queue commands.", Multi},
    {"ping", -1, kFast | kStateless | kInSubscription, kNoKeys, Group::kConnection, "1.0.0", "O(1)",
     "[message]", "Answers PONG, or the message.", Ping},
    {"quit", -1, kConnectionFlags | kFast | kNoAuth | kRunsInMulti | kInSubscription, kNoKeys,
     Group::kConnection, "1.0.0", "O(1)", "", "Closes the connection.", Quit},
    {"reset", 1, kConnectionFlags | kFast | kNoAuth | kRunsInMulti | kInSubscription, kNoKeys,
     Group::kConnection, "6.2.0", "O(1)", "", "Makes the connection as new.", Reset},
    {"select", 2, kConnectionFlags | kFast, kNoKeys, Group::kConnection, "1.0.0", "O(1)", "index",
     "Chooses the connection's database.", Select},
    {"unwatch", 1, kConnectionFlags | kFast, kNoKeys, Group::kTransactions, "2.2.0", "O(watched)", "",
     "Forgets the watched keys.", Unwatch},
    {"watch", -2, kAlways | kFast | kNoScript | kRunsInMulti, kAllKeys.With(kRO), Group::kTransactions,
     "2.2.0", "O(keys)", "key [key ...]", "Lets EXEC execute nothing if one of the keys changes before.",
     Watch},
};
static_assert(SoundTable(kConnectionRows, ""));

}  // namespace

std::span<const Command> ConnectionRows() {
  return kConnectionRows;
}

}  // namespace sluice::commands
