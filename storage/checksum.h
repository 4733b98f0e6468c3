// XXH3-64, seeded so that only the right bytes in the right place of the right log verify.
#pragma once

#include <cstddef>
#include <cstdint>

#include "storage/lsn.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace sluice::storage {

// The checksums of one incarnation of one log. The seed holds the log's id and the incarnation, so that what
// another log or an earlier life left in a reused file does not verify, and the LSN, so that neither do bytes
// that stand elsewhere than where they were written.
class Checksum {
 public:
  Checksum(uint64_t log_id, uint64_t incarnation) : salt_(Salt(log_id, incarnation)) {}

  // Of `size` bytes that belong to what stands at `lsn`.
  uint64_t operator()(Lsn lsn, const char* bytes, size_t size) const {
    const uint64_t seed = salt_ + Value(lsn);
#if defined(__x86_64__)
    if (size > kShort && __builtin_cpu_supports("avx2")) return SumWithAvx2(bytes, size, seed);
#endif
    return XXH3_64bits_withSeed(bytes, size, seed);
  }

 private:
  // Beyond so many bytes XXH3 works in vectors.
  static constexpr size_t kShort = 240;

  // The same sum, in vectors twice as wide as those that every processor has.
  static uint64_t SumWithAvx2(const char* bytes, size_t size, uint64_t seed);

  static uint64_t Salt(uint64_t log_id, uint64_t incarnation) {
    return XXH3_64bits_withSeed(&incarnation, sizeof incarnation, log_id);
  }

  uint64_t salt_;
};

// A batch's digest: its record checksums folded in order, so that the batch's own checksum covers every
// message byte without reading any of them again.
constexpr uint64_t FoldDigest(uint64_t digest, uint64_t record_checksum) {
  return (digest ^ record_checksum) * 0x9E3779B185EBCA87u;  // odd: no step loses a bit
}

}  // namespace sluice::storage
