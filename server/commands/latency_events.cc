#include "server/commands/latency_events.h"

#include <algorithm>

namespace sluice::commands {

void LatencyEvents::Add(std::string_view event, uint64_t unix_s, uint64_t ms) {
  auto it = all_.find(event);
  if (it == all_.end()) it = all_.emplace(std::string(event), Series{}).first;
  Series& series = it->second;
  series.worst_ms = std::max(series.worst_ms, ms);
  if (!series.samples.empty() && series.samples.back().unix_s == unix_s) {
    series.samples.back().ms = std::max(series.samples.back().ms, ms);
    return;
  }
  if (series.samples.size() == kSamples) series.samples.erase(series.samples.begin());
  series.samples.push_back({unix_s, ms});
}

const LatencyEvents::Series* LatencyEvents::Find(std::string_view event) const {
  const auto it = all_.find(event);
  return it == all_.end() ? nullptr : &it->second;
}

bool LatencyEvents::Forget(std::string_view event) {
  const auto it = all_.find(event);
  if (it == all_.end()) return false;
  all_.erase(it);
  return true;
}

size_t LatencyEvents::ForgetAll() {
  const size_t count = all_.size();
  all_.clear();
  return count;
}

}  // namespace sluice::commands
