#include "storage/checkpoint_format.h"

#include <charconv>
#include <cstring>
#include <string_view>

#include "storage/format.h"

namespace sluice::storage {
namespace {

constexpr std::string_view kCheckpointMagic = "SLCCHKPT";
constexpr std::string_view kCheckpointPrefix = "checkpoint-";
constexpr size_t kDigits = 12;

uint64_t HeaderChecksum(const char* header) {
  return XXH3_64bits_withSeed(header + 8, CheckpointHeader::kBytes - 8, 0);
}

}  // namespace

void Encode(const CheckpointHeader& header, std::span<char, CheckpointHeader::kBytes> to) {
  std::memset(to.data(), 0, to.size());
  kCheckpointMagic.copy(to.data() + 8, kCheckpointMagic.size());
  StoreLittle<uint32_t>(to.data() + 16, kCheckpointVersion);
  StoreLittle<uint32_t>(to.data() + 20, 0);  // flags
  StoreLittle(to.data() + 24, header.log_id);
  StoreLittle(to.data() + 32, header.sequence);
  StoreLittle(to.data() + 40, header.incarnation);
  StoreLittle(to.data() + 48, Value(header.lsn));
  StoreLittle(to.data() + 56, header.segment);
  StoreLittle(to.data() + 64, header.unix_ms);
  StoreLittle(to.data(), HeaderChecksum(to.data()));
}

Result<CheckpointHeader> DecodeCheckpointHeader(std::span<const char> bytes) {
  const auto fail = [](Error::Code code, const char* why) { return tl::make_unexpected(Error{code, why}); };
  if (bytes.size() < CheckpointHeader::kBytes)
    return fail(Error::Code::kCorrupt, "shorter than a checkpoint's header");
  const char* from = bytes.data();
  if (std::string_view(from + 8, kCheckpointMagic.size()) != kCheckpointMagic)
    return fail(Error::Code::kCorrupt, "not a checkpoint");
  if (LoadLittle<uint64_t>(from) != HeaderChecksum(from))
    return fail(Error::Code::kCorrupt, "the header's checksum does not match");
  if (LoadLittle<uint32_t>(from + 16) != kCheckpointVersion || LoadLittle<uint32_t>(from + 20) != 0)
    return fail(Error::Code::kInvalid, "written by a later version of this program");
  return CheckpointHeader{.log_id = LoadLittle<uint64_t>(from + 24),
                          .sequence = LoadLittle<uint64_t>(from + 32),
                          .incarnation = LoadLittle<uint64_t>(from + 40),
                          .lsn = Lsn{LoadLittle<uint64_t>(from + 48)},
                          .segment = LoadLittle<uint64_t>(from + 56),
                          .unix_ms = LoadLittle<uint64_t>(from + 64)};
}

void Encode(const CheckpointBlock& block, char* to) {
  StoreLittle(to, block.checksum);
  StoreLittle(to + 8, block.length);
  StoreLittle(to + 12, block.type);
}

CheckpointBlock LoadCheckpointBlock(const char* from) {
  return {LoadLittle<uint64_t>(from), LoadLittle<uint32_t>(from + 8), LoadLittle<uint32_t>(from + 12)};
}

void Encode(const CheckpointEnd& end, char* to) {
  StoreLittle(to, end.blocks);
  StoreLittle(to + 8, end.records);
  StoreLittle(to + 16, end.bytes);
}

CheckpointEnd LoadCheckpointEnd(const char* from) {
  return {LoadLittle<uint64_t>(from), LoadLittle<uint64_t>(from + 8), LoadLittle<uint64_t>(from + 16)};
}

std::string CheckpointName(uint64_t sequence) {
  const std::string digits = std::to_string(sequence);
  return std::string(kCheckpointPrefix) +
         std::string(digits.size() < kDigits ? kDigits - digits.size() : 0, '0') + digits;
}

std::optional<uint64_t> CheckpointSequence(const std::string& name, bool* unfinished) {
  std::string_view rest = name;
  if (!rest.starts_with(kCheckpointPrefix)) return std::nullopt;
  rest.remove_prefix(kCheckpointPrefix.size());
  *unfinished = rest.ends_with(kUnfinishedSuffix);
  if (*unfinished) rest.remove_suffix(kUnfinishedSuffix.size());
  uint64_t sequence = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), sequence);
  if (error != std::errc() || end != rest.data() + rest.size() || sequence == 0 || rest.size() < kDigits)
    return std::nullopt;
  // One name a number.
  if (CheckpointName(sequence).size() != kCheckpointPrefix.size() + rest.size()) return std::nullopt;
  return sequence;
}

}  // namespace sluice::storage
