// sluice-check: what is in a store, whether it is sound, and what can be done where it is not.
//
//   sluice-check DIR                     a summary; exit status 0 sound, 1 a torn tail only, 2 damaged, 3
//   cannot look sluice-check DIR --segments --batches --records [--from LSN] [--to LSN] [--stream KEY]
//   sluice-check DIR --repair [--yes]
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>

#include "server/engine/event_codec.h"
#include "server/engine/event_text.h"
#include "storage/posix_file_system.h"
#include "storage/store_repair.h"
#include "storage/store_walk.h"
#include "tools/plain_files.h"
#include "tools/progress.h"

namespace sluice::tools {
namespace {

enum ExitStatus { kSound = 0, kTornTail = 1, kDamaged = 2, kCannotLook = 3 };

struct Options {
  std::string directory;
  bool segments = false;
  bool batches = false;
  bool records = false;
  uint64_t from_lsn = 0;
  uint64_t to_lsn = UINT64_MAX;
  std::string stream;
  size_t most_bytes = 60;
  bool repair = false;
  bool yes = false;
};

int Fail(const std::string& what) {
  std::fprintf(stderr, "sluice-check: %s\n", what.c_str());
  return kCannotLook;
}

// Prints what the options ask for, and looks into every record.
class Printer : public storage::StoreVisitor {
 public:
  explicit Printer(const Options& options) : options_(options) {}

  void OnSegment(const storage::WalkedSegment& segment) override {
    if (!options_.segments) return;
    progress_.Clear();
    std::printf("segment %" PRIu64 "  base %" PRIu64 "  incarnation %" PRIu64 "  capacity %" PRIu64 "  %s\n",
                segment.header.sequence, storage::Value(segment.header.base), segment.header.incarnation,
                segment.header.capacity, segment.path.c_str());
  }

  void OnSegmentEnd(const storage::WalkedSegment& segment, uint64_t end) override {
    if (!options_.segments) return;
    progress_.Clear();
    std::printf("segment %" PRIu64 " ends at offset %" PRIu64 ", LSN %" PRIu64 "\n", segment.header.sequence,
                end, storage::Value(segment.header.base + end));
  }

  void OnBatch(const storage::WalkedSegment&, uint64_t offset, const storage::BatchHeader& batch) override {
    const uint64_t lsn = storage::Value(batch.base);
    if (!options_.batches || !InRange(lsn, lsn + batch.length)) return;
    progress_.Clear();
    std::printf("  batch  LSN %" PRIu64 "  offset %" PRIu64 "  bytes %" PRIu32 "  records %" PRIu32
                "  durable %" PRIu64 "  incarnation %" PRIu64 "  epoch %" PRIu64 "%s\n",
                lsn, offset, batch.length, batch.records, storage::Value(batch.durable), batch.incarnation,
                batch.epoch, (batch.flags & storage::BatchHeader::kClosing) != 0 ? "  closing" : "");
  }

  bool OnRecord(const storage::WalkedSegment& segment, uint64_t offset, std::string_view body) override {
    const uint64_t lsn = storage::Value(segment.header.base) + offset;
    const bool shown = options_.records && InRange(lsn, lsn + 1);
    bool headed = false;
    engine::EventReader events(body);
    while (const auto event = events.Next()) {
      ++events_;
      names_.Note(*event);
      if (!shown || !Wanted(*event)) continue;
      progress_.Clear();
      if (!headed)
        std::printf("    record  LSN %" PRIu64 "  offset %" PRIu64 "  bytes %zu\n", lsn, offset, body.size());
      headed = true;
      std::printf("      %s\n", engine::EventText(*event, names_, options_.most_bytes).c_str());
    }
    return events.ok();
  }

  void OnProgress(uint64_t bytes, uint64_t of_bytes) override { progress_.Show(bytes, of_bytes); }

  void EndProgress() { progress_.Clear(); }
  uint64_t events() const { return events_; }

 private:
  bool InRange(uint64_t from, uint64_t to) const { return to > options_.from_lsn && from <= options_.to_lsn; }

  bool Wanted(const engine::Event& event) const {
    if (options_.stream.empty()) return true;
    const std::string* key = names_.Find(engine::TargetOf(event));
    return key != nullptr && *key == options_.stream;
  }

  const Options& options_;
  engine::KeyNames names_;
  Progress progress_{"checked"};
  uint64_t events_ = 0;
};

void PrintSummary(const storage::StoreFindings& found, uint64_t events) {
  std::printf("log %016" PRIx64 "  incarnation %" PRIu64 "  first segment %" PRIu64 "\n", found.store.log_id,
              found.store.incarnation, found.store.first_sequence);
  std::printf("%zu segments, %" PRIu64 " batches, %" PRIu64 " records, %" PRIu64 " events, %" PRIu64
              " bytes of log\n",
              found.segments.size(), found.batches, found.records, events, found.bytes);
  if (!found.segments.empty()) {
    const storage::SegmentFacts& last = found.segments.back();
    std::printf("the log ends at LSN %" PRIu64 " (%s, offset %" PRIu64 ")%s\n",
                storage::Value(last.header.base + last.end), last.path.c_str(), last.end,
                found.closed ? ", after a clean stop" : "");
  }
  for (const storage::Finding& finding : found.findings) {
    std::printf("%s: %s, offset %" PRIu64 ": %s\n",
                finding.kind == storage::Finding::Kind::kTornTail ? "TORN TAIL" : "DAMAGED",
                finding.path.c_str(), finding.offset, finding.what.c_str());
  }
  std::printf("%s\n", found.damaged() ? "the store is damaged: a server refuses it as it stands"
                      : found.torn()  ? "the store is sound but for a torn tail, which the next start cuts"
                                      : "the store is sound");
}

bool Agreed(const Options& options) {
  if (options.yes) return true;
  if (isatty(STDIN_FILENO) == 0) {
    std::fprintf(stderr, "sluice-check: nobody to ask: say --yes to repair\n");
    return false;
  }
  std::printf("Do this? [yes/no] ");
  std::fflush(stdout);
  std::string answer;
  return std::getline(std::cin, answer) && answer == "yes";
}

int Repair(const Options& options, storage::FileSystem& files, const storage::StoreFindings& found) {
  const storage::RepairPlan plan = storage::PlanRepair(found);
  if (!plan.impossible.empty()) {
    std::printf("cannot be repaired: %s\n", plan.impossible.c_str());
    return kDamaged;
  }
  std::printf("to repair it:\n");
  for (const std::string& step : plan.steps) std::printf("  - %s\n", step.c_str());
  std::printf("lost by that: %" PRIu64 " records that verify, %" PRIu64 " bytes of log\n", plan.lost_records,
              plan.lost_bytes);
  const int before = found.damaged() ? kDamaged : kTornTail;
  if (!Agreed(options)) return before;
  if (auto repaired = storage::RepairStore(files, found); !repaired) {
    return Fail("the repair stopped: " + repaired.error().message);
  }
  storage::StoreVisitor nobody;
  const auto again = storage::WalkStore(files, options.directory, nobody);
  if (!again) return Fail(again.error().message);
  std::printf("repaired\n");
  PrintSummary(*again, 0);
  return again->damaged() ? kDamaged : again->torn() ? kTornTail : kSound;
}

int Check(const Options& options) {
  if (const std::string wrong = NotPlain(options.directory); !wrong.empty()) return Fail(wrong);
  storage::PosixFileSystem files;
  // A store without a LOCK has never been opened where it stands (a backup): nobody can be using it.
  std::shared_ptr<void> lock;
  if (options.repair || std::filesystem::exists(options.directory + "/LOCK")) {
    auto locked = files.Lock(options.directory + "/LOCK");
    if (!locked) return Fail(locked.error().message);
    lock = std::move(*locked);
  }
  Printer printer(options);
  const auto found = storage::WalkStore(files, options.directory, printer);
  printer.EndProgress();
  if (!found) return Fail(found.error().message);
  PrintSummary(*found, printer.events());
  if (options.repair && !found->findings.empty()) return Repair(options, files, *found);
  return found->damaged() ? kDamaged : found->torn() ? kTornTail : kSound;
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app(
      "Checks a store of sluice-server, and shows what is in it. Exit status: 0 sound, 1 a torn tail only, 2 "
      "damaged, "
      "3 cannot look (no store, in use, of a later version, a device error).");
  app.add_option("directory", options.directory, "the data folder")->required();
  app.add_flag("--segments", options.segments, "show the segments");
  app.add_flag("--batches", options.batches, "show the batches");
  app.add_flag("--records", options.records, "show the records and their events");
  app.add_option("--from", options.from_lsn, "show batches and records from this LSN on");
  app.add_option("--to", options.to_lsn, "and up to this one");
  app.add_option("--stream", options.stream, "show only events of this key");
  app.add_option("--bytes", options.most_bytes, "how much of a value is shown")->capture_default_str();
  app.add_flag(
      "--repair", options.repair,
      "end the log before the damage, or write anew what can be worked out; says first what would be lost, "
      "and keeps what it replaces as *.damaged");
  app.add_flag("--yes", options.yes, "with --repair: do not ask");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kSound : kCannotLook;
  }
  if (!options.stream.empty()) options.records = true;
  while (options.directory.size() > 1 && options.directory.back() == '/') options.directory.pop_back();
  return Check(options);
}

}  // namespace
}  // namespace sluice::tools

int main(int argc, char** argv) {
  return sluice::tools::Main(argc, argv);
}
