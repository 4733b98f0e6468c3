// Compiled for processors that have AVX2: what is included here may have no function that the linker could
// take for that of another file.
#include "storage/checksum.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace sluice::storage {

#if defined(__x86_64__)
uint64_t Checksum::SumWithAvx2(const char* bytes, size_t size, uint64_t seed) {
  const uint64_t sum = XXH3_64bits_withSeed(bytes, size, seed);
  // The compiler leaves this out where the sum is inlined. With the registers' upper halves in use all code
  // that is compiled for SSE, which is the rest of the program, ran at half its speed on one of Intel's
  // processors.
  _mm256_zeroupper();
  return sum;
}
#endif

}  // namespace sluice::storage
