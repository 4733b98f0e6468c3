// Random lives of a log, each ended by a power cut, a killed process, a failing disk or a clean stop. After
// each: what was promised is there, what is there is a prefix of what was recorded, and it stays.
//
// The simulated server around the log also drops old segments and writes checkpoints, in the order that is
// right for both: record, commit, and only then change what recovery begins with. The planted bugs break one
// such order each, and the same checks must find them.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "lying_file_system.h"
#include "storage/format.h"
#include "storage/log.h"
#include "storage/memory_file_system.h"
#include "storage/sidecar_builder.h"
#include "storage/store_file.h"
#include "storage/store_walk.h"
#include "storage_fixture.h"
#include "tests/harness/seeds.h"

namespace sluice::storage {
namespace {

constexpr uint64_t kPowerLossSeeds = tests::Seeds(10'000);

enum class Bug {
  kNone,
  kReplyBeforeCommit,       // the server answers what is recorded, committed or not
  kIgnoredSyncError,        // below the log
  kNoSyncs,                 // likewise
  kNoDirectorySyncs,        // likewise
  kTrimBeforeCommit,        // segments go before the record that says so is durable
  kCheckpointBeforeCommit,  // a checkpoint gets its name before its LSN is durable
};

Lie LieOf(Bug bug) {
  return bug == Bug::kIgnoredSyncError   ? Lie::kSyncErrors
         : bug == Bug::kNoSyncs          ? Lie::kSyncs
         : bug == Bug::kNoDirectorySyncs ? Lie::kDirectorySyncs
                                         : Lie::kNone;
}

constexpr std::string_view kTrim = "TRIM ";  // a record that says how many records are dropped
const std::string kCheckpointPath = "/store/simulated-checkpoint";

// One seed's store, with a model beside it of what it holds. Throws std::runtime_error where they differ.
class Simulation {
 public:
  Simulation(uint64_t seed, Bug bug) : bug_(bug), random_(seed), files_(memory_, LieOf(bug)) {}

  void Run() {
    const int lives = 2 + static_cast<int>(Below(3));
    for (int life = 0; life < lives; ++life) {
      durability_ = static_cast<Durability>(Below(3));
      Open();
      Live();
      End();
    }
    Open();
    log_.reset();
    memory_.Crash(random_());
    Open();
  }

 private:
  struct Recorded {
    std::string body;
    Lsn end{};  // the log's tail behind it (0 for what an opening served)
    const Segment* segment = nullptr;
  };

  uint64_t Below(uint64_t limit) { return random_() % limit; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }

  static void Demand(bool holds, const std::string& what) {
    if (!holds) throw std::runtime_error(what);
  }

  // Opens the store and holds it against the model. From then on all that was served has to stay.
  void Open() {
    LogOptions options = SmallOptions();
    options.durability = durability_;
    options.tail_cache_bytes = random_() % 3 * options.segment_bytes;
    if (OneIn(2)) {
      options.index = [](std::string_view body, IndexSink& sink) {
        sink.Add(1, body.size(), 1, 0, body.size());
      };
    }
    if (OneIn(8)) CheckWalk();
    auto opened = OpenLog(files_, options);
    Demand(opened.has_value(), opened ? "" : "it does not open: " + opened.error().message);
    const auto& bodies = opened->bodies;
    const size_t first = FirstServed(bodies);
    Demand(first + bodies.size() >= promised_, "what was committed is gone");
    Demand(first + bodies.size() <= recorded_.size(), "more than was recorded");
    for (size_t i = 0; i < bodies.size(); ++i) Demand(bodies[i] == recorded_[first + i].body, "wrong bytes");
    recorded_.resize(first + bodies.size());
    for (size_t i = 0; i < bodies.size(); ++i) {
      recorded_[first + i].end = Lsn{0};
      recorded_[first + i].segment = opened->places[i].segment;
    }
    dropped_ = first;
    promised_ = synced_ = recorded_.size();
    log_ = std::move(opened->log);
    CheckCheckpoint();
  }

  // No loss of power is ever taken for damage.
  void CheckWalk() {
    StoreVisitor nobody;
    const auto found = WalkStore(memory_, "/store", nobody);
    if (found) Demand(!found->damaged(), "the walk calls it damaged: " + FirstOf(*found));
  }
  static std::string FirstOf(const StoreFindings& found) {
    return found.findings.empty() ? "" : found.findings[0].path + ": " + found.findings[0].what;
  }

  // With which of the recorded the log begins: an older or a newer number of dropped ones, but never one that
  // no record tells of.
  size_t FirstServed(const std::vector<std::string>& bodies) {
    size_t told = 0;
    for (const std::string& body : bodies) {
      if (body.starts_with(kTrim)) told = std::max<size_t>(told, std::stoull(body.substr(kTrim.size())));
    }
    for (const size_t first : begins_) {
      const bool fits =
          first + bodies.size() <= recorded_.size() && (bodies.empty() || bodies[0] == recorded_[first].body);
      if (!fits) continue;
      Demand(first <= told, "segments are gone, and nothing says why");
      begins_ = {first};
      return first;
    }
    throw std::runtime_error("the log begins with something else than it should");
  }

  // What the checkpoint stands for must be there.
  void CheckCheckpoint() {
    auto file = memory_.Open(kCheckpointPath, {.read_only = true});
    if (!file) return;
    const std::string text = memory_.Contents(kCheckpointPath);
    Demand(!text.empty() && text.back() == '.', "a checkpoint that is not whole has its name");
    Demand(std::stoull(text) <= Value(log_->tail()), "a checkpoint is ahead of its log");
  }

  void Live() {
    if (OneIn(3)) memory_.FailWrites(Below(20));
    if (OneIn(5)) memory_.FailSyncs(Below(10));
    const uint64_t steps = Below(60);
    for (uint64_t step = 0; step < steps && !log_->failure(); ++step) {
      const uint64_t choice = Below(22);
      if (choice < 12) {
        RecordOne();
      } else if (choice < 17) {
        log_->Submit();
      } else if (choice < 19) {
        Tick();
      } else if (choice == 19 && durability_ == Durability::kAlways) {
        OneIn(2) ? Trim() : Checkpoint();
      } else if (OneIn(4)) {
        const bool always = OneIn(2);
        log_->set_durability(always ? Durability::kAlways : durability_);
        always_ = always && !log_->failure();
      }
      if (always_ || durability_ == Durability::kAlways) synced_ = std::max(synced_, Committed());
    }
  }

  bool RecordBody(std::string body) {
    auto place = TryRecord(*log_, body);
    if (!place) return false;  // only once the log has failed
    recorded_.push_back({std::move(body), log_->tail(), place->segment});
    return true;
  }

  void RecordOne() {
    const uint64_t bytes = OneIn(40) ? 1 + Below(100'000) : OneIn(4) ? 1 + Below(5000) : 1 + Below(200);
    std::string body(bytes, '\0');
    for (char& c : body) c = static_cast<char>(random_());
    RecordBody(std::move(body));
  }

  // True where all that is recorded is durable now.
  bool CommitAll() {
    log_->Submit();
    log_->Flush();
    if (log_->failure()) return false;
    synced_ = recorded_.size();
    return true;
  }

  // Drops the segments before one that is in use: says so in a record, and when that is durable, removes
  // them.
  void Trim() {
    const size_t from = dropped_ + Below(recorded_.size() - dropped_ + 1);
    const auto begin = recorded_.begin() + static_cast<ptrdiff_t>(from);
    const Segment* keep = from < recorded_.size() ? begin->segment : nullptr;
    if (keep == nullptr) return;
    const auto first = std::find_if(recorded_.begin() + static_cast<ptrdiff_t>(dropped_), recorded_.end(),
                                    [&](const Recorded& r) { return r.segment == keep; });
    const auto count = static_cast<size_t>(first - recorded_.begin());
    if (count == dropped_) return;
    if (!RecordBody(std::string(kTrim) + std::to_string(count))) return;
    if (bug_ != Bug::kTrimBeforeCommit && !CommitAll()) return;
    begins_.push_back(count);
    StoreFile store(files_, "/store");
    if (!store.Open(7)) return;
    StoreHeader header = store.header();
    const uint64_t old_first = header.first_sequence;
    header.first_sequence = keep->sequence();
    header.first_lsn = keep->base();
    if (!store.Write(header)) return Die();
    for (uint64_t sequence = old_first; sequence < keep->sequence(); ++sequence)
      (void)files_.Remove(SegmentPath(sequence));
    dropped_ = count;
  }

  // Says in a file of its own up to where the log is; the name comes when that much is durable.
  void Checkpoint() {
    const std::string text = std::to_string(Value(log_->tail())) + ".";
    auto file = files_.Open(kCheckpointPath + ".new", {.create = true});
    if (!file || !(*file)->WriteAt(0, text) || !(*file)->Sync()) return Die();
    if (bug_ != Bug::kCheckpointBeforeCommit && !CommitAll()) return;
    if (!files_.Rename(kCheckpointPath + ".new", kCheckpointPath) || !files_.SyncDirectory("/store")) Die();
  }

  // A write beside the log has failed: the server ends, as it would for one of the log's.
  void Die() {
    log_.reset();
    memory_.Crash(random_());
    promised_ = synced_;
    Open();
  }

  void Tick() {
    now_ms_ += Below(2000);
    const uint64_t syncs = memory_.syncs();
    log_->Tick(now_ms_);
    if (memory_.syncs() > syncs && !log_->failure()) synced_ = std::max(synced_, Committed());
  }

  // How many records are committed (and so have been answered).
  size_t Committed() const {
    if (bug_ == Bug::kReplyBeforeCommit) return recorded_.size();
    const auto behind = std::upper_bound(recorded_.begin(), recorded_.end(), log_->committed(),
                                         [](Lsn lsn, const Recorded& r) { return lsn < r.end; });
    return static_cast<size_t>(behind - recorded_.begin());
  }

  void End() {
    if (OneIn(4) && log_->Close()) {
      promised_ = recorded_.size();
      log_.reset();
      if (OneIn(2)) memory_.Crash(random_());
    } else if (OneIn(3)) {  // killed: what the kernel has, stays
      promised_ = Committed();
      log_.reset();
    } else {
      promised_ = synced_;
      if (OneIn(2)) log_.reset();
      memory_.Crash(random_());
      log_.reset();
    }
    memory_.FailWrites(MemoryFileSystem::kNever);
    memory_.FailSyncs(MemoryFileSystem::kNever);
    always_ = false;
  }

  const Bug bug_;
  std::mt19937_64 random_;
  MemoryFileSystem memory_;
  LyingFileSystem files_;
  std::unique_ptr<Log> log_;
  Durability durability_ = Durability::kAlways;
  bool always_ = false;  // set_durability() made it so
  uint64_t now_ms_ = 0;

  std::vector<Recorded> recorded_;  // ever, in order
  size_t dropped_ = 0;              // of them, by trims
  std::vector<size_t> begins_{0};   // with which of them the log may begin
  size_t synced_ = 0;               // how many a power cut cannot take
  size_t promised_ = 0;             // how many the next opening has to show
};

// The first seed that goes wrong, and how.
std::optional<std::string> WhatIsWrong(Bug bug) {
  return tests::FirstWrong(kPowerLossSeeds, [bug](uint64_t seed) { Simulation(seed, bug).Run(); });
}

TEST(PowerLoss, CommittedSurvivesAndTheRestIsAPrefix) {
  const auto wrong = WhatIsWrong(Bug::kNone);
  EXPECT_FALSE(wrong.has_value()) << *wrong;
}

TEST(PowerLoss, FindsPlantedBugs) {
  for (const auto& [bug, name] :
       {std::pair(Bug::kReplyBeforeCommit, "a reply before its commit"),
        std::pair(Bug::kIgnoredSyncError, "an ignored sync error"), std::pair(Bug::kNoSyncs, "no syncs"),
        std::pair(Bug::kNoDirectorySyncs, "no syncs of directories"),
        std::pair(Bug::kTrimBeforeCommit, "a trim before its commit"),
        std::pair(Bug::kCheckpointBeforeCommit, "a checkpoint before its commit")}) {
    const auto caught = WhatIsWrong(bug);
    ASSERT_TRUE(caught.has_value()) << name;
    std::cout << name << " is caught by " << *caught << '\n';
  }
}

}  // namespace
}  // namespace sluice::storage
