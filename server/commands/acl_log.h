// What was refused lately: for ACL LOG.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace sluice::commands::acl {

// One refusal, or several of the same kind that followed each other within a minute.
struct LogEntry {
  std::string_view reason = {};   // command, key, channel, auth
  std::string_view context = {};  // toplevel, multi
  std::string object = {};  // the command, key or channel; of auth, the command that brought the password
  std::string user = {};
  std::string client = {};  // as CLIENT INFO has it, at the last time
  uint64_t count = 1;
  uint64_t id = 0;          // never reused while the server runs
  uint64_t created_ms = 0;  // unix time
  uint64_t updated_ms = 0;
};

// How often something was refused since the start, for INFO.
struct DenialCounts {
  uint64_t commands = 0;
  uint64_t keys = 0;
  uint64_t channels = 0;
  uint64_t passwords = 0;
};

// The newest `max_entries` of them.
class Log {
 public:
  void Add(LogEntry entry, uint64_t unix_ms);
  void Clear() { entries_.clear(); }
  // acllog-max-len. 0: nothing is kept.
  void set_max_entries(size_t max);

  // Newest first.
  const std::deque<LogEntry>& entries() const { return entries_; }
  // Of all that was added: neither Clear() nor `max_entries` takes anything from it.
  const DenialCounts& counts() const { return counts_; }

 private:
  std::deque<LogEntry> entries_;
  DenialCounts counts_;
  size_t max_entries_ = 128;
  uint64_t next_id_ = 0;
};

}  // namespace sluice::commands::acl
