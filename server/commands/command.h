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
  kMayWrite = 1 << 12,     // a container of others' writes (EXEC): COMMAND does not call it a write
  kNoMulti = 1 << 13,      // not allowed between MULTI and EXEC
  kRunsInMulti = 1 << 14,  // acts at once there, and is not queued
  kStateless = 1 << 11,    // shows nothing that a crash could take back: its reply need not wait for a commit
};

// What COMMAND DOCS and the documentation group by; most are ACL categories too.
enum class Group : uint8_t { kGeneric, kString, kStream, kSeckill, kTransactions, kConnection, kServer };

// Where a row's keys are among the arguments.
struct Keys {
  enum Kind : uint8_t {
    kNone,
    kRange,    // from `first` to `last` (negative: from the end) in steps of `step`
    kStreams,  // after the word STREAMS, the first half of what follows
    kCounted,  // in steps of `step` behind the argument `first`, which says how many
  };
  Kind kind = kNone;
  int8_t first = 0;
  int8_t last = 0;
  int8_t step = 0;
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
};

}  // namespace sluice::commands
