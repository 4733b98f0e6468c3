#include "storage/store_repair.h"

#include <algorithm>
#include <optional>
#include <span>

#include "storage/buffer.h"
#include "storage/checkpoint_reader.h"
#include "storage/format.h"
#include "storage/store_file.h"

namespace sluice::storage {
namespace {

constexpr uint64_t kRepairBytes = 1 << 20;

using Kind = Finding::Kind;
using Remedy = Finding::Remedy;

// The name that a file's contents are kept under; a number is added where an earlier repair has taken it.
Result<std::string> AsideName(FileSystem& files, const std::string& directory, const std::string& path) {
  auto names = files.List(directory);
  if (!names) return tl::make_unexpected(names.error());
  const std::string name = path.substr(directory.size() + 1);
  for (int number = 1;; ++number) {
    const std::string aside = name + ".damaged" + (number == 1 ? "" : "-" + std::to_string(number));
    if (std::find(names->begin(), names->end(), aside) == names->end()) return directory + "/" + aside;
  }
}

Result<void> CopyBytes(File& from, File& to) {
  auto buffer = AllocateBuffer(kRepairBytes);
  if (!buffer) return tl::make_unexpected(buffer.error());
  for (uint64_t at = 0;;) {
    auto got = from.ReadAt(at, {buffer->get(), kRepairBytes});
    if (!got) return tl::make_unexpected(got.error());
    if (*got == 0) return to.Sync();
    if (auto wrote = to.WriteAt(at, {buffer->get(), *got}); !wrote) return wrote;
    at += *got;
  }
}

class Repair {
 public:
  Repair(FileSystem& files, const StoreFindings& findings) : files_(files), findings_(findings) {}

  Result<void> Run() {
    for (const Finding& finding : findings_.findings) {
      if (finding.remedy != Remedy::kRebuildHeader || !Keeps(finding.path)) continue;
      if (auto rebuilt = RebuildHeader(finding.path); !rebuilt) return rebuilt;
    }
    if (auto set_aside = SetLaterSegmentsAside(); !set_aside) return set_aside;
    // The cut comes last: until then the damage stays visible to whoever looks.
    return WriteStore().and_then([this] { return Cut(); });
  }

 private:
  // Whether the segment in `path` is one that stays.
  bool Keeps(const std::string& path) const {
    for (size_t i = 0; i <= findings_.cut_segment; ++i) {
      if (findings_.segments[i].path == path) return true;
    }
    return false;
  }

  const Finding* FindCut() const {
    for (const Finding& finding : findings_.findings) {
      if (finding.remedy == Remedy::kCut) return &finding;
    }
    return nullptr;
  }

  Result<void> CopyAside(const std::string& path) {
    auto aside = AsideName(files_, findings_.directory, path);
    if (!aside) return tl::make_unexpected(aside.error());
    auto from = files_.Open(path, {.read_only = true});
    if (!from) return tl::make_unexpected(from.error());
    auto to = files_.Open(*aside, {.create = true, .exclusive = true});
    if (!to) return tl::make_unexpected(to.error());
    return CopyBytes(**from, **to).and_then([this] { return files_.SyncDirectory(findings_.directory); });
  }

  Result<void> RebuildHeader(const std::string& path) {
    if (auto copied = CopyAside(path); !copied) return copied;
    const auto facts = std::find_if(findings_.segments.begin(), findings_.segments.end(),
                                    [&](const SegmentFacts& segment) { return segment.path == path; });
    auto block = AllocateBuffer(kSegmentHeaderBytes);
    if (!block) return tl::make_unexpected(block.error());
    const std::span<char, kSegmentHeaderBytes> bytes(block->get(), kSegmentHeaderBytes);
    Encode(facts->header, bytes);
    auto file = files_.Open(path, {});
    if (!file) return tl::make_unexpected(file.error());
    return (*file)->WriteAt(0, bytes).and_then([&] { return (*file)->Sync(); });
  }

  // A checkpoint that shows more than the log is left with, or cannot say what it shows.
  bool IsCheckpointBehind(const std::string& name, Lsn cut) {
    bool unfinished = false;
    const auto sequence = CheckpointSequence(name, &unfinished);
    if (!sequence || unfinished) return false;
    const auto checkpoint =
        CheckpointReader::Open(files_, findings_.directory, *sequence, findings_.store.log_id);
    return !checkpoint || checkpoint->header().lsn > cut;
  }

  bool IsSegmentBehind(const std::string& path) const {
    const auto& strays = findings_.strays;
    if (std::find(strays.begin(), strays.end(), path) != strays.end()) return true;
    for (size_t i = findings_.cut_segment + 1; i < findings_.segments.size(); ++i) {
      if (findings_.segments[i].path == path) return true;
    }
    return false;
  }

  // From the last one down, so that what is left is a log at every moment.
  Result<void> SetLaterSegmentsAside() {
    auto names = files_.List(findings_.directory);
    if (!names) return tl::make_unexpected(names.error());
    const Finding* cut = FindCut();
    if (cut == nullptr) return {};
    const bool torn = cut->kind == Kind::kTornTail;
    const SegmentHeader& kept = findings_.segments[findings_.cut_segment].header;
    const uint64_t last = kept.sequence;
    const Lsn end = kept.base + cut->offset;
    for (auto name = names->rbegin(); name != names->rend(); ++name) {
      const auto sequence = SegmentSequence(*name);
      const std::string path = findings_.directory + "/" + *name;
      // Behind a torn tail only what holds some of it: a file that was made ready ahead is in nobody's way.
      const bool behind =
          torn ? IsSegmentBehind(path) : (sequence ? *sequence > last : IsCheckpointBehind(*name, end));
      if (!behind) continue;
      auto aside = AsideName(files_, findings_.directory, path);
      if (!aside) return tl::make_unexpected(aside.error());
      auto renamed =
          files_.Rename(path, *aside).and_then([this] { return files_.SyncDirectory(findings_.directory); });
      if (!renamed) return renamed;
    }
    return {};
  }

  Result<void> WriteStore() {
    StoreHeader header = findings_.store;
    const Lsn end = findings_.segments[findings_.cut_segment].header.base + findings_.cut_offset;
    const bool rebuilt = std::any_of(findings_.findings.begin(), findings_.findings.end(),
                                     [](const auto& f) { return f.remedy == Remedy::kRebuildStore; });
    if (!rebuilt && header.durable <= end) return {};
    header.durable = std::min(header.durable, end);
    auto names = files_.List(findings_.directory);
    if (!names) return tl::make_unexpected(names.error());
    if (std::find(names->begin(), names->end(), "STORE") != names->end()) {
      if (auto copied = CopyAside(findings_.directory + "/STORE"); !copied) return copied;
    }
    return StoreFile(files_, findings_.directory).Write(header);
  }

  // Zeros from the cut to the end of the file.
  Result<void> Cut() {
    const Finding* cut = FindCut();
    if (cut == nullptr) return {};
    const SegmentFacts& segment = findings_.segments[findings_.cut_segment];
    if (cut->kind == Kind::kDamage) {
      if (auto copied = CopyAside(segment.path); !copied) return copied;
    }
    auto file = files_.Open(segment.path, {});
    if (!file) return tl::make_unexpected(file.error());
    auto size = (*file)->Size();
    if (!size) return tl::make_unexpected(size.error());
    auto zeros = AllocateBuffer(kRepairBytes);
    if (!zeros) return tl::make_unexpected(zeros.error());
    for (uint64_t at = findings_.cut_offset; at < *size;) {
      const uint64_t bytes = std::min(kRepairBytes, *size - at);
      if (auto wrote = (*file)->WriteAt(at, {zeros->get(), bytes}); !wrote) return wrote;
      at += bytes;
    }
    return (*file)->Sync();
  }

  FileSystem& files_;
  const StoreFindings& findings_;
};

}  // namespace

RepairPlan PlanRepair(const StoreFindings& findings) {
  RepairPlan plan;
  if (findings.findings.empty()) return plan;
  if (findings.segments.empty() || findings.cut_offset < kSegmentHeaderBytes) {
    plan.impossible =
        "the log's beginning is gone, and without it what follows has no meaning: restore a backup";
    return plan;
  }
  const SegmentFacts& last = findings.segments[findings.cut_segment];
  bool cuts = false;
  for (const Finding& finding : findings.findings) {
    if (finding.remedy == Remedy::kRebuildStore) {
      plan.steps.push_back(
          "write STORE anew, from what the segments say; the old one is kept as STORE.damaged");
    } else if (finding.remedy == Remedy::kRebuildHeader) {
      plan.steps.push_back("write the header of " + finding.path +
                           " anew, from its first batch; the file as it is is kept as *.damaged");
    } else if (!cuts) {
      cuts = true;
      plan.steps.push_back("end the log at " + last.path + ", offset " + std::to_string(findings.cut_offset) +
                           (finding.kind == Kind::kTornTail
                                ? " (a torn tail, which the next start would cut as well)"
                                : "; the file as it is is kept as *.damaged"));
      if (findings.cut_segment + 1 < findings.segments.size() || !findings.strays.empty()) {
        plan.steps.push_back("set the segments behind it aside, as *.damaged");
      }
    }
  }
  plan.lost_records = findings.records_behind;
  plan.lost_bytes = findings.bytes_behind;
  return plan;
}

Result<void> RepairStore(FileSystem& files, const StoreFindings& findings) {
  const RepairPlan plan = PlanRepair(findings);
  if (!plan.impossible.empty()) return tl::make_unexpected(Error{Error::Code::kInvalid, plan.impossible});
  return Repair(files, findings).Run();
}

}  // namespace sluice::storage
