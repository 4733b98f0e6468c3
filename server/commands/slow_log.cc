#include "server/commands/slow_log.h"

#include <algorithm>

#include "server/commands/errors.h"
#include "server/commands/redaction.h"

namespace sluice::commands {
namespace {

constexpr size_t kMaxArgs = 32;
constexpr size_t kMaxArgBytes = 128;

std::string Shortened(std::string_view arg) {
  if (arg.size() <= kMaxArgBytes) return std::string(arg);
  return errors::Concat(
      {arg.substr(0, kMaxArgBytes), "... (", std::to_string(arg.size() - kMaxArgBytes), " more bytes)"});
}

}  // namespace

void SlowLog::set_max_entries(size_t count) {
  max_entries_ = count;
  if (entries_.size() > count) entries_.resize(count);
}

void SlowLog::Add(const Session& session, const Command& command, std::span<const std::string_view> args,
                  uint64_t unix_s, uint64_t microseconds) {
  Entry entry{.id = 0,
              .unix_s = unix_s,
              .microseconds = microseconds,
              .args = {},
              .peer = session.peer,
              .name = session.name};
  const bool cut = args.size() > kMaxArgs;
  const size_t shown = cut ? kMaxArgs - 1 : args.size();
  for (size_t i = 0; i < shown; ++i) {
    entry.args.push_back(IsSecret(command, args, i) ? std::string(kRedacted) : Shortened(args[i]));
  }
  if (cut) {
    entry.args.push_back(errors::Concat({"... (", std::to_string(args.size() - shown), " more arguments)"}));
  }
  Push(std::move(entry));
}

void SlowLog::AddStretch(const Session& session, const Command& command, uint64_t calls, uint64_t unix_s,
                         uint64_t microseconds) {
  Push({.id = 0,
        .unix_s = unix_s,
        .microseconds = microseconds,
        .args = {std::string(command.name),
                 errors::Concat({"... (one of ", std::to_string(calls), " in a row)"})},
        .peer = session.peer,
        .name = session.name});
}

void SlowLog::Push(Entry entry) {
  entry.id = next_id_++;
  if (max_entries_ == 0) return;
  if (entries_.size() >= max_entries_) entries_.pop_back();
  entries_.push_front(std::move(entry));
}

}  // namespace sluice::commands
