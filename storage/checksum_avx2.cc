// Compiled for processors that have AVX2: what is included here may have no function that the linker could
// take for that of another file.
#include "storage/checksum.h"

namespace sluice::storage {

#if defined(__x86_64__)
uint64_t Checksum::SumWithAvx2(const char* bytes, size_t size, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes, size, seed);
}
#endif

}  // namespace sluice::storage
