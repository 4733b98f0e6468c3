#include "storage/sidecar.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <tuple>
#include <utility>

#include "storage/check.h"
#include "storage/checksum.h"
#include "storage/format.h"

namespace sluice::storage {
namespace {

constexpr uint64_t kSidecarMagic = 0x5845444E49434C53;  // "SLCINDEX"

static_assert(sizeof(Stretch) == 24);

// The header, field by field, as it stands in the file.
struct Header {
  uint64_t checksum;  // of the rest of the header
  uint64_t magic;
  uint32_t version;
  uint32_t flags;
  uint64_t log_id;
  uint64_t sequence;
  uint64_t base;
  uint64_t incarnation;
  uint64_t end;
  uint64_t runs_checksum;  // of stretches and runs
  uint64_t cells_checksum;
  uint32_t stretches;
  uint32_t runs;
  uint32_t cells;
  uint32_t zero;
};
static_assert(sizeof(Header) == Sidecar::kHeaderBytes);

uint64_t Sum(const char* bytes, size_t size) {
  return XXH3_64bits(bytes, size);
}

uint64_t HeaderSum(const Header& header) {
  return Sum(reinterpret_cast<const char*>(&header) + sizeof header.checksum,
             sizeof header - sizeof header.checksum);
}

template <typename T>
std::span<const T> Array(const char*& at, uint32_t count) {
  const std::span<const T> array(reinterpret_cast<const T*>(at), count);
  at += array.size_bytes();
  return array;
}

template <typename T>
void AppendArray(std::string& to, std::span<const T> array) {
  if (!array.empty()) to.append(reinterpret_cast<const char*>(array.data()), array.size_bytes());
}

auto Key(const IndexRun& run) {
  return std::tuple(run.object, run.last_ms, run.last_seq);
}

}  // namespace

std::string Encode(const SidecarParts& parts) {
  std::string bytes;
  bytes.reserve(sizeof(Header) + parts.stretches.size_bytes() + parts.runs.size_bytes() +
                parts.cells.size_bytes());
  bytes.resize(sizeof(Header));
  AppendArray(bytes, parts.stretches);
  AppendArray(bytes, parts.runs);
  const size_t cells_at = bytes.size();
  AppendArray(bytes, parts.cells);
  Header header{};
  header.magic = kSidecarMagic;
  header.version = kFormatVersion;
  header.log_id = parts.identity.log_id;
  header.sequence = parts.identity.sequence;
  header.base = Value(parts.identity.base);
  header.incarnation = parts.identity.incarnation;
  header.end = parts.identity.end;
  header.runs_checksum = Sum(bytes.data() + sizeof header, cells_at - sizeof header);
  header.cells_checksum = Sum(bytes.data() + cells_at, bytes.size() - cells_at);
  header.stretches = static_cast<uint32_t>(parts.stretches.size());
  header.runs = static_cast<uint32_t>(parts.runs.size());
  header.cells = static_cast<uint32_t>(parts.cells.size());
  header.checksum = HeaderSum(header);
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

Result<std::shared_ptr<const Sidecar>> Sidecar::FromFile(std::shared_ptr<const char> bytes, uint64_t size,
                                                         const SidecarIdentity& expected) {
  std::shared_ptr<Sidecar> sidecar(new Sidecar);
  sidecar->bytes_ = std::move(bytes);
  sidecar->size_ = size;
  auto parsed = sidecar->Parse({sidecar->bytes_.get(), size}, expected);
  if (!parsed) return tl::make_unexpected(parsed.error());
  return sidecar;
}

Result<std::shared_ptr<const Sidecar>> Sidecar::FromMemory(std::string_view bytes,
                                                           const SidecarIdentity& expected) {
  std::shared_ptr<char> copy(new char[bytes.size()], std::default_delete<char[]>());
  bytes.copy(copy.get(), bytes.size());
  return FromFile(std::move(copy), bytes.size(), expected);
}

Result<void> Sidecar::Parse(std::span<const char> bytes, const SidecarIdentity& expected) {
  Header header;
  if (bytes.size() < sizeof header) return Corrupt("the index ends within its header");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != kSidecarMagic || header.version != kFormatVersion || header.flags != 0) {
    return Corrupt("no index of this version");
  }
  if (HeaderSum(header) != header.checksum) return Corrupt("the index's header does not match its checksum");
  identity_ = {.log_id = header.log_id,
               .sequence = header.sequence,
               .base = Lsn{header.base},
               .incarnation = header.incarnation,
               .end = header.end};
  if (identity_ != expected) return Corrupt("the index belongs to another segment");
  const uint64_t runs_bytes = header.stretches * sizeof(Stretch) + header.runs * sizeof(IndexRun);
  if (bytes.size() != sizeof header + runs_bytes + header.cells * sizeof(IndexCell)) {
    return Corrupt("the index is not as long as it says");
  }
  const char* at = bytes.data() + sizeof header;
  if (Sum(at, runs_bytes) != header.runs_checksum)
    return Corrupt("the index's runs do not match their checksum");
  stretches_ = Array<Stretch>(at, header.stretches);
  runs_ = Array<IndexRun>(at, header.runs);
  cells_ = Array<IndexCell>(at, header.cells);
  cells_checksum_ = header.cells_checksum;
  const bool sound = std::all_of(runs_.begin(), runs_.end(), [this](const IndexRun& run) {
    return run.count > 0 && run.cells_at <= cells_.size() && run.count <= cells_.size() - run.cells_at;
  });
  const bool sorted = std::is_sorted(runs_.begin(), runs_.end(), [](const IndexRun& a, const IndexRun& b) {
    return std::tie(a.object, a.last_ms, a.last_seq) < std::tie(b.object, b.last_ms, b.last_seq);
  });
  if (!sound || !sorted || stretches_.empty()) return Corrupt("the index makes no sense");
  return {};
}

const IndexRun& Sidecar::Find(uint64_t object, uint64_t last_ms, uint64_t last_seq) const {
  const auto behind =
      std::upper_bound(runs_.begin(), runs_.end(), std::tuple(object, last_ms, last_seq),
                       [](const auto& wanted, const IndexRun& run) { return wanted < Key(run); });
  CHECK(behind != runs_.begin());
  const IndexRun& run = *std::prev(behind);
  CHECK(Key(run) == std::tuple(object, last_ms, last_seq));
  return run;
}

bool Sidecar::CellsAreSound() const {
  return Sum(reinterpret_cast<const char*>(cells_.data()), cells_.size_bytes()) == cells_checksum_;
}

}  // namespace sluice::storage
