// Compiled for processors that have AVX2: what is included here may have no function that the linker could
// take for that of another file.
#include "storage/checksum.h"

namespace sluice::storage {

#if defined(__x86_64__)
uint64_t Checksum::SumWithAvx2(const char* bytes, size_t size, uint64_t seed) {
  const uint64_t sum = XXH3_64bits_withSeed(bytes, size, seed);
  // GCC 12 does not always do this itself. With the registers' upper halves in use, code that is compiled for
  // SSE, which is the rest of the program, ran at half its speed on one of Intel's processors.
  __builtin_ia32_vzeroupper();
  return sum;
}
#endif

}  // namespace sluice::storage
