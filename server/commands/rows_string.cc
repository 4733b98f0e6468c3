#include "server/commands/command_rows.h"
#include "server/commands/handlers.h"

namespace sluice::commands {
namespace {

// Sorted by name.
constexpr Command kStringRows[] = {
    {"append", 3, kWrite | kDenyOom | kFast, kFirstKey.With(kRW | kInsert), Group::kString, "2.0.0",
     "O(what is appended)", "key value", "Appends to a key's string.", Append},
    {"decr", 2, kWrite | kDenyOom | kFast, kFirstKey.With(kRW | kAccess | kUpdate), Group::kString, "1.0.0",
     "O(1)", "key", "Takes one from a key's integer.", Decr},
    {"decrby", 3, kWrite | kDenyOom | kFast, kFirstKey.With(kRW | kAccess | kUpdate), Group::kString, "1.0.0",
     "O(1)", "key decrement", "Takes a number from a key's integer.", Decrby},
    {"get", 2, kReadOnly | kFast, kFirstKey.With(kRO | kAccess), Group::kString, "1.0.0", "O(1)", "key",
     "Returns a key's string.", Get},
    {"getdel", 2, kWrite | kFast, kFirstKey.With(kRW | kAccess | kDelete), Group::kString, "6.2.0", "O(1)",
     "key", "Returns a key's string and deletes the key.", Getdel},
    {"getex", -2, kWrite | kFast, kFirstKey.With(kRW | kAccess | kUpdate), Group::kString, "6.2.0",
     "O(log n)",
     "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]",
     "Returns a key's string and sets when it ends.", Getex},
    {"getrange", 4, kReadOnly, kFirstKey.With(kRO | kAccess), Group::kString, "2.4.0", "O(what it returns)",
     "key start end", "Returns a part of a key's string.", Getrange},
    {"getset", 3, kWrite | kDenyOom | kFast, kFirstKey.With(kRW | kAccess | kUpdate), Group::kString, "1.0.0",
     "O(1)", "key value", "Returns a key's string and sets another.", Getset},
    {"incr", 2, kWrite | kDenyOom | kFast, kFirstKey.With(kRW | kAccess | kUpdate), Group::kString, "1.0.0",
     "O(1)", "key", "Adds one to a key's integer.", Incr},
    {"incrby", 3, kWrite | kDenyOom | kFast, kFirstKey.With(kRW | kAccess | kUpdate), Group::kString, "1.0.0",
     "O(1)", "key increment", "Adds a number to a key's integer.", Incrby},
    {"incrbyfloat", 3, kWrite | kDenyOom | kFast, kFirstKey.With(kRW | kAccess | kUpdate), Group::kString,
     "2.6.0", "O(1)", "key increment", "Adds a number to a key's floating-point number.", Incrbyfloat},
    {"increx", -2, kWrite | kDenyOom | kFast, kFirstKey.With(kRW | kAccess | kUpdate), Group::kString,
     "8.8.0", "O(log n)",
     "key [BYINT increment | BYFLOAT increment] [LBOUND bound] [UBOUND bound] [SATURATE] [EX seconds | PX "
     "milliseconds | "
     "EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST] [ENX]",
     "Adds to a key's number within bounds.", Increx},
    {"mget", -2, kReadOnly | kFast, kAllKeys.With(kRO | kAccess), Group::kString, "1.0.0", "O(keys)",
     "key [key ...]", "Returns the strings of keys.", Mget},
    {"mset", -3, kWrite | kDenyOom, kPairKeys.With(kOW | kUpdate), Group::kString, "1.0.1", "O(keys)",
     "key value [key value ...]", "Sets the strings of keys.", Mset},
    {"msetnx", -3, kWrite | kDenyOom, kPairKeys.With(kOW | kInsert), Group::kString, "1.0.1", "O(keys)",
     "key value [key value ...]", "Sets the strings of keys where none of them exists.", Msetnx},
    {"psetex", 4, kWrite | kDenyOom, kFirstKey.With(kOW | kUpdate), Group::kString, "2.6.0", "O(log n)",
     "key milliseconds value", "Sets a key to a string that ends after some milliseconds.", Psetex},
    {"set", -3, kWrite | kDenyOom, kFirstKey.With(kRW | kAccess | kUpdate | kVariable), Group::kString,
     "1.0.0", "O(1)",
     "key value [NX | XX | IFEQ value | IFNE value] [GET] [EX seconds | PX milliseconds | EXAT "
     "unix-time-seconds | PXAT "
     "unix-time-milliseconds | KEEPTTL]",
     "Sets a key to a string.", Set},
    {"setex", 4, kWrite | kDenyOom, kFirstKey.With(kOW | kUpdate), Group::kString, "2.0.0", "O(log n)",
     "key seconds value", "Sets a key to a string that ends after some seconds.", Setex},
    {"setnx", 3, kWrite | kDenyOom | kFast, kFirstKey.With(kOW | kInsert), Group::kString, "1.0.0", "O(1)",
     "key value", "Sets a key to a string where it does not exist.", Setnx},
    {"setrange", 4, kWrite | kDenyOom, kFirstKey.With(kRW | kUpdate), Group::kString, "2.2.0",
     "O(what is written)", "key offset value", "Overwrites a part of a key's string.", Setrange},
    {"strlen", 2, kReadOnly | kFast, kFirstKey.With(kRO), Group::kString, "2.2.0", "O(1)", "key",
     "Returns a string's length.", Strlen},
};
static_assert(SoundTable(kStringRows, ""));

}  // namespace

std::span<const Command> StringRows() {
  return kStringRows;
}

}  // namespace sluice::commands
