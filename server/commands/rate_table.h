// How often each user tried lately: GCRA, the leaky bucket as one time a user.
#pragma once

#include <cstdint>
#include <memory>

namespace sluice::commands {

// Holds a bounded number of users; where a place is needed, that of a user whose bucket is fullest again is
// taken (its tries are forgotten then, and it may try a little sooner). Users are known by a hash of 64 bits.
// Volatile: no state of the engine.
class RateTable {
 public:
  // The memory (16 bytes a user) is taken when it is first used.
  explicit RateTable(uint64_t users);
  ~RateTable();
  RateTable(const RateTable&) = delete;
  RateTable& operator=(const RateTable&) = delete;

  uint64_t users() const { return users_; }

  // Whether `user` may try now: `rate` (at least 1) tries at once, and one more each `span_ms` / `rate`. A
  // try that is refused costs nothing. `now_ms` is any monotonic clock's, above 0.
  bool Take(uint64_t user, uint64_t rate, uint64_t span_ms, uint64_t now_ms);

 private:
  struct Bucket {
    uint64_t user;     // 0: free
    uint64_t full_us;  // when it will be full again
  };
  static constexpr size_t kWays = 4;  // places that a user may have: one line of the cache

  uint64_t users_;
  size_t sets_;
  Bucket* buckets_;
};

}  // namespace sluice::commands
