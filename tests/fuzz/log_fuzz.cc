// Whatever stands in a store's segments, opening it and walking it agree on what it is, a walk changes
// nothing, and what a repair leaves opens. The input is { u8 flags, u8 the store's durable LSN in blocks, u16
// bytes of the first segment's log }, that log as it stands behind the segment's header, and the second
// segment's.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "server/engine/indexer.h"
#include "storage/checksum.h"
#include "storage/format.h"
#include "storage/log.h"
#include "storage/memory_file_system.h"
#include "storage/store_repair.h"
#include "storage/store_walk.h"

namespace {

using namespace sluice::storage;

constexpr uint64_t kLogId = 7;
constexpr uint64_t kIncarnation = 3;     // of the store's last life
constexpr uint64_t kMostLog = 32 << 10;  // of one segment
constexpr uint8_t kMend = 1;             // flag: headers and records get the checksums and places that fit
constexpr uint8_t kSecond = 2;           // flag: there is a second segment
const std::string kFolder = "/store";

void Require(bool holds, const char* promise, const std::string& about = {}) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s: %s\n", promise, about.c_str());
  std::abort();
}

// Makes what looks like a batch at `at` of a segment one that verifies, if its lengths let it, and gives its
// end; 0 where they do not.
uint64_t MendBatch(std::span<char> segment, Lsn base, uint64_t at) {
  char* const from = segment.data() + at;
  BatchHeader header{.flags = LoadLittle<uint32_t>(from + 12),
                     .base = base + at,
                     .durable = Lsn{LoadLittle<uint64_t>(from + 24)},
                     .incarnation = LoadLittle<uint64_t>(from + 32),
                     .epoch = LoadLittle<uint64_t>(from + 40),
                     .digest = 0,
                     .length = LoadLittle<uint32_t>(from + 56),
                     .records = LoadLittle<uint32_t>(from + 60)};
  const Checksum checksum(kLogId, header.incarnation);
  const uint64_t end = std::min<uint64_t>(at + header.length, segment.size());
  uint64_t record = at + kBatchHeaderBytes;
  for (uint32_t i = 0; i < header.records && record + kRecordHeaderBytes <= end; ++i) {
    char* const bytes = segment.data() + record;
    const uint64_t length = RecordBytes(LoadRecordHeader(bytes).body_bytes);
    if (length > end - record) break;
    StoreLittle<uint64_t>(bytes, checksum(base + record, bytes + 8, length - 8));
    header.digest = FoldDigest(header.digest, LoadLittle<uint64_t>(bytes));
    record += length;
  }
  Encode(header, kLogId, from);
  return record == at + header.length ? record : 0;
}

// The file of a segment with `log` behind its header. `end`: where its batches end, as far as they were
// mended.
std::string SegmentFile(uint64_t sequence, Lsn base, std::string_view log, bool mend, uint64_t* end) {
  log = log.substr(0, kMostLog);
  // As small as it can be, and a little is free: every byte is searched several times.
  std::string file(AlignUp(kSegmentHeaderBytes + log.size() + 1, kBlockBytes), '\0');
  const std::span<char, kSegmentHeaderBytes> block(file.data(), kSegmentHeaderBytes);
  Encode(
      SegmentHeader{
          .log_id = kLogId, .sequence = sequence, .base = base, .incarnation = 1, .capacity = file.size()},
      block);
  log.copy(file.data() + kSegmentHeaderBytes, log.size());
  *end = kSegmentHeaderBytes;
  const uint64_t written = kSegmentHeaderBytes + log.size();
  while (mend && *end + kBatchHeaderBytes <= written) {
    const uint64_t next = MendBatch(file, base, *end);
    if (next == 0) break;
    *end = next;
  }
  return file;
}

using Contents = std::map<std::string, std::string>;  // name -> bytes

void Write(MemoryFileSystem& files, const Contents& contents) {
  for (const auto& [name, bytes] : contents) {
    (void)files.Open(kFolder + "/" + name, {.create = true});
    files.SetContents(kFolder + "/" + name, bytes);
  }
}

Contents ContentsOf(MemoryFileSystem& files) {
  Contents contents;
  const auto names = files.List(kFolder);
  if (!names) return contents;
  for (const std::string& name : *names) contents[name] = files.Contents(kFolder + "/" + name);
  return contents;
}

Contents StoreFrom(const uint8_t* data, size_t size) {
  std::string_view log(reinterpret_cast<const char*>(data) + 4, size - 4);
  const bool mend = (data[0] & kMend) != 0;
  const size_t first = LoadLittle<uint16_t>(reinterpret_cast<const char*>(data) + 2);
  Contents contents;
  uint64_t end = 0;
  contents[SegmentName(1)] = SegmentFile(1, Lsn{0}, log.substr(0, std::min(first, log.size())), mend, &end);
  if ((data[0] & kSecond) != 0) {
    const std::string_view rest = log.substr(std::min(first, log.size()));
    contents[SegmentName(2)] = SegmentFile(2, Lsn{end}, rest, mend, &end);
  }
  std::string& store = contents["STORE"];
  store.resize(StoreHeader::kBytes);
  Encode(StoreHeader{.log_id = kLogId, .incarnation = kIncarnation, .durable = Lsn{data[1] * kBlockBytes}},
         std::span<char, StoreHeader::kBytes>(store.data(), store.size()));
  return contents;
}

struct Opening {
  Result<std::unique_ptr<Log>> log;
  uint64_t records = 0;
  RecoveryReport report{};
};

Opening Open(MemoryFileSystem& files) {
  LogOptions options;
  options.directory = kFolder;
  options.segment_bytes = 64 << 10;
  options.commit_path = CommitPath::kInline;
  options.spare_segments = 0;
  options.index = sluice::engine::VisitEntries;
  Opening opening{.log = tl::make_unexpected(Error{})};
  const auto replay = [&opening](Place, std::string_view) -> Result<void> {
    ++opening.records;
    return {};
  };
  opening.log = Log::Open(files, options, replay, &opening.report);
  return opening;
}

std::string FirstOf(const StoreFindings& found) {
  return found.findings.empty() ? "nothing" : found.findings.front().what;
}

// A repair may uncover what stood behind the damage: then the next one goes on from there.
void RequireRepaired(const Contents& contents) {
  constexpr int kMostRepairs = 4;
  MemoryFileSystem files;
  Write(files, contents);
  StoreVisitor nobody;
  auto found = WalkStore(files, kFolder, nobody);
  for (int i = 0; found && !found->findings.empty(); ++i) {
    Require(i < kMostRepairs, "a few repairs leave nothing to repair", FirstOf(*found));
    if (!PlanRepair(*found).impossible.empty()) return;
    const auto repaired = RepairStore(files, *found);
    Require(repaired.has_value(), "what was planned is done", repaired ? "" : repaired.error().message);
    found = WalkStore(files, kFolder, nobody);
  }
  Require(found.has_value(), "what was repaired can be walked", found ? "" : found.error().message);
  const Opening opening = Open(files);
  Require(opening.log.has_value(), "what was repaired opens", opening.log ? "" : opening.log.error().message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  const Contents contents = StoreFrom(data, size);
  MemoryFileSystem files;
  Write(files, contents);
  StoreVisitor nobody;
  const auto found = WalkStore(files, kFolder, nobody);
  Require(ContentsOf(files) == contents, "a walk changes nothing");
  {
    const Opening opening = Open(files);
    if (!found) {
      Require(!opening.log, "what cannot be walked cannot be opened", found.error().message);
      return 0;
    }
    const std::string what = FirstOf(*found);
    Require(opening.log.has_value() == !found->damaged(), "opening and walking agree",
            opening.log ? what : what + " / " + opening.log.error().message);
    if (opening.log) {
      Require(opening.records == found->records - found->records_behind, "and on what is left", what);
      Require((opening.report.cut_bytes != 0) == found->torn(), "and on the tail", what);
    }
  }
  RequireRepaired(contents);
  return 0;
}
