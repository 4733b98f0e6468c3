#include "server/commands/command_rows.h"
#include "server/commands/handlers.h"

namespace sluice::commands {
namespace {

constexpr Command kObject[] = {
    {"object|encoding", 3, kReadOnly, kSecondArgKey.With(kRO), Group::kGeneric, "2.2.3", "O(1)", "key",
     "Returns how a value is kept.", ObjectEncoding},
    {"object|freq", 3, kReadOnly, kSecondArgKey.With(kRO), Group::kGeneric, "4.0.0", "O(1)", "key",
     "Refused: how often keys are used is not counted.", ObjectFreq},
    {"object|help", 2, kAlways | kStateless, kNoKeys, Group::kGeneric, "6.2.0", "O(1)", "",
     "Lists the subcommands.", Help},
    {"object|idletime", 3, kReadOnly, kSecondArgKey.With(kRO), Group::kGeneric, "2.2.3", "O(1)", "key",
     "Refused: when keys are used is not remembered.", ObjectIdletime},
    {"object|refcount", 3, kReadOnly, kSecondArgKey.With(kRO), Group::kGeneric, "2.2.3", "O(1)", "key",
     "Returns 1: values are never shared.", ObjectRefcount},
};

// Sorted by name.
constexpr Command kGenericRows[] = {
    {"copy",
     -3,
     kWrite | kDenyOom,
     kFirstKey.With(kRO | kAccess),
     Group::kGeneric,
     "6.2.0",
     "O(n) of what is copied",
     "source destination [DB destination-db] [REPLACE]",
     "Copies a key's value.",
     Copy,
     {},
     kSecondArgKey.With(kOW | kUpdate)},
    {"del", -2, kWrite, kAllKeys.With(kRM | kDelete), Group::kGeneric, "1.0.0", "O(keys)", "key [key ...]",
     "Deletes keys.", Del},
    {"exists", -2, kReadOnly | kFast, kAllKeys.With(kRO), Group::kGeneric, "1.0.0", "O(keys)",
     "key [key ...]", "Returns how many of the keys exist.", Exists},
    {"expire", -3, kWrite | kFast, kFirstKey.With(kRW | kUpdate), Group::kGeneric, "1.0.0", "O(log n)",
     "key seconds [NX | XX | GT | LT]", "Lets a key end after some seconds.", Expire},
    {"expireat", -3, kWrite | kFast, kFirstKey.With(kRW | kUpdate), Group::kGeneric, "1.2.0", "O(log n)",
     "key unix-time-seconds [NX | XX | GT | LT]", "Lets a key end at a time in seconds.", Expireat},
    {"expiretime", 2, kReadOnly | kFast, kFirstKey.With(kRO | kAccess), Group::kGeneric, "7.0.0", "O(1)",
     "key", "Returns when a key ends, in seconds.", Expiretime},
    {"keys", 2, kReadOnly, kNoKeys, Group::kGeneric, "1.0.0", "O(keys in all)", "pattern",
     "Returns every key that matches a pattern.", Keys_},
    {"move", 3, kWrite | kFast, kFirstKey.With(kRW | kAccess | kUpdate), Group::kGeneric, "1.0.0", "O(1)",
     "key db", "Moves a key to another database.", Move},
    {"object", -2, 0, kNoKeys, Group::kGeneric, "2.2.3", "as the subcommand", "",
     "Commands about how values are kept.", nullptr, kObject},
    {"persist", 2, kWrite | kFast, kFirstKey.With(kRW | kUpdate), Group::kGeneric, "2.2.0", "O(log n)", "key",
     "Lets a key live for ever.", Persist},
    {"pexpire", -3, kWrite | kFast, kFirstKey.With(kRW | kUpdate), Group::kGeneric, "2.6.0", "O(log n)",
     "key milliseconds [NX | XX | GT | LT]", "Lets a key end after some milliseconds.", Pexpire},
    {"pexpireat", -3, kWrite | kFast, kFirstKey.With(kRW | kUpdate), Group::kGeneric, "2.6.0", "O(log n)",
     "key unix-time-milliseconds [NX | XX | GT | LT]", "Lets a key end at a time in milliseconds.",
     Pexpireat},
    {"pexpiretime", 2, kReadOnly | kFast, kFirstKey.With(kRO | kAccess), Group::kGeneric, "7.0.0", "O(1)",
     "key", "Returns when a key ends, in milliseconds.", Pexpiretime},
    {"pttl", 2, kReadOnly | kFast, kFirstKey.With(kRO | kAccess), Group::kGeneric, "2.6.0", "O(1)", "key",
     "Returns how many milliseconds a key has left.", Pttl},
    {"randomkey", 1, kReadOnly, kNoKeys, Group::kGeneric, "1.0.0", "O(1) as a rule", "", "Returns some key.",
     Randomkey},
    {"rename",
     3,
     kWrite,
     kFirstKey.With(kRW | kAccess | kDelete),
     Group::kGeneric,
     "1.0.0",
     "O(1)",
     "key newkey",
     "Renames a key, over one that exists.",
     Rename,
     {},
     kSecondArgKey.With(kOW | kUpdate)},
    {"renamenx",
     3,
     kWrite | kFast,
     kFirstKey.With(kRW | kAccess | kDelete),
     Group::kGeneric,
     "1.0.0",
     "O(1)",
     "key newkey",
     "Renames a key where the new name is free.",
     Renamenx,
     {},
     kSecondArgKey.With(kOW | kInsert)},
    {"scan", -2, kReadOnly, kNoKeys, Group::kGeneric, "2.8.0",
     "O(1) a call, O(keys in all) for the whole walk", "cursor [MATCH pattern] [COUNT count] [TYPE type]",
     "Walks over the database's keys.", Scan},
    {"touch", -2, kReadOnly | kFast, kAllKeys.With(kRO), Group::kGeneric, "3.2.1", "O(keys)", "key [key ...]",
     "Returns how many of the keys exist; nothing here depends on when they were used.", Exists},
    {"ttl", 2, kReadOnly | kFast, kFirstKey.With(kRO | kAccess), Group::kGeneric, "1.0.0", "O(1)", "key",
     "Returns how many seconds a key has left.", Ttl},
    {"type", 2, kReadOnly | kFast, kFirstKey.With(kRO), Group::kGeneric, "1.0.0", "O(1)", "key",
     "Returns the type of a key's value.", Type},
    {"unlink", -2, kWrite | kFast, kAllKeys.With(kRM | kDelete), Group::kGeneric, "4.0.0", "O(keys)",
     "key [key ...]", "Deletes keys; the same as DEL here, since memory is always freed later.", Del},
};
static_assert(SoundTable(kGenericRows, ""));

}  // namespace

std::span<const Command> GenericRows() {
  return kGenericRows;
}

}  // namespace sluice::commands
