#include "server/commands/command_rows.h"
#include "server/commands/handlers.h"

namespace sluice::commands {
namespace {

constexpr Command kXgroup[] = {
    {"xgroup|create", -5, kWrite | kDenyOom, kSecondArgKey.With(kRW | kInsert), Group::kStream, "5.0.0",
     "O(1)", "key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]", "Creates a consumer group.",
     XgroupCreate},
    {"xgroup|createconsumer", 5, kWrite | kDenyOom, kSecondArgKey.With(kRW | kInsert), Group::kStream,
     "6.2.0", "O(1)", "key group consumer", "Creates a consumer in a consumer group.", XgroupCreateconsumer},
    {"xgroup|delconsumer", 5, kWrite, kSecondArgKey.With(kRW | kDelete), Group::kStream, "5.0.0",
     "O(n log n) of its pending entries", "key group consumer",
     "Deletes a consumer and its pending entries from a consumer group.", XgroupDelconsumer},
    {"xgroup|destroy", 4, kWrite, kSecondArgKey.With(kRW | kDelete), Group::kStream, "5.0.0",
     "O(n) of its pending entries", "key group", "Destroys a consumer group.", XgroupDestroy},
    {"xgroup|help", 2, kAlways | kStateless, kNoKeys, Group::kStream, "5.0.0", "O(1)", "",
     "Lists the subcommands.", Help},
    {"xgroup|setid", -5, kWrite, kSecondArgKey.With(kRW | kUpdate), Group::kStream, "5.0.0", "O(1)",
     "key group <id | $> [ENTRIESREAD entries-read]", "Sets the last-delivered ID of a consumer group.",
     XgroupSetid},
};

constexpr Command kXinfo[] = {
    {"xinfo|consumers", 4, kReadOnly, kSecondArgKey.With(kRO | kAccess), Group::kStream, "5.0.0",
     "O(consumers)", "key group", "Lists the consumers of a consumer group.", XinfoConsumers},
    {"xinfo|groups", 3, kReadOnly, kSecondArgKey.With(kRO | kAccess), Group::kStream, "5.0.0", "O(groups)",
     "key", "Lists the consumer groups of a stream.", XinfoGroups},
    {"xinfo|help", 2, kAlways | kStateless, kNoKeys, Group::kStream, "5.0.0", "O(1)", "",
     "Lists the subcommands.", Help},
    {"xinfo|stream", -3, kReadOnly, kSecondArgKey.With(kRO | kAccess), Group::kStream, "5.0.0",
     "O(1), with FULL O(what it shows)", "key [FULL [COUNT count]]", "Describes a stream.", XinfoStream},
};

// Sorted by name.
constexpr Command kStreamRows[] = {
    {"xack", -4, kWrite | kFast, kFirstKey.With(kRW | kUpdate), Group::kStream, "5.0.0", "O(log n) an ID",
     "key group id [id ...]", "Takes entries off a group's pending list.", Xack},
    {"xackdel", -6, kWrite | kFast, kFirstKey.With(kRW | kDelete), Group::kStream, "8.2.0",
     "O(log n) an ID and group", "key group [KEEPREF | DELREF | ACKED] IDS numids id [id ...]",
     "Takes entries off a group's pending list and deletes them.", Xackdel},
    {"xadd", -5, kWrite | kDenyOom | kFast, kFirstKey.With(kRW | kUpdate), Group::kStream, "5.0.0",
     "O(1), trimming O(log n)",
     "key [NOMKSTREAM] [KEEPREF | DELREF | ACKED] [IDMPAUTO producer-id | IDMP producer-id idempotent-id] "
     "[<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field value [field value ...]",
     "Appends an entry to a stream.", Xadd},
    {"xautoclaim", -6, kWrite | kFast, kFirstKey.With(kRW | kDelete), Group::kStream, "6.2.0", "O(count)",
     "key group consumer min-idle-time start [COUNT count] [JUSTID]",
     "Takes over pending entries that have been idle.", Xautoclaim},
    {"xcfgset", -2, kWrite | kFast, kFirstKey.With(kRW | kUpdate), Group::kStream, "8.6.0",
     "O(messages that it forgets)",
     "key [IDMP-DURATION seconds] [IDMP-MAXSIZE messages] [RETENTION-MS ms | DEFAULT] [RETENTION-BYTES bytes "
     "| DEFAULT]",
     "Sets how long and how many messages a stream knows of each producer, and how long it keeps its own.",
     Xcfgset},
    {"xclaim", -6, kWrite | kFast, kFirstKey.With(kRW | kUpdate), Group::kStream, "5.0.0", "O(log n) an ID",
     "key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-ms] [RETRYCOUNT count] [FORCE] "
     "[JUSTID] [LASTID id]",
     "Takes over pending entries by their IDs.", Xclaim},
    {"xdel", -3, kWrite | kFast, kFirstKey.With(kRW | kDelete), Group::kStream, "5.0.0", "O(log n) an ID",
     "key id [id ...]", "Deletes entries of a stream.", Xdel},
    {"xdelex", -5, kWrite | kFast, kFirstKey.With(kRW | kDelete), Group::kStream, "8.2.0",
     "O(log n) an ID and group", "key [KEEPREF | DELREF | ACKED] IDS numids id [id ...]",
     "Deletes entries of a stream, minding consumer groups.", Xdelex},
    {"xgroup", -2, 0, kNoKeys, Group::kStream, "5.0.0", "as the subcommand", "",
     "Commands about consumer groups.", nullptr, kXgroup},
    {"xidmprecord", 5, kWrite | kDenyOom | kFast, kFirstKey.With(kRW | kUpdate), Group::kStream, "8.6.2",
     "O(log n)", "key producer-id idempotent-id id", "Records which entry a producer's message became.",
     Xidmprecord},
    {"xinfo", -2, 0, kNoKeys, Group::kStream, "5.0.0", "as the subcommand", "",
     "Describes streams and groups.", nullptr, kXinfo},
    {"xlen", 2, kReadOnly | kFast, kFirstKey.With(kRO), Group::kStream, "5.0.0", "O(1)", "key",
     "Returns the number of entries of a stream.", Xlen},
    {"xnack", -7, kWrite | kFast, kFirstKey.With(kRW | kUpdate), Group::kStream, "8.8.0", "O(log n) an ID",
     "key group <SILENT | FAIL | FATAL> IDS numids id [id ...] [RETRYCOUNT count] [FORCE]",
     "Gives pending entries back to their group, for whoever claims them first.", Xnack},
    {"xpending", -3, kReadOnly, kFirstKey.With(kRO | kAccess), Group::kStream, "5.0.0", "O(count)",
     "key group [[IDLE min-idle-time] start end count [consumer]]", "Shows a group's pending entries.",
     Xpending},
    {"xrange", -4, kReadOnly, kFirstKey.With(kRO | kAccess), Group::kStream, "5.0.0",
     "O(log n + what it returns)", "key start end [COUNT count]", "Returns the entries between two IDs.",
     Xrange},
    {"xread", -4, kReadOnly | kBlocking | kMovableKeys, kStreamsKeys.With(kRO | kAccess), Group::kStream,
     "5.0.0", "O(log n + what it returns)",
     "[COUNT count] [MAXCOUNT count] [MAXSIZE bytes] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]",
     "Returns entries above the IDs given.", Xread},
    {"xreadgroup", -7, kWrite | kBlocking | kMovableKeys, kStreamsKeys.With(kRO | kAccess), Group::kStream,
     "5.0.0", "O(log n + what it returns)",
     "GROUP group consumer [COUNT count] [MAXCOUNT count] [MAXSIZE bytes] [BLOCK milliseconds] [CLAIM "
     "min-idle-time] [NOACK] STREAMS key [key ...] id [id ...]",
     "Gives a consumer entries of its group, new ones, idle ones or its history.", Xreadgroup},
    {"xrevrange", -4, kReadOnly, kFirstKey.With(kRO | kAccess), Group::kStream, "5.0.0",
     "O(log n + what it returns)", "key end start [COUNT count]",
     "Returns the entries between two IDs, last first.", Xrevrange},
    {"xsetid", -3, kWrite | kDenyOom | kFast, kFirstKey.With(kRW | kUpdate), Group::kStream, "5.0.0", "O(1)",
     "key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]",
     "Sets a stream's last ID and counters.", Xsetid},
    {"xtrim", -4, kWrite, kFirstKey.With(kRW | kDelete), Group::kStream, "5.0.0", "O(log n)",
     "key <MAXLEN | MINID> [= | ~] threshold [LIMIT count] [KEEPREF | DELREF | ACKED]",
     "Trims a stream from its start.", Xtrim},
};
static_assert(SoundTable(kStreamRows, ""));

}  // namespace

std::span<const Command> StreamRows() {
  return kStreamRows;
}

}  // namespace sluice::commands
