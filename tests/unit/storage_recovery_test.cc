// What opening a store makes of every kind of damage: a torn tail is cut, corruption is refused, and no wrong
// byte is ever served.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "storage/checksum.h"
#include "storage/format.h"
#include "storage/log.h"
#include "storage/memory_file_system.h"
#include "storage_fixture.h"

namespace sluice::storage {
namespace {

// A store with five small batches of two records each, ended without Close(). Every batch says that the one
// before it is durable.
struct SmallStore {
  MemoryFileSystem files;
  Bodies bodies;
  std::vector<uint64_t> batch_ends;  // offsets in segment 1

  explicit SmallStore(bool close = false) {
    Opened opened = MustOpen(files);
    for (int batch = 0; batch < 5; ++batch) {
      for (int i = 0; i < 2; ++i) {
        bodies.push_back("batch " + std::to_string(batch) + " record " + std::to_string(i));
        Record(*opened.log, bodies.back());
      }
      opened.log->Submit();
      batch_ends.push_back(Value(opened.log->tail()));
    }
    if (close) {
      EXPECT_TRUE(opened.log->Close().has_value());
    }
  }

  std::string Segment() const { return files.Contents(SegmentPath(1)); }
  void SetSegment(std::string bytes) { files.SetContents(SegmentPath(1), std::move(bytes)); }
};

// The files of a store, to be damaged again and again.
class Snapshot {
 public:
  explicit Snapshot(MemoryFileSystem& files) {
    const auto names = files.List("/store").value();
    for (const std::string& name : names) {
      contents_.emplace_back("/store/" + name, files.Contents("/store/" + name));
    }
  }
  void Restore(MemoryFileSystem& files) const {
    for (const auto& [path, bytes] : contents_) {
      ASSERT_TRUE(files.Open(path, {.create = true}).has_value());
      files.SetContents(path, bytes);
    }
  }

 private:
  std::vector<std::pair<std::string, std::string>> contents_;
};

TEST(Recovery, TruncationAtEveryByteCutsWholeBatches) {
  SmallStore store;
  const std::string whole = store.Segment();
  // The last batch says that the four before it are durable; without it, the one before says so of three.
  for (uint64_t size = kSegmentHeaderBytes; size <= store.batch_ends.back() + 1; ++size) {
    store.SetSegment(whole.substr(0, size));
    const Snapshot damaged(store.files);
    auto opened = OpenLog(store.files);
    const auto whole_batches = static_cast<size_t>(std::count_if(
        store.batch_ends.begin(), store.batch_ends.end(), [&](uint64_t end) { return end <= size; }));
    ASSERT_TRUE(opened.has_value()) << size << ": " << opened.error().message;
    EXPECT_EQ(opened->bodies,
              Bodies(store.bodies.begin(), store.bodies.begin() + 2 * static_cast<long>(whole_batches)));
    opened->log.reset();
    damaged.Restore(store.files);
  }
}

TEST(Recovery, TruncationWithinTheHeaderIsRefused) {
  SmallStore store;
  store.SetSegment(store.Segment().substr(0, kSegmentHeaderBytes - 1));
  EXPECT_EQ(OpenLog(store.files).error().code, Error::Code::kCorrupt);
}

// Every byte of a small store, in turn, is wrong.
void FlipEveryByte(bool closed) {
  SmallStore store(closed);
  const Snapshot sound(store.files);
  size_t torn = 0;
  size_t refused = 0;
  for (const std::string& path : {std::string("/store/STORE"), SegmentPath(1)}) {
    const std::string whole = store.files.Contents(path);
    const uint64_t end = std::min<uint64_t>(whole.size(), store.batch_ends.back() + 200);
    for (uint64_t at = 0; at < end; ++at) {
      sound.Restore(store.files);
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
      store.files.SetContents(path, damaged);
      auto opened = OpenLog(store.files);
      if (!opened) {
        ++refused;
        ASSERT_NE(opened.error().message.find(path), std::string::npos) << opened.error().message;
        ASSERT_EQ(store.files.Contents(path), damaged) << "a refused store is left as it is";
        continue;
      }
      ASSERT_TRUE(IsPrefix(opened->bodies, store.bodies)) << path << " at " << at;
      if (opened->bodies.size() == store.bodies.size())
        continue;  // behind the log's end, or the closing batch
      ++torn;
      ASSERT_FALSE(closed) << "behind a clean stop nothing is a torn tail: " << path << " at " << at;
      ASSERT_GE(at, store.batch_ends[3]) << "only the last batch may be taken for a torn tail";
      ASSERT_EQ(opened->bodies.size(), store.bodies.size() - 2);
      ASSERT_EQ(opened->report.cut_offset, store.batch_ends[3]);
    }
  }
  EXPECT_EQ(torn, closed ? 0u : store.batch_ends[4] - store.batch_ends[3]);
  EXPECT_GT(refused, kSegmentHeaderBytes);
}

TEST(Recovery, FlippedBitIsTornTailOrRefused) {
  FlipEveryByte(false);
}

TEST(Recovery, FlippedBitAfterCleanStopIsRefused) {
  FlipEveryByte(true);
}

// A record whose own checksum is right, in the place of another.
TEST(Recovery, RecordThatItsBatchDoesNotKnowIsRefused) {
  SmallStore store;
  std::string bytes = store.Segment();
  const uint64_t at = store.batch_ends[0] + kBatchHeaderBytes;
  bytes[at + kRecordHeaderBytes] ^= 1;
  const uint64_t size = RecordBytes(store.bodies[2].size());
  StoreLittle(bytes.data() + at, Checksum(7, 1)(Lsn{at}, bytes.data() + at + 8, size - 8));
  store.SetSegment(bytes);
  const auto opened = OpenLog(store.files);
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().message.find("digest"), std::string::npos) << opened.error().message;
}

// A later version's record in the last batch, sound: no torn tail, although nothing proves it durable.
TEST(Recovery, LaterVersionIsNotTakenForDamage) {
  SmallStore store;
  std::string bytes = store.Segment();
  char* batch = bytes.data() + store.batch_ends[3];
  BatchHeader header = DecodeBatchHeader(batch, 7).value();
  header.flags = 0x80;
  Encode(header, 7, batch);
  store.SetSegment(bytes);
  const auto opened = OpenLog(store.files);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Error::Code::kInvalid);
  EXPECT_EQ(store.Segment(), bytes);
}

TEST(Recovery, EmptyBatchAfterIdlenessProtectsTheLastOne) {
  SmallStore store;
  {
    Opened opened = MustOpen(store.files);
    Commit(*opened.log, "the last one");
    opened.log->Tick(1000);
    opened.log->Tick(1200);
  }
  std::string bytes = store.Segment();
  bytes[store.batch_ends.back() + kBatchHeaderBytes + kRecordHeaderBytes] ^= 1;
  store.SetSegment(bytes);
  const auto opened = OpenLog(store.files);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Error::Code::kCorrupt);
  EXPECT_NE(opened.error().message.find("offset " + std::to_string(store.batch_ends.back())),
            std::string::npos)
      << opened.error().message;
}

TEST(Recovery, OpeningProtectsWhatItServed) {
  SmallStore store;
  MustOpen(store.files);  // served, and the process dies
  std::string bytes = store.Segment();
  bytes[store.batch_ends.back() - 1] ^= 1;
  store.SetSegment(bytes);
  EXPECT_EQ(OpenLog(store.files).error().code, Error::Code::kCorrupt);
}

TEST(Recovery, ReportsWhereATornTailWasCut) {
  SmallStore store;
  std::string bytes = store.Segment();
  bytes[store.batch_ends[3] + kBatchHeaderBytes + 20] ^= 1;
  store.SetSegment(bytes);
  const Opened opened = MustOpen(store.files);
  EXPECT_EQ(opened.report.cut_file, SegmentPath(1));
  EXPECT_EQ(opened.report.cut_offset, store.batch_ends[3]);
  EXPECT_EQ(opened.report.cut_bytes, store.batch_ends[4] - store.batch_ends[3]);
}

TEST(Recovery, WhatWasCutStaysCut) {
  SmallStore store;
  std::string bytes = store.Segment();
  bytes[store.batch_ends[3] + kBatchHeaderBytes + 20] ^= 1;
  store.SetSegment(bytes);
  Bodies expected(store.bodies.begin(), store.bodies.end() - 2);
  for (int life = 0; life < 3; ++life) {
    Opened opened = MustOpen(store.files);
    EXPECT_EQ(opened.bodies, expected);
    EXPECT_EQ(opened.report.cut_bytes > 0, life == 0) << "the new life's batch stands in its place";
    expected.push_back("life " + std::to_string(life));
    Commit(*opened.log, expected.back());
  }
}

// Under everysec several batches may be unsynced, and a later one may reach the disk when an earlier one does
// not.
TEST(Recovery, RecordsBehindATornBatchAreNeverSeen) {
  MemoryFileSystem files;
  LogOptions options = SmallOptions();
  options.durability = Durability::kEverySecond;
  uint64_t torn = 0;
  {
    Opened opened = MustOpen(files, options);
    Commit(*opened.log, "first");
    torn = Value(opened.log->tail());
    Commit(*opened.log, "torn");
    Commit(*opened.log, "third");
    for (int i = 0; i < 100; ++i) Commit(*opened.log, std::string(1500, 'x'));  // and further segments
  }
  std::string bytes = files.Contents(SegmentPath(1));
  bytes[torn + kBatchHeaderBytes + kRecordHeaderBytes] ^= 1;
  files.SetContents(SegmentPath(1), bytes);
  Bodies expected{"first"};
  for (int life = 0; life < 3; ++life) {
    Opened opened = MustOpen(files, options);
    EXPECT_EQ(opened.bodies, expected);
    if (life == 0) {
      EXPECT_GT(opened.report.cut_bytes, 100u * 1500);
    }
    expected.push_back("of the new life");
    Commit(*opened.log, expected.back());
  }
}

// A new life writes over a cut tail batches of the same lengths, so that the old ones behind them fit in
// place.
TEST(Recovery, StaleBatchesOfAnEarlierLifeNeverFollow) {
  MemoryFileSystem files;
  LogOptions options = SmallOptions();
  options.durability = Durability::kEverySecond;
  uint64_t torn = 0;
  {
    Opened opened = MustOpen(files, options);
    Commit(*opened.log, "0");
    torn = Value(opened.log->tail());
    for (int i = 1; i < 200; ++i) Commit(*opened.log, "old " + std::string(1000, 'o'));
  }
  std::string bytes = files.Contents(SegmentPath(1));
  bytes[torn] ^= 1;
  files.SetContents(SegmentPath(1), bytes);
  Bodies expected{"0"};
  for (int life = 0; life < 100; ++life) {
    Opened opened = MustOpen(files, options);
    ASSERT_EQ(opened.bodies, expected);
    expected.push_back("new " + std::string(1000, 'n'));
    Commit(*opened.log, expected.back());
  }
}

TEST(Recovery, ReusedFileOfTheSameLogIsEmpty) {
  MemoryFileSystem files;
  Bodies expected;
  {
    Opened opened = MustOpen(files);
    for (int i = 0; i < 50; ++i) {
      expected.push_back(std::to_string(i) + std::string(1000, 'x'));
      Commit(*opened.log, expected.back());
    }
  }
  // The file to come holds what segment 1 held.
  ASSERT_TRUE(files.Open(SegmentPath(2), {.create = true}).has_value());
  files.SetContents(SegmentPath(2), files.Contents(SegmentPath(1)));
  for (int life = 0; life < 4; ++life) {
    Opened opened = MustOpen(files);
    ASSERT_EQ(opened.bodies, expected);
    EXPECT_EQ(opened.report.cut_bytes, 0u);
    for (int i = 0; i < 20; ++i) {
      expected.push_back(std::to_string(i) + std::string(1000, 'y'));
      Commit(*opened.log, expected.back());
    }
  }
  EXPECT_EQ(MustOpen(files).bodies, expected);
}

// A store of several full segments, not closed.
Bodies FillSegments(MemoryFileSystem& files) {
  Bodies bodies;
  Opened opened = MustOpen(files);
  for (int i = 0; i < 200; ++i) {
    bodies.push_back(std::to_string(i) + std::string(1500, 'x'));
    Commit(*opened.log, bodies.back());
  }
  EXPECT_GT(opened.log->stats().segments, 4u);
  return bodies;
}

TEST(Recovery, DamagedSegmentHeaderIsRefused) {
  MemoryFileSystem files;
  FillSegments(files);
  for (uint64_t sequence = 1; sequence <= 3; ++sequence) {
    const std::string whole = files.Contents(SegmentPath(sequence));
    std::string bytes = whole;
    bytes[100] ^= 1;
    files.SetContents(SegmentPath(sequence), bytes);
    const auto opened = OpenLog(files);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, Error::Code::kCorrupt);
    EXPECT_NE(opened.error().message.find(SegmentPath(sequence)), std::string::npos)
        << opened.error().message;
    files.SetContents(SegmentPath(sequence), whole);
  }
  EXPECT_TRUE(OpenLog(files).has_value());
}

TEST(Recovery, MissingSegmentIsRefused) {
  for (uint64_t sequence = 1; sequence <= 3; ++sequence) {
    MemoryFileSystem files;
    FillSegments(files);
    ASSERT_TRUE(files.Remove(SegmentPath(sequence)).has_value());
    const auto opened = OpenLog(files);
    ASSERT_FALSE(opened.has_value()) << sequence;
    EXPECT_EQ(opened.error().code, Error::Code::kCorrupt);
  }
}

TEST(Recovery, MissingLastSegmentIsRefusedOnceItWasServed) {
  MemoryFileSystem files;
  FillSegments(files);
  const uint64_t last = MustOpen(files).log->stats().segments;
  ASSERT_TRUE(files.Remove(SegmentPath(last)).has_value());
  EXPECT_EQ(OpenLog(files).error().code, Error::Code::kCorrupt);
}

TEST(Recovery, ForeignSegmentIsRefused) {
  MemoryFileSystem files;
  FillSegments(files);
  MemoryFileSystem others;
  LogOptions options = SmallOptions();
  options.new_log_id = 8;
  {
    Opened opened = MustOpen(others, options);
    for (int i = 0; i < 200; ++i) Commit(*opened.log, std::string(1500, 'x'));
  }
  files.SetContents(SegmentPath(2), others.Contents(SegmentPath(2)));
  EXPECT_EQ(OpenLog(files).error().code, Error::Code::kCorrupt);
}

TEST(Recovery, OldStoreFileIsRefused) {
  MemoryFileSystem files;
  MustOpen(files);
  const std::string old = files.Contents("/store/STORE");
  for (int life = 0; life < 3; ++life) {
    Opened opened = MustOpen(files);
    Commit(*opened.log, "x");
  }
  files.SetContents("/store/STORE", old);
  const auto opened = OpenLog(files);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Error::Code::kCorrupt);
  EXPECT_NE(opened.error().message.find("younger than the STORE file"), std::string::npos)
      << opened.error().message;
}

TEST(Recovery, SegmentsWithoutStoreFileAreRefused) {
  MemoryFileSystem files;
  FillSegments(files);
  ASSERT_TRUE(files.Remove("/store/STORE").has_value());
  const auto opened = OpenLog(files);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Error::Code::kCorrupt);
  EXPECT_FALSE(files.Contents(SegmentPath(1)).empty());
}

TEST(Recovery, ForeignFilesAreLeftAlone) {
  MemoryFileSystem files;
  for (const char* name : {"/store/notes.txt", "/store/42.log", "/store/spare-x"}) {
    auto file = files.Open(name, {.create = true});
    ASSERT_TRUE((*file)->WriteAt(0, std::string("mine")).has_value());
  }
  {
    Opened opened = MustOpen(files);
    Commit(*opened.log, "x");
  }
  EXPECT_EQ(MustOpen(files).bodies, Bodies{"x"});
  EXPECT_EQ(files.Contents("/store/42.log"), "mine");
  EXPECT_EQ(files.Contents("/store/spare-x"), "mine");
}

TEST(Recovery, FailedReplayStopsTheOpening) {
  SmallStore store;
  RecoveryReport report;
  int seen = 0;
  const auto log = Log::Open(
      store.files, SmallOptions(),
      [&](Place, std::string_view) -> Result<void> {
        if (++seen < 3) return {};
        return tl::make_unexpected(Error{Error::Code::kCorrupt, "no such event"});
      },
      &report);
  ASSERT_FALSE(log.has_value());
  EXPECT_EQ(log.error().message, "no such event");
  EXPECT_EQ(seen, 3);
  EXPECT_EQ(MustOpen(store.files).bodies, store.bodies);
}

TEST(Recovery, AttemptToCreateAStoreMayBeRepeated) {
  for (uint64_t writes = 0; writes < 4; ++writes) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      MemoryFileSystem files;
      files.FailWrites(writes);
      (void)OpenLog(files);
      files.Crash(seed);
      {
        Opened opened = MustOpen(files);
        EXPECT_TRUE(opened.bodies.empty());
        Commit(*opened.log, "x");
      }
      EXPECT_EQ(MustOpen(files).bodies, Bodies{"x"});
    }
  }
}

// After a sync that failed, the page cache shows what the disk does not have, and a sync says that all is
// well.
TEST(Recovery, WhatIsServedHasBeenWrittenAgain) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    MemoryFileSystem files;
    LogOptions options = SmallOptions();
    options.durability = Durability::kEverySecond;
    {
      Opened opened = MustOpen(files, options);
      for (int i = 0; i < 100; ++i) Commit(*opened.log, std::string(1500, 'x'));
      files.FailSyncs(0);
      opened.log->Tick(1'000'000);
      ASSERT_TRUE(opened.log->failure().has_value());
      files.FailSyncs(MemoryFileSystem::kNever);
    }
    const size_t served = MustOpen(files, options).bodies.size();
    EXPECT_EQ(served, 100u);
    files.Crash(seed);
    ASSERT_EQ(MustOpen(files, options).bodies.size(), served);
  }
}

TEST(Recovery, CleanStoreIsNotWrittenAgain) {
  MemoryFileSystem files;
  {
    Opened opened = MustOpen(files);
    for (int i = 0; i < 100; ++i) Commit(*opened.log, std::string(1500, 'x'));
    ASSERT_TRUE(opened.log->Close().has_value());
  }
  const uint64_t before = files.writes();
  MustOpen(files);
  EXPECT_LE(files.writes() - before, 2u) << "the block of the closing batch, and STORE";
}

}  // namespace
}  // namespace sluice::storage
