// The walk that sluice-check makes, held against what opening the same store does; and what a repair leaves.
#include "storage/store_walk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "storage/format.h"
#include "storage/log.h"
#include "storage/memory_file_system.h"
#include "storage/store_repair.h"
#include "storage_fixture.h"

namespace sluice::storage {
namespace {

using testing::HasSubstr;

using Files = std::map<std::string, std::string>;  // path -> contents

std::vector<std::string> NamesIn(MemoryFileSystem& files) {
  return files.List("/store").value();
}

Files FilesOf(MemoryFileSystem& files) {
  Files contents;
  for (const std::string& name : NamesIn(files))
    contents["/store/" + name] = files.Contents("/store/" + name);
  return contents;
}

// Makes the store what `contents` say, other files gone.
void Restore(MemoryFileSystem& files, const Files& contents) {
  for (const std::string& name : NamesIn(files)) {
    if (!contents.contains("/store/" + name)) {
      ASSERT_TRUE(files.Remove("/store/" + name).has_value());
    }
  }
  for (const auto& [path, bytes] : contents) {
    ASSERT_TRUE(files.Open(path, {.create = true}).has_value());
    files.SetContents(path, bytes);
  }
}

// Records what it is shown.
class Reader : public StoreVisitor {
 public:
  bool OnRecord(const WalkedSegment&, uint64_t, std::string_view body) override {
    bodies.emplace_back(body);
    return true;
  }
  Bodies bodies;
};

// A store of some lives and three segments, in the smallest files that there are.
struct TwoLives {
  MemoryFileSystem files;
  Bodies bodies;
  std::vector<Lsn> batch_ends;
  Files sound;

  explicit TwoLives(bool close) {
    for (int life = 0; life < 2; ++life) {
      Opened opened = MustOpen(files);
      for (int i = 0; i < 3; ++i) Put(*opened.log, std::string(200, 'a') + std::to_string(bodies.size()));
      for (int i = 0; i < 2; ++i) Put(*opened.log, std::string(40'000, 'b') + std::to_string(bodies.size()));
      for (int i = 0; i < 2; ++i) Put(*opened.log, "small " + std::to_string(bodies.size()));
      if (life == 1 && close) {
        EXPECT_TRUE(opened.log->Close().has_value());
      }
    }
    sound = FilesOf(files);
  }

  void Put(Log& log, const std::string& body) {
    bodies.push_back(body);
    Commit(log, body);
    batch_ends.push_back(log.tail());
  }

  StoreFindings Walk() {
    Reader reader;
    auto found = WalkStore(files, "/store", reader);
    EXPECT_TRUE(found.has_value()) << found.error().message;
    shown = reader.bodies;
    return found.value_or(StoreFindings{});
  }
  void Damage(const std::string& path, uint64_t at) {
    std::string bytes = files.Contents(path);
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
    files.SetContents(path, bytes);
  }

  Bodies shown;  // by the last walk
};

// Walks the store as it is, opens a copy of it, and demands that they agree; then repairs it and demands that
// it opens, with nothing lost that need not be.
Bodies Says(const StoreFindings& found) {
  Bodies lines;
  for (const Finding& finding : found.findings) {
    lines.push_back((finding.kind == Finding::Kind::kTornTail ? "torn " : "damaged ") + finding.path + " " +
                    std::to_string(finding.offset) + " " + finding.what);
  }
  return lines;
}

struct Verdicts {
  int sound = 0;
  int torn = 0;
  int damaged = 0;
};
void CompareWithOpening(TwoLives& store, const std::string& what, Verdicts* verdicts) {
  const Files before = FilesOf(store.files);
  StoreVisitor nobody;
  const auto found = WalkStore(store.files, "/store", nobody);
  ASSERT_TRUE(found.has_value()) << what << ": " << found.error().message;
  ASSERT_EQ(FilesOf(store.files), before) << what << ": a walk changes nothing";

  ++(found->damaged() ? verdicts->damaged : found->torn() ? verdicts->torn : verdicts->sound);

  auto opened = OpenLog(store.files);
  ASSERT_EQ(opened.has_value(), !found->damaged())
      << what << ": " << (opened ? "it opens" : opened.error().message);
  if (opened) {
    ASSERT_EQ(opened->report.cut_bytes != 0, found->torn()) << what;
    ASSERT_EQ(opened->bodies.size(), found->records - found->records_behind) << what;
    opened->log.reset();
  } else {
    ASSERT_EQ(opened.error().code, Error::Code::kCorrupt);
  }

  Restore(store.files, before);
  const RepairPlan plan = PlanRepair(*found);
  if (!plan.impossible.empty()) return;
  ASSERT_EQ(plan.nothing_to_do(), !found->damaged() && !found->torn()) << what;
  ASSERT_TRUE(RepairStore(store.files, *found).has_value()) << what;
  const auto again = WalkStore(store.files, "/store", nobody);
  ASSERT_TRUE(again.has_value()) << what;
  ASSERT_TRUE(again->findings.empty()) << what << ": " << testing::PrintToString(Says(*found)) << " became "
                                       << testing::PrintToString(Says(*again));
  auto repaired = OpenLog(store.files);
  ASSERT_TRUE(repaired.has_value()) << what << ": " << repaired.error().message;
  ASSERT_TRUE(IsPrefix(repaired->bodies, store.bodies)) << what;
  ASSERT_EQ(repaired->bodies.size(), found->records - plan.lost_records) << what;
  Commit(*repaired->log, "it goes on");
  repaired->log.reset();
  ASSERT_EQ(MustOpen(store.files).bodies.size(), found->records - plan.lost_records + 1) << what;
}

// Where nothing waits for the disk, the end of one segment may be lost and the next be there.
TEST(StoreRepair, ATornTailThatGoesOnInTheNextSegment) {
  MemoryFileSystem files;
  LogOptions options = SmallOptions();
  options.durability = Durability::kNo;
  {
    Opened opened = MustOpen(files, options);
    for (int i = 0; i < 4; ++i) Commit(*opened.log, std::string(40'000, 'b'));
  }
  std::string bytes = files.Contents(SegmentPath(2));
  bytes[kSegmentHeaderBytes] ^= 1;
  files.SetContents(SegmentPath(2), bytes);
  StoreVisitor nobody;
  const auto found = WalkStore(files, "/store", nobody);
  ASSERT_TRUE(found.has_value());
  ASSERT_TRUE(found->torn() && !found->damaged());
  EXPECT_EQ(PlanRepair(*found).steps.size(), 2u);
  ASSERT_TRUE(RepairStore(files, *found).has_value());
  const auto again = WalkStore(files, "/store", nobody);
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->findings.empty()) << again->findings.front().what;
  EXPECT_THAT(NamesIn(files), testing::Contains("000000000003.log.damaged"));
  EXPECT_EQ(MustOpen(files, options).bodies.size(), 1u);
}

TEST(StoreWalk, ShowsEveryRecordOfASoundStore) {
  for (const bool close : {false, true}) {
    TwoLives store(close);
    const StoreFindings found = store.Walk();
    EXPECT_TRUE(found.findings.empty());
    EXPECT_EQ(store.shown, store.bodies);
    EXPECT_EQ(found.records, store.bodies.size());
    EXPECT_EQ(found.closed, close);
    EXPECT_EQ(found.segments.size(), 4u);
    EXPECT_EQ(found.store.incarnation, 2u);
  }
}

// Every byte that means something, and some that do not: headers, records, padding, the space behind the end.
TEST(StoreWalk, AgreesWithOpeningOnAnyFlippedBit) {
  for (const bool close : {false, true}) {
    TwoLives store(close);
    Verdicts verdicts;
    for (const auto& [path, bytes] : store.sound) {
      for (uint64_t at = 0; at < bytes.size(); ++at) {
        // All of STORE and of where batches begin, little of a long body or of nothing.
        const bool dull = at > 64 && bytes[at] == bytes[at - 1] && at % 1021 != 0;
        if (dull) continue;
        Restore(store.files, store.sound);
        store.Damage(path, at);
        CompareWithOpening(store, path + " at " + std::to_string(at), &verdicts);
        if (HasFatalFailure()) return;
      }
    }
    EXPECT_GT(verdicts.damaged, 1000);
    EXPECT_GT(verdicts.sound, 50) << "bytes that nobody reads";
    // Behind a clean stop only the closing batch itself can be taken for one.
    EXPECT_GT(verdicts.torn, 0);
    EXPECT_LE(verdicts.torn, close ? int{kBatchHeaderBytes} : 1000);
  }
}

TEST(StoreWalk, AgreesWithOpeningOnAnyTruncation) {
  for (const bool close : {false, true}) {
    TwoLives store(close);
    Verdicts verdicts;
    for (const auto& [path, bytes] : store.sound) {
      if (!SegmentSequence(path.substr(7))) continue;
      for (uint64_t size = 0; size < bytes.size(); ++size) {
        const bool dull = size > 64 && bytes[size] == bytes[size - 1] && size % 1021 != 0;
        if (dull) continue;
        Restore(store.files, store.sound);
        store.files.SetContents(path, bytes.substr(0, size));
        CompareWithOpening(store, path + " cut to " + std::to_string(size), &verdicts);
        if (HasFatalFailure()) return;
      }
    }
    EXPECT_GT(verdicts.damaged, 100);
    EXPECT_GT(verdicts.sound, 10) << "behind the last batch";
  }
}

TEST(StoreWalk, AgreesWithOpeningOnZeroedAndStalePages) {
  TwoLives store(false);
  Verdicts verdicts;
  std::mt19937_64 random(3);
  std::vector<std::string> pages;  // of everything that the store has ever held
  for (const auto& [path, bytes] : store.sound) {
    for (uint64_t at = 0; at + kBlockBytes <= bytes.size(); at += kBlockBytes)
      pages.push_back(bytes.substr(at, kBlockBytes));
  }
  for (int round = 0; round < 400; ++round) {
    Restore(store.files, store.sound);
    std::string what;
    for (uint64_t i = 0; i <= random() % 3; ++i) {
      const std::string path = SegmentPath(1 + random() % 4);
      std::string bytes = store.files.Contents(path);
      const uint64_t at = random() % (bytes.size() / kBlockBytes) * kBlockBytes;
      const bool zero = random() % 2 == 0;
      bytes.replace(at, kBlockBytes, zero ? std::string(kBlockBytes, '\0') : pages[random() % pages.size()]);
      store.files.SetContents(path, bytes);
      what += path + (zero ? " zeroed at " : " stale at ") + std::to_string(at) + ", ";
    }
    CompareWithOpening(store, what, &verdicts);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(verdicts.damaged, 100);
  EXPECT_GT(verdicts.torn, 0);
  EXPECT_GT(verdicts.sound, 20);
}

TEST(StoreWalk, SaysWhatIsDamagedAndWhatStandsBehindIt) {
  TwoLives store(false);
  // The second batch's record: its header says that the first is durable, the third's that the second is.
  const uint64_t begin = Value(store.batch_ends[0]);
  store.Damage(SegmentPath(1), begin + kBatchHeaderBytes + kRecordHeaderBytes + 10);
  const StoreFindings found = store.Walk();
  ASSERT_EQ(found.findings.size(), 1u);
  const Finding& finding = found.findings[0];
  EXPECT_EQ(finding.kind, Finding::Kind::kDamage);
  EXPECT_EQ(finding.path, SegmentPath(1));
  EXPECT_EQ(finding.offset, begin);
  EXPECT_THAT(finding.what, HasSubstr("record 0 of the batch"));
  EXPECT_THAT(finding.what,
              HasSubstr("next sound batch is at offset " + std::to_string(Value(store.batch_ends[1]))));
  EXPECT_EQ(store.shown.size(), store.bodies.size() - 1) << "all but the damaged one are shown";
  EXPECT_EQ(found.records_behind, store.bodies.size() - 2);
  EXPECT_EQ(found.bytes_behind, store.batch_ends.back() - store.batch_ends[0]);

  ASSERT_TRUE(RepairStore(store.files, found).has_value());
  const auto names = NamesIn(store.files);
  EXPECT_THAT(names, testing::Contains("000000000001.log.damaged"));
  EXPECT_THAT(names, testing::Contains("000000000004.log.damaged"));
  EXPECT_THAT(names, testing::Contains("STORE.damaged"));
  EXPECT_THAT(names, testing::Not(testing::Contains("000000000002.log")));
  EXPECT_EQ(store.files.Contents("/store/000000000004.log.damaged"), store.sound.at(SegmentPath(4)));
  EXPECT_EQ(MustOpen(store.files).bodies, Bodies{store.bodies[0]});
}

TEST(StoreWalk, FindsEveryDamagedPlace) {
  TwoLives store(false);
  store.Damage(SegmentPath(1), Value(store.batch_ends[0]) + 20);
  store.Damage(SegmentPath(4), 4096 + 5);
  store.Damage("/store/STORE", 30);
  const StoreFindings found = store.Walk();
  ASSERT_EQ(found.findings.size(), 3u);
  EXPECT_EQ(found.findings[0].path, "/store/STORE");
  EXPECT_EQ(found.findings[1].path, SegmentPath(1));
  EXPECT_EQ(found.findings[2].path, SegmentPath(4));
}

TEST(StoreWalk, WorksOutWhatHeadersSaid) {
  TwoLives store(false);
  store.Damage("/store/STORE", 30);
  for (const uint64_t sequence : {1u, 3u, 4u}) store.Damage(SegmentPath(sequence), 40);
  const StoreFindings found = store.Walk();
  EXPECT_TRUE(found.damaged());
  EXPECT_EQ(store.shown, store.bodies);
  EXPECT_EQ(PlanRepair(found).lost_records, 0u);
  ASSERT_TRUE(RepairStore(store.files, found).has_value());
  EXPECT_EQ(MustOpen(store.files).bodies, store.bodies) << "nothing is lost";
}

TEST(StoreWalk, WorksOutAMissingOrOldStoreFile) {
  TwoLives store(true);
  const std::string old_store = [] {
    MemoryFileSystem files;
    MustOpen(files);
    return files.Contents("/store/STORE");
  }();
  for (const bool missing : {true, false}) {
    Restore(store.files, store.sound);
    if (missing) {
      ASSERT_TRUE(store.files.Remove("/store/STORE").has_value());
    } else {
      store.files.SetContents("/store/STORE", old_store);
    }
    const StoreFindings found = store.Walk();
    ASSERT_TRUE(found.damaged());
    EXPECT_EQ(found.findings[0].path, "/store/STORE");
    ASSERT_TRUE(RepairStore(store.files, found).has_value());
    EXPECT_EQ(MustOpen(store.files).bodies, store.bodies);
  }
}

TEST(StoreWalk, MissingSegments) {
  TwoLives store(false);
  ASSERT_TRUE(store.files.Remove(SegmentPath(3)).has_value());
  const StoreFindings found = store.Walk();
  ASSERT_EQ(found.findings.size(), 1u);
  EXPECT_EQ(found.findings[0].path, SegmentPath(2));
  EXPECT_THAT(found.findings[0].what, HasSubstr("the log goes on"));
  Verdicts verdicts;
  CompareWithOpening(store, "without the third segment", &verdicts);
  EXPECT_EQ(verdicts.damaged, 1);

  Restore(store.files, store.sound);
  ASSERT_TRUE(store.files.Remove(SegmentPath(1)).has_value());
  const StoreFindings headless = store.Walk();
  EXPECT_TRUE(headless.damaged());
  EXPECT_FALSE(PlanRepair(headless).impossible.empty());
  const Files before = FilesOf(store.files);
  EXPECT_FALSE(RepairStore(store.files, headless).has_value());
  EXPECT_EQ(FilesOf(store.files), before);
}

TEST(StoreWalk, RepairsTwiceUnderNamesOfTheirOwn) {
  TwoLives store(false);
  for (int i = 0; i < 2; ++i) {
    store.Damage("/store/STORE", 30);
    ASSERT_TRUE(RepairStore(store.files, store.Walk()).has_value());
  }
  const auto names = NamesIn(store.files);
  EXPECT_THAT(names, testing::Contains("STORE.damaged"));
  EXPECT_THAT(names, testing::Contains("STORE.damaged-2"));
  EXPECT_EQ(MustOpen(store.files).bodies, store.bodies);
}

TEST(StoreWalk, NoStoreAndALaterVersionAreNoDamage) {
  MemoryFileSystem files;
  ASSERT_TRUE(files.CreateDirectory("/store").has_value());
  StoreVisitor nobody;
  EXPECT_EQ(WalkStore(files, "/store", nobody).error().code, Error::Code::kInvalid);

  TwoLives store(false);
  class Stranger : public StoreVisitor {
    bool OnRecord(const WalkedSegment&, uint64_t, std::string_view) override { return false; }
  } stranger;
  const auto found = WalkStore(store.files, "/store", stranger);
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, Error::Code::kInvalid);
  EXPECT_THAT(found.error().message, HasSubstr("000000000001.log, offset 4160"));
}

// Whatever the files hold, the walk and the repair end, and what they leave opens or is refused.
TEST(StoreWalk, HostileFilesAreOnlyBytes) {
  TwoLives store(false);
  std::mt19937_64 random(11);
  for (int round = 0; round < 3000; ++round) {
    Restore(store.files, store.sound);
    const uint64_t changes = 1 + random() % 20;
    for (uint64_t i = 0; i < changes; ++i) {
      const std::string path = random() % 8 == 0 ? "/store/STORE" : SegmentPath(1 + random() % 5);
      if (!store.sound.contains(path)) {
        ASSERT_TRUE(store.files.Open(path, {.create = true}).has_value());
      }
      std::string bytes = store.files.Contents(path);
      const uint64_t kind = random() % 8;
      if (kind == 0) bytes.resize(random() % (2 * bytes.size() + 100));
      if (kind == 1) bytes = store.files.Contents(SegmentPath(1 + random() % 4));
      const uint64_t at =
          bytes.empty()
              ? 0
              : random() % (random() % 2 == 0 ? bytes.size() : std::min<uint64_t>(bytes.size(), 5000));
      for (uint64_t n = 0; kind >= 2 && n < 1 + random() % 64 && at + n < bytes.size(); ++n)
        bytes[at + n] = static_cast<char>(kind == 2 ? 0xff : random());
      store.files.SetContents(path, bytes);
    }
    StoreVisitor nobody;
    const auto found = WalkStore(store.files, "/store", nobody);
    if (!found) continue;
    if (!PlanRepair(*found).impossible.empty()) continue;
    ASSERT_TRUE(RepairStore(store.files, *found).has_value()) << round;
    auto opened = OpenLog(store.files);
    ASSERT_TRUE(opened.has_value()) << round << ": " << testing::PrintToString(Says(*found))
                                    << opened.error().message;
    ASSERT_TRUE(IsPrefix(opened->bodies, store.bodies))
        << round << ": " << testing::PrintToString(Says(*found));
  }
}

}  // namespace
}  // namespace sluice::storage
