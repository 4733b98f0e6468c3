// What the server knows of its own doings: for INFO, SLOWLOG and LATENCY. None of it is state.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "server/commands/command_times.h"
#include "server/commands/latency_events.h"
#include "server/commands/rate.h"
#include "server/commands/slow_log.h"

namespace sluice::commands {

// How the process does, for INFO.
struct ServerStatistics {
  uint64_t commands = 0;
  uint64_t errors = 0;
  uint64_t blocked = 0;
  uint64_t keyspace_hits = 0;
  uint64_t keyspace_misses = 0;
  uint64_t expired = 0;
  uint64_t retention_trimmed = 0;  // entries
};

// Error replies by their first word ("ERR", "WRONGTYPE" ...).
class ErrorCounts {
 public:
  // `reply`: from its '-' on.
  void Add(std::string_view reply) {
    const std::string_view code = reply.substr(1, reply.find_first_of(" \r", 1) - 1);
    auto it = counts_.find(code);
    if (it == counts_.end()) {
      it = counts_.size() < kKinds ? counts_.emplace(std::string(code), 0).first
                                   : counts_.emplace("OTHER", 0).first;
    }
    ++it->second;
  }
  void Reset() { counts_.clear(); }
  const std::map<std::string, uint64_t, std::less<>>& all() const { return counts_; }

 private:
  static constexpr size_t kKinds = 128;  // DEBUG ERROR can make up any number of them
  std::map<std::string, uint64_t, std::less<>> counts_;
};

struct Diagnostics {
  Rate commands_rate;
  ServerStatistics statistics;
  ErrorCounts errors;
  CommandTimes times;
  SlowLog slow_log;
  LatencyEvents latency;
};

}  // namespace sluice::commands
