// A command is one row and one function.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "server/commands/context.h"

namespace sluice::commands {

using Handler = void (*)(Context&);

enum Flag : uint32_t {
  kWrite = 1 << 0,  // may change state
  kReadOnly = 1 << 1,
  kDenyOom = 1 << 2,  // may grow memory
  kAdmin = 1 << 3,
  kNoAuth = 1 << 4,    // allowed before AUTH
  kBlocking = 1 << 5,  // may block
  kFast = 1 << 6,
  kLoading =
      1 << 7,  // allowed while a server loads; for COMMAND only, since nothing here answers while loading
  kStale = 1 << 8,     // allowed on a stale replica; likewise
  kNoScript = 1 << 9,  // likewise
  kMovableKeys = 1 << 10,
  kMayWrite = 1 << 12,        // a container of others' writes (EXEC): COMMAND does not call it a write
  kNoMulti = 1 << 13,         // not allowed between MULTI and EXEC
  kRunsInMulti = 1 << 14,     // acts at once there, and is not queued
  kInSubscription = 1 << 15,  // allowed to a RESP2 client that listens to channels
  kWaitsForWrites = 1 << 16,  // CLIENT PAUSE WRITE holds it back too, though it writes nothing
  kUntimed = 1 << 17,         // a frame around others that are timed: SLOWLOG does not show it
  kStateless = 1 << 11,  // shows nothing that a crash could take back: its reply need not wait for a commit
};

// What COMMAND DOCS and the documentation group by; most are ACL categories too.
enum class Group : uint8_t {
  kGeneric,
  kString,
  kStream,
  kSeckill,
  kTransactions,
  kPubsub,
  kConnection,
  kServer
};

// What a command does with a key, in the terms of COMMAND INFO; ACL key patterns are held against it. One of
// the first four tells about the key as a whole; the next four about what users have put there: a value that
// nobody gets to see is not accessed, though the command must look at it.
enum KeyFlag : uint16_t {
  kRO = 1 << 0,      // does not change it
  kRW = 1 << 1,      // changes it, and what it becomes depends on what it was
  kOW = 1 << 2,      // replaces it, whatever it was
  kRM = 1 << 3,      // removes it
  kAccess = 1 << 4,  // tells what is there
  kUpdate = 1 << 5,
  kInsert = 1 << 6,
  kDelete = 1 << 7,
  kVariable = 1 << 8,  // only with one of SET's words that tell the old value is it more than kOW | kUpdate
};

// Where a row's keys are among the arguments, and what becomes of them.
struct Keys {
  enum Kind : uint8_t {
    kNone,
    kRange,    // from `first` to `last` (negative: from the end) in steps of `step`
    kStreams,  // after the word STREAMS, the first half of what follows
    kCounted,  // at `first` the number of keys; they follow, in steps of `step`
    // One behind each of `words` among the arguments `first`, `first` + 2, ...: options come in pairs. With a
    // `step` they stand behind the kCounted keys that `first` and it tell. What FIELDS n brings are users'
    // own words; an empty key is none.
    kWords,
  };
  Kind kind = kNone;
  int8_t first = 0;
  int8_t last = 0;
  int8_t step = 0;
  std::string_view words = {};  // in upper case, "STREAM|OTHER"
  uint16_t access = 0;          // KeyFlags. 0: what any reading or writing row may do at most

  constexpr Keys With(int flags) const {
    Keys keys = *this;
    keys.access = static_cast<uint16_t>(flags);
    return keys;
  }
};

// One row of the table. Wrong arity, COMMAND, ACL categories and docs/commands.md all come from it.
struct Command {
  std::string_view name;  // lower case; "xgroup|create" for a subcommand
  int arity;              // arguments with the name(s); negative: at least that many
  uint32_t flags;
  Keys keys;
  Group group;
  std::string_view since;  // of Redis, or of Sluice for what is ours
  std::string_view complexity;
  std::string_view syntax;  // after the name
  std::string_view summary;
  Handler handler;  // nullptr for a container: its subcommands have theirs
  std::span<const Command> subcommands = {};
  Keys further_keys = {};  // that something else is done with: RENAME's new name
  uint16_t number = 0;     // among all rows and subcommands, dense; given when the table is put together
};

}  // namespace sluice::commands
