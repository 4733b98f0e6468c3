// Random lives of a log, each ended by a power cut, a killed process, a failing disk or a clean stop. After
// each: what was promised is there, what is there is a prefix of what was recorded, and it stays.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "storage/format.h"
#include "storage/log.h"
#include "storage/memory_file_system.h"
#include "storage/sidecar_builder.h"
#include "storage_fixture.h"

namespace sluice::storage {
namespace {

constexpr uint64_t kSeeds = 2500;

// One seed's store, with a model beside it of what it holds.
class Simulation {
 public:
  explicit Simulation(uint64_t seed) : seed_(seed), random_(seed) {}

  void Run() {
    const int lives = 2 + static_cast<int>(Below(3));
    for (int life = 0; life < lives && !testing::Test::HasFatalFailure(); ++life) {
      durability_ = static_cast<Durability>(Below(3));
      Open();
      if (testing::Test::HasFatalFailure()) return;
      Live();
      End();
    }
    Open();
    log_.reset();
    files_.Crash(random_());
    Open();
  }

 private:
  uint64_t Below(uint64_t limit) { return random_() % limit; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }

  // Opens the store and holds it against the model. From then on all that was served has to stay.
  void Open() {
    LogOptions options = SmallOptions();
    options.durability = durability_;
    options.tail_cache_bytes = seed_ % 3 * options.segment_bytes;
    if (seed_ % 2 == 0)
      options.index = [](std::string_view body, IndexSink& sink) { sink.Add(1, body.size(), 1, 0); };
    auto opened = OpenLog(files_, options);
    ASSERT_TRUE(opened.has_value()) << "seed " << seed_ << ": " << opened.error().message;
    const auto& bodies = opened->bodies;
    ASSERT_GE(bodies.size(), promised_) << "seed " << seed_ << ": what was committed is gone";
    ASSERT_LE(bodies.size(), recorded_.size()) << "seed " << seed_;
    ASSERT_TRUE(std::equal(bodies.begin(), bodies.end(), recorded_.begin()))
        << "seed " << seed_ << ": wrong bytes";
    recorded_.resize(bodies.size());
    ends_.assign(bodies.size(), Lsn{0});
    promised_ = synced_ = bodies.size();
    log_ = std::move(opened->log);
    places_ = std::move(opened->places);
    ExpectReadable();
  }

  // Whatever its segment has become since, every record reads as it was recorded.
  void ExpectReadable() const {
    for (size_t i = 0; i < places_.size(); ++i) {
      const Place place = places_[i];
      ASSERT_EQ(std::string_view(place.data(), recorded_[i].size()), recorded_[i]) << "seed " << seed_;
      if (!place.segment->mapped()) continue;
      ASSERT_TRUE(place.segment->RecordIsSound(place.offset - kRecordHeaderBytes)) << "seed " << seed_;
    }
    while (const Segment* segment = log_->TakeIndexed()) {
      ASSERT_TRUE(segment->index().CellsAreSound()) << "seed " << seed_;
      ASSERT_EQ(segment->index().identity().end, segment->end()) << "seed " << seed_;
      for (const IndexRun& run : segment->index().runs()) {
        for (uint32_t n = 0; n < run.count; ++n) {
          const uint64_t record = segment->index().Cells(run)[n].offset - kRecordHeaderBytes;
          ASSERT_TRUE(segment->mapped() ? segment->RecordIsSound(record) : record < segment->end());
        }
      }
    }
  }

  void Live() {
    if (OneIn(3)) files_.FailWrites(Below(20));
    if (OneIn(5)) files_.FailSyncs(Below(10));
    const uint64_t steps = Below(60);
    for (uint64_t step = 0; step < steps && !log_->failure(); ++step) {
      const uint64_t choice = Below(20);
      if (choice < 12) {
        RecordOne();
      } else if (choice < 17) {
        log_->Submit();
      } else if (choice < 19) {
        Tick();
      } else if (OneIn(4)) {
        const bool always = OneIn(2);
        log_->set_durability(always ? Durability::kAlways : durability_);
        always_ = always && !log_->failure();
      }
      if (always_ || durability_ == Durability::kAlways) synced_ = std::max(synced_, Committed());
    }
  }

  void RecordOne() {
    const uint64_t bytes = OneIn(40) ? 1 + Below(100'000) : OneIn(4) ? 1 + Below(5000) : 1 + Below(200);
    std::string body(bytes, '\0');
    for (char& c : body) c = static_cast<char>(random_());
    const auto place = TryRecord(*log_, body);
    if (!place) return;  // only once the log has failed
    places_.push_back(*place);
    recorded_.push_back(std::move(body));
    ends_.push_back(log_->tail());
  }

  void Tick() {
    now_ms_ += Below(2000);
    const uint64_t syncs = files_.syncs();
    log_->Tick(now_ms_);
    if (files_.syncs() > syncs && !log_->failure()) synced_ = std::max(synced_, Committed());
  }

  // How many records are committed.
  size_t Committed() const {
    const auto behind = std::upper_bound(ends_.begin(), ends_.end(), log_->committed());
    return static_cast<size_t>(behind - ends_.begin());
  }

  void End() {
    ExpectReadable();
    if (OneIn(4) && log_->Close()) {
      promised_ = recorded_.size();
      log_.reset();
      if (OneIn(2)) files_.Crash(random_());
    } else if (OneIn(3)) {  // killed: what the kernel has, stays
      promised_ = Committed();
      log_.reset();
    } else {
      promised_ = synced_;
      if (OneIn(2)) log_.reset();
      files_.Crash(random_());
      log_.reset();
    }
    files_.FailWrites(MemoryFileSystem::kNever);
    files_.FailSyncs(MemoryFileSystem::kNever);
    always_ = false;
  }

  uint64_t seed_;
  std::mt19937_64 random_;
  MemoryFileSystem files_;
  std::unique_ptr<Log> log_;
  Durability durability_ = Durability::kAlways;
  bool always_ = false;  // set_durability() made it so
  uint64_t now_ms_ = 0;

  std::vector<std::string> recorded_;  // all bodies, in order
  std::vector<Place> places_;
  std::vector<Lsn> ends_;  // the log's tail behind each (0 for what an opening served)
  size_t synced_ = 0;      // how many of them a power cut cannot take
  size_t promised_ = 0;    // how many the next opening has to show
};

TEST(PowerLoss, CommittedSurvivesAndTheRestIsAPrefix) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Simulation(seed).Run();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace sluice::storage
