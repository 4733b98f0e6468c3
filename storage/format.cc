#include "storage/format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "storage/check.h"
#include "storage/checksum.h"

namespace sluice::storage {
namespace {

constexpr uint64_t kStoreMagic = 0x45524F5453434C53;    // "SLCSTORE"
constexpr uint64_t kSegmentMagic = 0x544E4D4753434C53;  // "SLCSGMNT"
constexpr uint32_t kCompacted = 1;                      // a segment's flag
constexpr size_t kChecksumBytes = 8;
constexpr std::string_view kSegmentSuffix = ".log";
constexpr std::string_view kSidecarSuffix = ".idx";

// Writes a structure field by field.
class Writer {
 public:
  explicit Writer(char* to) : to_(to) {}

  template <typename T>
  Writer& Put(T value) {
    StoreLittle(to_, value);
    to_ += sizeof value;
    return *this;
  }

 private:
  char* to_;
};

class Reader {
 public:
  explicit Reader(const char* from) : from_(from) {}

  template <typename T>
  T Take() {
    from_ += sizeof(T);
    return LoadLittle<T>(from_ - sizeof(T));
  }

 private:
  const char* from_;
};

// The checks that both files' headers share: magic, checksum, version, in the order that gives the best
// message.
Result<void> CheckFileHeader(std::span<const char> bytes, uint64_t magic, uint64_t checksum,
                             uint32_t known_flags = 0) {
  if (LoadLittle<uint64_t>(bytes.data() + 8) != magic) return Corrupt("no such header here");
  if (LoadLittle<uint64_t>(bytes.data()) != checksum)
    return Corrupt("the header does not match its checksum");
  const auto version = LoadLittle<uint32_t>(bytes.data() + 16);
  const auto flags = LoadLittle<uint32_t>(bytes.data() + 20);
  if (version != kFormatVersion || (flags & ~known_flags) != 0) {
    return tl::make_unexpected(
        Error{Error::Code::kInvalid, "written by a later version of this program (format " +
                                         std::to_string(version) + ", flags " + std::to_string(flags) + ")"});
  }
  return {};
}

std::string NumberedName(uint64_t sequence, std::string_view suffix) {
  std::array<char, 32> digits;
  const int length =
      std::snprintf(digits.data(), digits.size(), "%012llu", static_cast<unsigned long long>(sequence));
  CHECK(length > 0 && static_cast<size_t>(length) < digits.size());
  return digits.data() + std::string(suffix);
}

// Nothing where `name` is not NumberedName() of a number.
std::optional<uint64_t> NumberOf(const std::string& name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return std::nullopt;
  uint64_t sequence = 0;
  const char* end = name.data() + name.size() - suffix.size();
  const auto [stop, failed] = std::from_chars(name.data(), end, sequence);
  if (failed != std::errc() || stop != end || NumberedName(sequence, suffix) != name) return std::nullopt;
  return sequence;
}

uint64_t SumAfterChecksum(const Checksum& checksum, Lsn lsn, std::span<const char> bytes) {
  return checksum(lsn, bytes.data() + kChecksumBytes, bytes.size() - kChecksumBytes);
}

}  // namespace

void Encode(const StoreHeader& header, std::span<char, StoreHeader::kBytes> to) {
  std::fill(to.begin(), to.end(), '\0');
  Writer(to.data() + kChecksumBytes)
      .Put(kStoreMagic)
      .Put(kFormatVersion)
      .Put(uint32_t{0})
      .Put(header.log_id)
      .Put(header.incarnation)
      .Put(header.first_sequence)
      .Put(Value(header.first_lsn))
      .Put(Value(header.durable));
  StoreLittle(to.data(), SumAfterChecksum(Checksum(0, 0), Lsn{0}, to));
}

Result<StoreHeader> DecodeStoreHeader(std::span<const char> bytes) {
  if (bytes.size() != StoreHeader::kBytes) {
    return Corrupt(std::to_string(bytes.size()) + " bytes instead of " + std::to_string(StoreHeader::kBytes));
  }
  auto sound = CheckFileHeader(bytes, kStoreMagic, SumAfterChecksum(Checksum(0, 0), Lsn{0}, bytes));
  if (!sound) return tl::make_unexpected(sound.error());
  Reader reader(bytes.data() + 24);
  StoreHeader header;
  header.log_id = reader.Take<uint64_t>();
  header.incarnation = reader.Take<uint64_t>();
  header.first_sequence = reader.Take<uint64_t>();
  header.first_lsn = Lsn{reader.Take<uint64_t>()};
  header.durable = Lsn{reader.Take<uint64_t>()};
  return header;
}

void Encode(const SegmentHeader& header, std::span<char, kSegmentHeaderBytes> to) {
  std::fill(to.begin(), to.end(), '\0');
  Writer(to.data() + kChecksumBytes)
      .Put(kSegmentMagic)
      .Put(kFormatVersion)
      .Put(header.compacted() ? kCompacted : 0)
      .Put(header.log_id)
      .Put(header.sequence)
      .Put(Value(header.base))
      .Put(header.incarnation)
      .Put(header.capacity)
      .Put(header.end)
      .Put(header.log_end);
  StoreLittle(to.data(), SumAfterChecksum(Checksum(header.log_id, header.incarnation), header.base, to));
}

Result<SegmentHeader> DecodeSegmentHeader(std::span<const char> bytes, uint64_t log_id) {
  if (bytes.size() < kSegmentHeaderBytes) return Corrupt("the file ends within its header");
  bytes = bytes.first(kSegmentHeaderBytes);
  Reader reader(bytes.data() + 24);
  SegmentHeader header;
  header.log_id = reader.Take<uint64_t>();
  header.sequence = reader.Take<uint64_t>();
  header.base = Lsn{reader.Take<uint64_t>()};
  header.incarnation = reader.Take<uint64_t>();
  header.capacity = reader.Take<uint64_t>();
  header.end = reader.Take<uint64_t>();
  header.log_end = reader.Take<uint64_t>();
  const uint64_t sum = SumAfterChecksum(Checksum(header.log_id, header.incarnation), header.base, bytes);
  auto sound = CheckFileHeader(bytes, kSegmentMagic, sum, kCompacted);
  if (!sound) return tl::make_unexpected(sound.error());
  if (header.log_id != log_id) return Corrupt("the segment belongs to another log");
  if (header.capacity < kSegmentHeaderBytes || header.capacity % kBlockBytes != 0) {
    return Corrupt("the header's capacity makes no sense");
  }
  const bool flagged = LoadLittle<uint32_t>(bytes.data() + 20) == kCompacted;
  const bool ends_fit = header.end >= kSegmentHeaderBytes && header.end <= header.log_end;
  if (flagged ? !ends_fit : header.end != 0 || header.log_end != 0) {
    return Corrupt("the header's ends make no sense");
  }
  return header;
}

void Encode(const BatchHeader& header, uint64_t log_id, char* to) {
  Writer(to + kChecksumBytes)
      .Put(BatchHeader::kMagic)
      .Put(header.flags)
      .Put(Value(header.base))
      .Put(Value(header.durable))
      .Put(header.incarnation)
      .Put(header.epoch)
      .Put(header.digest)
      .Put(header.length)
      .Put(header.records);
  StoreLittle(to,
              SumAfterChecksum(Checksum(log_id, header.incarnation), header.base, {to, kBatchHeaderBytes}));
}

std::optional<BatchHeader> DecodeBatchHeader(const char* from, uint64_t log_id) {
  if (LoadLittle<uint32_t>(from + kChecksumBytes) != BatchHeader::kMagic) return std::nullopt;
  Reader reader(from + kChecksumBytes + 4);
  BatchHeader header;
  header.flags = reader.Take<uint32_t>();
  header.base = Lsn{reader.Take<uint64_t>()};
  header.durable = Lsn{reader.Take<uint64_t>()};
  header.incarnation = reader.Take<uint64_t>();
  header.epoch = reader.Take<uint64_t>();
  header.digest = reader.Take<uint64_t>();
  header.length = reader.Take<uint32_t>();
  header.records = reader.Take<uint32_t>();
  const uint64_t sum =
      SumAfterChecksum(Checksum(log_id, header.incarnation), header.base, {from, kBatchHeaderBytes});
  if (LoadLittle<uint64_t>(from) != sum) return std::nullopt;
  return header;
}

std::string SegmentName(uint64_t sequence) {
  return NumberedName(sequence, kSegmentSuffix);
}

std::optional<uint64_t> SegmentSequence(const std::string& name) {
  return NumberOf(name, kSegmentSuffix);
}

std::string SidecarName(uint64_t sequence) {
  return NumberedName(sequence, kSidecarSuffix);
}

std::optional<uint64_t> SidecarSequence(const std::string& name) {
  return NumberOf(name, kSidecarSuffix);
}

}  // namespace sluice::storage
