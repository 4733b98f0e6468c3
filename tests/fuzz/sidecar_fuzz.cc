// Whatever stands in an index's file, it is refused or can be used: no run reaches beyond its cells, and each
// is found. The first byte chooses whether the checksums are mended before.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "storage/checksum.h"
#include "storage/format.h"
#include "storage/sidecar.h"

namespace {

using namespace sluice::storage;

void Require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", promise);
  std::abort();
}

// Where the header has what; docs/formats.md.
constexpr size_t kIdentityAt = 24;
constexpr size_t kRunsSumAt = 64;
constexpr size_t kCellsSumAt = 72;
constexpr size_t kStretchesAt = 80;

void Mend(std::string& file) {
  if (file.size() < Sidecar::kHeaderBytes) return;
  const uint64_t runs = LoadLittle<uint32_t>(file.data() + kStretchesAt) * sizeof(Stretch) +
                        LoadLittle<uint32_t>(file.data() + kStretchesAt + 4) * sizeof(IndexRun);
  const size_t cells_at = std::min<uint64_t>(Sidecar::kHeaderBytes + runs, file.size());
  const auto sum = [&](size_t from, size_t to) { return XXH3_64bits(file.data() + from, to - from); };
  StoreLittle<uint64_t>(file.data() + kRunsSumAt, sum(Sidecar::kHeaderBytes, cells_at));
  StoreLittle<uint64_t>(file.data() + kCellsSumAt, sum(cells_at, file.size()));
  StoreLittle<uint64_t>(file.data(), sum(8, Sidecar::kHeaderBytes));
}

SidecarIdentity IdentityIn(const std::string& file) {
  const auto field = [&](size_t n) { return LoadLittle<uint64_t>(file.data() + kIdentityAt + n * 8); };
  if (file.size() < Sidecar::kHeaderBytes) return {};
  return {.log_id = field(0),
          .sequence = field(1),
          .base = Lsn{field(2)},
          .incarnation = field(3),
          .end = field(4)};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string file(reinterpret_cast<const char*>(data) + 1, size - 1);
  if ((data[0] & 1) != 0) Mend(file);
  const auto sidecar = Sidecar::FromMemory(file, IdentityIn(file));
  if (!sidecar) {
    Require(!sidecar.error().message.empty(), "what is refused is told why");
    return 0;
  }
  const Sidecar& index = **sidecar;
  (void)index.CellsAreSound();
  for (const IndexRun& run : index.runs()) {
    const std::string copy(reinterpret_cast<const char*>(index.Cells(run)), run.count * sizeof(IndexCell));
    Require(!copy.empty(), "a run has cells, and they are there");
    const IndexRun& found = index.Find(run.object, run.last_ms, run.last_seq);
    Require(found.object == run.object && found.last_ms == run.last_ms && found.last_seq == run.last_seq,
            "a run is found by its last ID");
  }
  return 0;
}
