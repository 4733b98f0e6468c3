#include "server/commands/command_table.h"

#include <algorithm>
#include <array>

#include "server/commands/arguments.h"
#include "server/commands/handlers.h"

namespace sluice::commands {
namespace {

constexpr Keys kNoKeys{};
constexpr Keys kFirstKey{Keys::kRange, 1, 1, 1};
constexpr Keys kSecondArgKey{Keys::kRange, 2, 2, 1};
constexpr Keys kAllKeys{Keys::kRange, 1, -1, 1};
constexpr Keys kTwoKeys{Keys::kRange, 1, 2, 1};
constexpr Keys kPairKeys{Keys::kRange, 1, -1, 2};
constexpr Keys kStreamsKeys{Keys::kStreams, 0, 0, 0};

constexpr uint32_t kAlways = kLoading | kStale;  // answers in every state of the server
constexpr uint32_t kConnectionFlags = kAlways | kFast | kStateless | kNoScript;

constexpr Command kXgroup[] = {
    {"xgroup|create", -5, kWrite | kDenyOom, kSecondArgKey, Group::kStream, "5.0.0", "O(1)",
     "key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]", "Creates a consumer group.", XgroupCreate},
    {"xgroup|createconsumer", 5, kWrite | kDenyOom, kSecondArgKey, Group::kStream, "6.2.0", "O(1)",
     "key group consumer", "Creates a consumer in a consumer group.", XgroupCreateconsumer},
    {"xgroup|delconsumer", 5, kWrite, kSecondArgKey, Group::kStream, "5.0.0",
     "O(n log n) of its pending entries", "key group consumer",
     "Deletes a consumer and its pending entries from a consumer group.", XgroupDelconsumer},
    {"xgroup|destroy", 4, kWrite, kSecondArgKey, Group::kStream, "5.0.0", "O(n) of its pending entries",
     "key group", "Destroys a consumer group.", XgroupDestroy},
    {"xgroup|help", 2, kAlways | kStateless, kNoKeys, Group::kStream, "5.0.0", "O(1)", "",
     "Lists the subcommands.", Help},
    {"xgroup|setid", -5, kWrite, kSecondArgKey, Group::kStream, "5.0.0", "O(1)",
     "key group <id | $> [ENTRIESREAD entries-read]", "Sets the last-delivered ID of a consumer group.",
     XgroupSetid},
};

constexpr Command kXinfo[] = {
    {"xinfo|consumers", 4, kReadOnly, kSecondArgKey, Group::kStream, "5.0.0", "O(consumers)", "key group",
     "Lists the consumers of a consumer group.", XinfoConsumers},
    {"xinfo|groups", 3, kReadOnly, kSecondArgKey, Group::kStream, "5.0.0", "O(groups)", "key",
     "Lists the consumer groups of a stream.", XinfoGroups},
    {"xinfo|help", 2, kAlways | kStateless, kNoKeys, Group::kStream, "5.0.0", "O(1)", "",
     "Lists the subcommands.", Help},
    {"xinfo|stream", -3, kReadOnly, kSecondArgKey, Group::kStream, "5.0.0",
     "O(1), with FULL O(what it shows)", "key [FULL [COUNT count]]", "Describes a stream.", XinfoStream},
};

constexpr Command kClient[] = {
    {"client|getname", 2, kConnectionFlags, kNoKeys, Group::kConnection, "2.6.9", "O(1)", "",
     "Returns the connection's name.", ClientGetname},
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
    {"client|setinfo", 4, kConnectionFlags, kNoKeys, Group::kConnection, "7.2.0", "O(1)",
     "<LIB-NAME name | LIB-VER version>", "Sets what is known of the client's library.", ClientSetinfo},
    {"client|setname", 3, kConnectionFlags, kNoKeys, Group::kConnection, "2.6.9", "O(1)", "name",
     "Sets the connection's name.", ClientSetname},
    {"client|unblock", -3, kAdmin | kConnectionFlags, kNoKeys, Group::kConnection, "5.0.0", "O(clients)",
     "client-id [TIMEOUT | ERROR]", "Ends a call that waits.", ClientUnblock},
};

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
    {"config|set", -4, kAdmin | kAlways | kStateless, kNoKeys, Group::kServer, "2.0.0", "O(options)",
     "option value [option value ...]", "Sets options, all or none.", ConfigSet},
};

constexpr Command kDebug[] = {
    {"debug|help", 2, kAdmin | kAlways | kStateless, kNoKeys, Group::kServer, "1.0.0", "O(1)", "",
     "Lists the subcommands.", Help},
    {"debug|sleep", 3, kAdmin | kAlways | kStateless, kNoKeys, Group::kServer, "1.0.0", "O(1)", "seconds",
     "Stops the server for some seconds.", DebugSleep},
};

// Sorted by name: FindCommand relies on it, and a check below says so.
constexpr Command kTable[] = {
    {"append", 3, kWrite | kDenyOom | kFast, kFirstKey, Group::kString, "2.0.0", "O(what is appended)",
     "key value", "Appends to a key's string.", Append},
    {"auth", -2, kConnectionFlags | kNoAuth, kNoKeys, Group::kConnection, "1.0.0", "O(1)",
     "[username] password", "Authenticates the connection.", Auth},
    {"client", -2, kStateless, kNoKeys, Group::kConnection, "2.4.0", "as the subcommand", "",
     "Commands about connections.", nullptr, kClient},
    {"command", -1, kAlways | kStateless, kNoKeys, Group::kServer, "2.8.13", "O(commands)", "",
     "Describes every command.", CommandAll, kCommandSubcommands},
    {"config", -2, kStateless, kNoKeys, Group::kServer, "2.0.0", "as the subcommand", "",
     "Commands about options.", nullptr, kConfig},
    {"copy", -3, kWrite | kDenyOom, kTwoKeys, Group::kGeneric, "6.2.0", "O(n) of what is copied",
     "source destination [DB destination-db] [REPLACE]", "Copies a key's value.", Copy},
    {"dbsize", 1, kReadOnly | kFast, kNoKeys, Group::kServer, "1.0.0", "O(1)", "",
     "Returns the number of keys in the database.", Dbsize},
    {"debug", -2, kAdmin | kStateless, kNoKeys, Group::kServer, "1.0.0", "as the subcommand", "",
     "Commands for tests.", nullptr, kDebug},
    {"decr", 2, kWrite | kDenyOom | kFast, kFirstKey, Group::kString, "1.0.0", "O(1)", "key",
     "Takes one from a key's integer.", Decr},
    {"decrby", 3, kWrite | kDenyOom | kFast, kFirstKey, Group::kString, "1.0.0", "O(1)", "key decrement",
     "Takes a number from a key's integer.", Decrby},
    {"del", -2, kWrite, kAllKeys, Group::kGeneric, "1.0.0", "O(keys)", "key [key ...]", "Deletes keys.", Del},
    {"discard", 1, kConnectionFlags | kRunsInMulti, kNoKeys, Group::kTransactions, "2.0.0", "O(queued)", "",
     "Forgets the queued commands.", Discard},
    {"echo", 2, kConnectionFlags, kNoKeys, Group::kConnection, "1.0.0", "O(1)", "message",
     "Returns the message.", Echo},
    {"exec", 1, kAlways | kNoScript | kMayWrite | kRunsInMulti, kNoKeys, Group::kTransactions, "1.2.0",
     "that of the queued commands", "", "Executes the queued commands, as one.", Exec},
    {"exists", -2, kReadOnly | kFast, kAllKeys, Group::kGeneric, "1.0.0", "O(keys)", "key [key ...]",
     "Returns how many of the keys exist.", Exists},
    {"expire", -3, kWrite | kFast, kFirstKey, Group::kGeneric, "1.0.0", "O(log n)",
     "key seconds [NX | XX | GT | LT]", "Lets a key end after some seconds.", Expire},
    {"expireat", -3, kWrite | kFast, kFirstKey, Group::kGeneric, "1.2.0", "O(log n)",
     "key unix-time-seconds [NX | XX | GT | LT]", "Lets a key end at a time in seconds.", Expireat},
    {"expiretime", 2, kReadOnly | kFast, kFirstKey, Group::kGeneric, "7.0.0", "O(1)", "key",
     "Returns when a key ends, in seconds.", Expiretime},
    {"flushall", -1, kWrite, kNoKeys, Group::kServer, "1.0.0", "O(keys)", "[ASYNC | SYNC]",
     "Deletes the keys of every database.", Flushall},
    {"flushdb", -1, kWrite, kNoKeys, Group::kServer, "1.0.0", "O(keys)", "[ASYNC | SYNC]",
     "Deletes the keys of the database.", Flushdb},
    {"get", 2, kReadOnly | kFast, kFirstKey, Group::kString, "1.0.0", "O(1)", "key",
     "Returns a key's string.", Get},
    {"getdel", 2, kWrite | kFast, kFirstKey, Group::kString, "6.2.0", "O(1)", "key",
     "Returns a key's string and deletes the key.", Getdel},
    {"getex", -2, kWrite | kFast, kFirstKey, Group::kString, "6.2.0", "O(log n)",
     "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]",
     "Returns a key's string and sets when it ends.", Getex},
    {"getrange", 4, kReadOnly, kFirstKey, Group::kString, "2.4.0", "O(what it returns)", "key start end",
     "Returns a part of a key's string.", Getrange},
    {"getset", 3, kWrite | kDenyOom | kFast, kFirstKey, Group::kString, "1.0.0", "O(1)", "key value",
     "Returns a key's string and sets another.", Getset},
    {"hello", -1, kConnectionFlags | kNoAuth, kNoKeys, Group::kConnection, "6.0.0", "O(1)",
     "[protover [AUTH username password] [SETNAME clientname]]", "Chooses the protocol's version.", Hello},
    {"incr", 2, kWrite | kDenyOom | kFast, kFirstKey, Group::kString, "1.0.0", "O(1)", "key",
     "Adds one to a key's integer.", Incr},
    {"incrby", 3, kWrite | kDenyOom | kFast, kFirstKey, Group::kString, "1.0.0", "O(1)", "key increment",
     "Adds a number to a key's integer.", Incrby},
    {"incrbyfloat", 3, kWrite | kDenyOom | kFast, kFirstKey, Group::kString, "2.6.0", "O(1)", "key increment",
     "Adds a number to a key's floating-point number.", Incrbyfloat},
    {"increx", -2, kWrite | kDenyOom | kFast, kFirstKey, Group::kString, "8.8.0", "O(log n)",
     "key [BYINT increment | BYFLOAT increment] [LBOUND bound] [UBOUND bound] [SATURATE] [EX seconds | PX "
     "milliseconds | "
     "EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST] [ENX]",
     "Adds to a key's number within bounds.", Increx},
    {"info", -1, kAlways, kNoKeys, Group::kServer, "1.0.0", "O(1)", "[section [section ...]]",
     "Describes the server.", Info},
    {"keys", 2, kReadOnly, kNoKeys, Group::kGeneric, "1.0.0", "O(keys in all)", "pattern",
     "Returns every key that matches a pattern.", Keys_},
    {"mget", -2, kReadOnly | kFast, kAllKeys, Group::kString, "1.0.0", "O(keys)", "key [key ...]",
     "Returns the strings of keys.", Mget},
    {"move", 3, kWrite | kFast, kFirstKey, Group::kGeneric, "1.0.0", "O(1)", "key db",
     "Moves a key to another database.", Move},
    {"mset", -3, kWrite | kDenyOom, kPairKeys, Group::kString, "1.0.1", "O(keys)",
     "key value [key value ...]", "Sets the strings of keys.", Mset},
    {"msetnx", -3, kWrite | kDenyOom, kPairKeys, Group::kString, "1.0.1", "O(keys)",
     "key value [key value ...]", "Sets the strings of keys where none of them exists.", Msetnx},
    {"multi", 1, kConnectionFlags | kRunsInMulti, kNoKeys, Group::kTransactions, "1.2.0", "O(1)", "",
     "Begins to queue commands.", Multi},
    {"persist", 2, kWrite | kFast, kFirstKey, Group::kGeneric, "2.2.0", "O(log n)", "key",
     "Lets a key live for ever.", Persist},
    {"pexpire", -3, kWrite | kFast, kFirstKey, Group::kGeneric, "2.6.0", "O(log n)",
     "key milliseconds [NX | XX | GT | LT]", "Lets a key end after some milliseconds.", Pexpire},
    {"pexpireat", -3, kWrite | kFast, kFirstKey, Group::kGeneric, "2.6.0", "O(log n)",
     "key unix-time-milliseconds [NX | XX | GT | LT]", "Lets a key end at a time in milliseconds.",
     Pexpireat},
    {"pexpiretime", 2, kReadOnly | kFast, kFirstKey, Group::kGeneric, "7.0.0", "O(1)", "key",
     "Returns when a key ends, in milliseconds.", Pexpiretime},
    {"ping", -1, kFast | kStateless, kNoKeys, Group::kConnection, "1.0.0", "O(1)", "[message]",
     "Answers PONG, or the message.", Ping},
    {"psetex", 4, kWrite | kDenyOom, kFirstKey, Group::kString, "2.6.0", "O(log n)", "key milliseconds value",
     "Sets a key to a string that ends after some milliseconds.", Psetex},
    {"pttl", 2, kReadOnly | kFast, kFirstKey, Group::kGeneric, "2.6.0", "O(1)", "key",
     "Returns how many milliseconds a key has left.", Pttl},
    {"quit", -1, kConnectionFlags | kNoAuth | kRunsInMulti, kNoKeys, Group::kConnection, "1.0.0", "O(1)", "",
     "Closes the connection.", Quit},
    {"randomkey", 1, kReadOnly, kNoKeys, Group::kGeneric, "1.0.0", "O(1) as a rule", "", "Returns some key.",
     Randomkey},
    {"rename", 3, kWrite, kTwoKeys, Group::kGeneric, "1.0.0", "O(1)", "key newkey",
     "Renames a key, over one that exists.", Rename},
    {"renamenx", 3, kWrite | kFast, kTwoKeys, Group::kGeneric, "1.0.0", "O(1)", "key newkey",
     "Renames a key where the new name is free.", Renamenx},
    {"reset", 1, kConnectionFlags | kNoAuth | kRunsInMulti, kNoKeys, Group::kConnection, "6.2.0", "O(1)", "",
     "Makes the connection as new.", Reset},
    {"scan", -2, kReadOnly, kNoKeys, Group::kGeneric, "2.8.0",
     "O(1) a call, O(keys in all) for the whole walk", "cursor [MATCH pattern] [COUNT count] [TYPE type]",
     "Walks over the database's keys.", Scan},
    {"seckill.addstock", -3, kWrite | kFast, kFirstKey, Group::kSeckill, "0.1.0", "O(1)", "item delta",
     "Adds stock, or takes away what is available.", SeckillAddstock},
    {"seckill.audit", 2, kReadOnly, kFirstKey, Group::kSeckill, "0.1.0", "O(buyers)", "item",
     "Recounts an item's buyers against its counters.", SeckillAudit},
    {"seckill.buy", -3, kWrite | kDenyOom | kFast, kFirstKey, Group::kSeckill, "0.1.0", "O(log n)",
     "item user [QTY quantity] [FIELDS pairs field value [field value ...]]",
     "Takes stock and enqueues the order, as one.", SeckillBuy},
    {"seckill.create", -4, kWrite | kDenyOom | kFast, kFirstKey, Group::kSeckill, "0.1.0", "O(1)",
     "item STOCK stock [STREAM key] [START unix-ms] [END unix-ms] [LIMIT pieces] [MAXQTY pieces]",
     "Creates an item of limited stock.", SeckillCreate},
    {"seckill.get", 2, kReadOnly | kFast, kFirstKey, Group::kSeckill, "0.1.0", "O(1)", "item",
     "Returns an item's counters and rules.", SeckillGet},
    {"seckill.try", -3, kWrite | kDenyOom | kFast, kFirstKey, Group::kSeckill, "0.1.0", "O(log n)",
     "item user [QTY quantity] [FIELDS pairs field value [field value ...]]",
     "As SECKILL.BUY, answering the code alone.", SeckillTry},
    {"select", 2, kConnectionFlags, kNoKeys, Group::kConnection, "1.0.0", "O(1)", "index",
     "Chooses the connection's database.", Select},
    {"set", -3, kWrite | kDenyOom, kFirstKey, Group::kString, "1.0.0", "O(1)",
     "key value [NX | XX | IFEQ value | IFNE value] [GET] [EX seconds | PX milliseconds | EXAT "
     "unix-time-seconds | PXAT "
     "unix-time-milliseconds | KEEPTTL]",
     "Sets a key to a string.", Set},
    {"setex", 4, kWrite | kDenyOom, kFirstKey, Group::kString, "2.0.0", "O(log n)", "key seconds value",
     "Sets a key to a string that ends after some seconds.", Setex},
    {"setnx", 3, kWrite | kDenyOom | kFast, kFirstKey, Group::kString, "1.0.0", "O(1)", "key value",
     "Sets a key to a string where it does not exist.", Setnx},
    {"setrange", 4, kWrite | kDenyOom, kFirstKey, Group::kString, "2.2.0", "O(what is written)",
     "key offset value", "Overwrites a part of a key's string.", Setrange},
    {"shutdown", -1, kAdmin | kAlways | kNoScript | kNoMulti, kNoKeys, Group::kServer, "1.0.0",
     "O(what is not yet durable)", "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]", "Stops the server in good order.",
     Shutdown},
    {"strlen", 2, kReadOnly | kFast, kFirstKey, Group::kString, "2.2.0", "O(1)", "key",
     "Returns a string's length.", Strlen},
    {"swapdb", 3, kWrite | kFast, kNoKeys, Group::kServer, "4.0.0", "O(who watches or waits there)",
     "index1 index2", "Exchanges two databases.", Swapdb},
    {"time", 1, kAlways | kFast | kStateless, kNoKeys, Group::kServer, "2.6.0", "O(1)", "",
     "Returns the server's clock.", TimeNow},
    {"touch", -2, kReadOnly | kFast, kAllKeys, Group::kGeneric, "3.2.1", "O(keys)", "key [key ...]",
     "Returns how many of the keys exist; nothing here depends on when they were used.", Exists},
    {"ttl", 2, kReadOnly | kFast, kFirstKey, Group::kGeneric, "1.0.0", "O(1)", "key",
     "Returns how many seconds a key has left.", Ttl},
    {"type", 2, kReadOnly | kFast, kFirstKey, Group::kGeneric, "1.0.0", "O(1)", "key",
     "Returns the type of a key's value.", Type},
    {"unlink", -2, kWrite | kFast, kAllKeys, Group::kGeneric, "4.0.0", "O(keys)", "key [key ...]",
     "Deletes keys; the same as DEL here, since memory is always freed later.", Del},
    {"unwatch", 1, kConnectionFlags, kNoKeys, Group::kTransactions, "2.2.0", "O(watched)", "",
     "Forgets the watched keys.", Unwatch},
    {"watch", -2, kReadOnly | kFast | kNoScript | kRunsInMulti, kAllKeys, Group::kTransactions, "2.2.0",
     "O(keys)", "key [key ...]", "Lets EXEC execute nothing if one of the keys changes before.", Watch},
    {"xack", -4, kWrite | kFast, kFirstKey, Group::kStream, "5.0.0", "O(log n) an ID",
     "key group id [id ...]", "Takes entries off a group's pending list.", Xack},
    {"xackdel", -6, kWrite | kFast, kFirstKey, Group::kStream, "8.2.0", "O(log n) an ID and group",
     "key group [KEEPREF | DELREF | ACKED] IDS numids id [id ...]",
     "Takes entries off a group's pending list and deletes them.", Xackdel},
    {"xadd", -5, kWrite | kDenyOom | kFast, kFirstKey, Group::kStream, "5.0.0", "O(1), trimming O(log n)",
     "key [NOMKSTREAM] [KEEPREF | DELREF | ACKED] [IDMPAUTO producer-id | IDMP producer-id idempotent-id] "
     "[<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field value [field value ...]",
     "Appends an entry to a stream.", Xadd},
    {"xautoclaim", -6, kWrite | kFast, kFirstKey, Group::kStream, "6.2.0", "O(count)",
     "key group consumer min-idle-time start [COUNT count] [JUSTID]",
     "Takes over pending entries that have been idle.", Xautoclaim},
    {"xcfgset", -2, kWrite | kFast, kFirstKey, Group::kStream, "8.6.0", "O(messages that it forgets)",
     "key [IDMP-DURATION seconds] [IDMP-MAXSIZE messages]",
     "Sets how long and how many messages a stream knows of each producer.", Xcfgset},
    {"xclaim", -6, kWrite | kFast, kFirstKey, Group::kStream, "5.0.0", "O(log n) an ID",
     "key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-ms] [RETRYCOUNT count] [FORCE] "
     "[JUSTID] [LASTID id]",
     "Takes over pending entries by their IDs.", Xclaim},
    {"xdel", -3, kWrite | kFast, kFirstKey, Group::kStream, "5.0.0", "O(log n) an ID", "key id [id ...]",
     "Deletes entries of a stream.", Xdel},
    {"xdelex", -5, kWrite | kFast, kFirstKey, Group::kStream, "8.2.0", "O(log n) an ID and group",
     "key [KEEPREF | DELREF | ACKED] IDS numids id [id ...]",
     "Deletes entries of a stream, minding consumer groups.", Xdelex},
    {"xgroup", -2, 0, kNoKeys, Group::kStream, "5.0.0", "as the subcommand", "",
     "Commands about consumer groups.", nullptr, kXgroup},
    {"xidmprecord", 5, kWrite | kDenyOom | kFast, kFirstKey, Group::kStream, "8.6.2", "O(log n)",
     "key producer-id idempotent-id id", "Records which entry a producer's message became.", Xidmprecord},
    {"xinfo", -2, 0, kNoKeys, Group::kStream, "5.0.0", "as the subcommand", "",
     "Describes streams and groups.", nullptr, kXinfo},
    {"xlen", 2, kReadOnly | kFast, kFirstKey, Group::kStream, "5.0.0", "O(1)", "key",
     "Returns the number of entries of a stream.", Xlen},
    {"xnack", -7, kWrite | kFast, kFirstKey, Group::kStream, "8.8.0", "O(log n) an ID",
     "key group <SILENT | FAIL | FATAL> IDS numids id [id ...] [RETRYCOUNT count] [FORCE]",
     "Gives pending entries back to their group, for whoever claims them first.", Xnack},
    {"xpending", -3, kReadOnly, kFirstKey, Group::kStream, "5.0.0", "O(count)",
     "key group [[IDLE min-idle-time] start end count [consumer]]", "Shows a group's pending entries.",
     Xpending},
    {"xrange", -4, kReadOnly, kFirstKey, Group::kStream, "5.0.0", "O(log n + what it returns)",
     "key start end [COUNT count]", "Returns the entries between two IDs.", Xrange},
    {"xread", -4, kReadOnly | kBlocking | kMovableKeys, kStreamsKeys, Group::kStream, "5.0.0",
     "O(log n + what it returns)",
     "[COUNT count] [MAXCOUNT count] [MAXSIZE bytes] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]",
     "Returns entries above the IDs given.", Xread},
    {"xreadgroup", -7, kWrite | kBlocking | kMovableKeys, kStreamsKeys, Group::kStream, "5.0.0",
     "O(log n + what it returns)",
     "GROUP group consumer [COUNT count] [MAXCOUNT count] [MAXSIZE bytes] [BLOCK milliseconds] [CLAIM "
     "min-idle-time] [NOACK] STREAMS key [key ...] id [id ...]",
     "Gives a consumer entries of its group, new ones, idle ones or its history.", Xreadgroup},
    {"xrevrange", -4, kReadOnly, kFirstKey, Group::kStream, "5.0.0", "O(log n + what it returns)",
     "key end start [COUNT count]", "Returns the entries between two IDs, last first.", Xrevrange},
    {"xsetid", -3, kWrite | kDenyOom | kFast, kFirstKey, Group::kStream, "5.0.0", "O(1)",
     "key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]",
     "Sets a stream's last ID and counters.", Xsetid},
    {"xtrim", -4, kWrite, kFirstKey, Group::kStream, "5.0.0", "O(log n)",
     "key <MAXLEN | MINID> [= | ~] threshold [LIMIT count] [KEEPREF | DELREF | ACKED]",
     "Trims a stream from its start.", Xtrim},
};

// A row that contradicts itself does not compile. (That each one has a function is a test's to say: under a
// sanitizer the compiler does not know a function's address.)
constexpr bool Sound(const Command& command) {
  const bool reads_and_writes = (command.flags & kWrite) != 0 && (command.flags & kReadOnly) != 0;
  const bool stateless_data =
      (command.flags & kStateless) != 0 && (command.flags & (kWrite | kReadOnly)) != 0;
  const bool keyed_data = command.keys.kind == Keys::kNone || (command.flags & (kWrite | kReadOnly)) != 0;
  return !command.name.empty() && !command.summary.empty() && command.arity != 0 && !reads_and_writes &&
         !stateless_data && keyed_data;
}

constexpr bool SoundTable(std::span<const Command> table, std::string_view container) {
  for (size_t i = 0; i < table.size(); ++i) {
    if (!Sound(table[i]) || !SoundTable(table[i].subcommands, table[i].name)) return false;
    if (i != 0 && !(table[i - 1].name < table[i].name)) return false;
    if (container.empty()) continue;
    const std::string_view name = table[i].name;
    if (!name.starts_with(container) || name.substr(container.size(), 1) != "|") return false;
  }
  return true;
}

static_assert(SoundTable(kTable, ""));

constexpr size_t kLongestName = 32;

// Finds top-level rows without comparing names more than once: slots by hash of the lower-case name, filled
// once.
class NameIndex {
 public:
  NameIndex() {
    slots_.fill(nullptr);
    for (const Command& command : kTable) {
      size_t i = Hash(command.name);
      while (slots_[i] != nullptr) i = (i + 1) % kSlots;
      slots_[i] = &command;
    }
  }

  const Command* Find(std::string_view name) const {
    if (name.empty() || name.size() > kLongestName) return nullptr;
    char lower[kLongestName];
    for (size_t i = 0; i < name.size(); ++i) {
      lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? static_cast<char>(name[i] - 'A' + 'a') : name[i];
    }
    const std::string_view wanted(lower, name.size());
    for (size_t i = Hash(wanted); slots_[i] != nullptr; i = (i + 1) % kSlots) {
      if (slots_[i]->name == wanted) return slots_[i];
    }
    return nullptr;
  }

 private:
  static constexpr size_t kSlots = 1024;
  static_assert(std::size(kTable) * 4 < kSlots);

  static size_t Hash(std::string_view name) {
    uint32_t hash = 2166136261u;  // FNV-1a: names are short
    for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
    return (hash ^ (hash >> 15)) % kSlots;
  }

  std::array<const Command*, kSlots> slots_;
};

}  // namespace

std::span<const Command> CommandTable() {
  return kTable;
}

const Command* FindCommand(std::string_view name) {
  static const NameIndex index;
  return index.Find(name);
}

const Command* FindSubcommand(const Command& container, std::string_view name) {
  const size_t prefix = container.name.size() + 1;
  for (const Command& command : container.subcommands) {
    if (command.name.size() - prefix == name.size() && ToLower(name) == command.name.substr(prefix))
      return &command;
  }
  return nullptr;
}

const Command* FindCommandByFullName(std::string_view name) {
  const size_t bar = name.find('|');
  const Command* command = FindCommand(name.substr(0, bar));
  if (command == nullptr || bar == std::string_view::npos) return command;
  return FindSubcommand(*command, name.substr(bar + 1));
}

std::pair<size_t, size_t> StreamsKeys(std::span<const std::string_view> args) {
  for (size_t i = 1; i < args.size(); ++i) {
    // GROUP's two names may be any words, STREAMS too.
    if (IsWord(args[i], "GROUP")) {
      i += 2;
    } else if (IsWord(args[i], "STREAMS")) {
      return {i + 1, (args.size() - i - 1) / 2};
    } else if (IsWord(args[i], "COUNT") || IsWord(args[i], "BLOCK")) {
      ++i;
    }
  }
  return {0, 0};
}

std::vector<size_t> KeyPositions(const Command& command, std::span<const std::string_view> args) {
  std::vector<size_t> positions;
  ForEachKey(command, args, [&](size_t position) { positions.push_back(position); });
  return positions;
}

std::vector<std::string_view> FlagNames(const Command& command) {
  constexpr std::pair<Flag, std::string_view> kNames[] = {
      {kWrite, "write"},       {kReadOnly, "readonly"}, {kDenyOom, "denyoom"},         {kAdmin, "admin"},
      {kNoScript, "noscript"}, {kBlocking, "blocking"}, {kLoading, "loading"},         {kStale, "stale"},
      {kFast, "fast"},         {kNoAuth, "no_auth"},    {kMovableKeys, "movablekeys"},
  };
  std::vector<std::string_view> names;
  for (const auto& [flag, name] : kNames) {
    if ((command.flags & flag) != 0) names.push_back(name);
  }
  return names;
}

std::vector<std::string_view> CategoryNames(const Command& command) {
  std::vector<std::string_view> names;
  if (command.group == Group::kGeneric) names.push_back("@keyspace");
  if ((command.flags & kReadOnly) != 0) names.push_back("@read");
  if ((command.flags & kWrite) != 0) names.push_back("@write");
  if (command.group == Group::kString) names.push_back("@string");
  if (command.group == Group::kStream) names.push_back("@stream");
  if (command.group == Group::kSeckill) names.push_back("@seckill");
  if (command.group == Group::kConnection) names.push_back("@connection");
  if (command.group == Group::kTransactions) names.push_back("@transaction");
  if ((command.flags & kAdmin) != 0) names.push_back("@admin");
  names.push_back((command.flags & kFast) != 0 ? "@fast" : "@slow");
  if ((command.flags & kBlocking) != 0) names.push_back("@blocking");
  const bool dangerous = (command.flags & kAdmin) != 0 || command.name == "keys" ||
                         command.name == "flushall" || command.name == "flushdb" || command.name == "info";
  if (dangerous) names.push_back("@dangerous");
  return names;
}

std::string_view GroupName(Group group) {
  switch (group) {
    case Group::kGeneric:
      return "generic";
    case Group::kString:
      return "string";
    case Group::kStream:
      return "stream";
    case Group::kSeckill:
      return "seckill";
    case Group::kConnection:
      return "connection";
    case Group::kTransactions:
      return "transactions";
    case Group::kServer:
      return "server";
  }
  return "";
}

}  // namespace sluice::commands
