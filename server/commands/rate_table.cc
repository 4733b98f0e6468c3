#include "server/commands/rate_table.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace sluice::commands {

RateTable::RateTable(uint64_t users) : users_(users), sets_((users + kWays - 1) / kWays) {
  // Zeroed pages from the kernel: those of users who never come cost nothing.
  buckets_ = static_cast<Bucket*>(std::calloc(sets_ * kWays, sizeof(Bucket)));
  if (buckets_ == nullptr) throw std::bad_alloc();
}

RateTable::~RateTable() {
  std::free(buckets_);
}

bool RateTable::Take(uint64_t user, uint64_t rate, uint64_t span_ms, uint64_t now_ms) {
  if (user == 0) user = 1;
  const uint64_t now_us = now_ms * 1000;
  const uint64_t interval_us = span_ms * 1000 / rate;
  const uint64_t burst_us = interval_us * (rate - 1);
  Bucket* const set = buckets_ + static_cast<size_t>((user >> 32) * sets_ >> 32) * kWays;
  Bucket* bucket = std::find_if(set, set + kWays, [&](const Bucket& b) { return b.user == user; });
  if (bucket == set + kWays) {
    bucket = std::min_element(set, set + kWays,
                              [](const Bucket& a, const Bucket& b) { return a.full_us < b.full_us; });
    *bucket = {user, 0};
  }
  const uint64_t full_us = std::max(bucket->full_us, now_us);
  if (full_us - now_us > burst_us) return false;
  bucket->full_us = full_us + interval_us;
  return true;
}

}  // namespace sluice::commands
