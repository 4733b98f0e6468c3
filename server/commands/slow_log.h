// SLOWLOG's memory: the last commands that took long.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/commands/command.h"
#include "server/commands/session.h"

namespace sluice::commands {

class SlowLog {
 public:
  struct Entry {
    uint64_t id;  // counts all entries ever
    uint64_t unix_s;
    uint64_t microseconds;
    std::vector<std::string> args;
    std::string peer;
    std::string name;  // of the client
  };

  // Keeps at most so many; the oldest goes first.
  void set_max_entries(size_t count);

  // At most 32 arguments of 128 bytes are kept, and what was cut is told in their place; secrets are not.
  void Add(const Session& session, const Command& command, std::span<const std::string_view> args,
           uint64_t unix_s, uint64_t microseconds);
  // `calls` commands of one row in a row took so long together, and nobody knows which of them.
  void AddStretch(const Session& session, const Command& command, uint64_t calls, uint64_t unix_s,
                  uint64_t microseconds);

  void Clear() { entries_.clear(); }
  // Newest first.
  const std::deque<Entry>& entries() const { return entries_; }

 private:
  void Push(Entry entry);

  std::deque<Entry> entries_;
  size_t max_entries_ = 128;
  uint64_t next_id_ = 0;
};

}  // namespace sluice::commands
