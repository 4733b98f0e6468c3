// LATENCY's memory: moments at which the server made everybody wait.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::commands {

// Of each event ("command", "fast-command", "expire-cycle" ...) the last 160 seconds in which it was slow.
class LatencyEvents {
 public:
  struct Sample {
    uint64_t unix_s;
    uint64_t ms;
  };
  struct Series {
    std::vector<Sample> samples;  // oldest first; one a second at most, the worst of it
    uint64_t worst_ms = 0;        // of all time
  };

  void Add(std::string_view event, uint64_t unix_s, uint64_t ms);
  // nullptr: never seen.
  const Series* Find(std::string_view event) const;
  const std::map<std::string, Series, std::less<>>& all() const { return all_; }
  // Forgets an event; false where there was none.
  bool Forget(std::string_view event);
  size_t ForgetAll();

 private:
  static constexpr size_t kSamples = 160;
  std::map<std::string, Series, std::less<>> all_;  // as many as the code has names for
};

}  // namespace sluice::commands
