#include "server/commands/acl_log.h"

#include <algorithm>
#include <cstddef>

namespace sluice::commands::acl {
namespace {

constexpr uint64_t kSameForMs = 60'000;
// How many of the newest are looked at for one of the same kind: a refusal costs no walk over a long log.
constexpr size_t kLookedAt = 10;
// Of a key or a name: enough to know it by.
constexpr size_t kMaxObjectBytes = 256;

uint64_t& CountOf(DenialCounts& counts, std::string_view reason) {
  if (reason == "command") return counts.commands;
  if (reason == "key") return counts.keys;
  if (reason == "channel") return counts.channels;
  return counts.passwords;
}

}  // namespace

void Log::Add(LogEntry entry, uint64_t unix_ms) {
  ++CountOf(counts_, entry.reason);
  if (entry.object.size() > kMaxObjectBytes) entry.object.resize(kMaxObjectBytes);
  if (entry.user.size() > kMaxObjectBytes) entry.user.resize(kMaxObjectBytes);
  const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(std::min(kLookedAt, entries_.size()));
  const auto same = std::find_if(entries_.begin(), end, [&](const LogEntry& known) {
    return known.reason == entry.reason && known.context == entry.context && known.object == entry.object &&
           known.user == entry.user && unix_ms - std::min(unix_ms, known.created_ms) <= kSameForMs;
  });
  entry.created_ms = entry.updated_ms = unix_ms;
  if (same == end) {
    entry.id = next_id_++;
  } else {
    entry.id = same->id;
    entry.count = same->count + 1;
    entry.created_ms = same->created_ms;
    entries_.erase(same);
  }
  entries_.push_front(std::move(entry));
  set_max_entries(max_entries_);
}

void Log::set_max_entries(size_t max) {
  max_entries_ = max;
  while (entries_.size() > max_entries_) entries_.pop_back();
}

}  // namespace sluice::commands::acl
