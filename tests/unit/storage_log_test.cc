// A log's life: record, commit, close, open again; and what it does when it cannot.
#include "storage/log.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "storage/memory_file_system.h"
#include "storage_fixture.h"

namespace sluice::storage {
namespace {

std::string_view View(Place place, size_t bytes) {
  return {place.data(), bytes};
}

TEST(Log, GivesBackWhatWasRecorded) {
  MemoryFileSystem files;
  {
    Opened opened = MustOpen(files);
    EXPECT_EQ(opened.report.incarnation, 1u);
    EXPECT_TRUE(opened.bodies.empty());
    const Place place = Record(*opened.log, "one");
    EXPECT_LT(Value(opened.log->committed()), Value(opened.log->tail()));
    opened.log->Submit();
    EXPECT_EQ(opened.log->committed(), opened.log->tail());
    EXPECT_EQ(opened.log->uncommitted_bytes(), 0u);
    EXPECT_EQ(View(place, 3), "one");
    Record(*opened.log, "two two");
    ASSERT_TRUE(opened.log->Close().has_value());
  }
  Opened opened = MustOpen(files);
  EXPECT_EQ(opened.bodies, (Bodies{"one", "two two"}));
  EXPECT_EQ(opened.report.incarnation, 2u);
  EXPECT_EQ(opened.report.log_id, 7u);
  EXPECT_EQ(opened.report.records, 2u);
  EXPECT_EQ(opened.report.cut_bytes, 0u);
  EXPECT_EQ(opened.log->tail(), opened.log->committed());
}

TEST(Log, GoesOnWhereItWasOpened) {
  MemoryFileSystem files;
  Bodies expected;
  for (int life = 0; life < 5; ++life) {
    Opened opened = MustOpen(files);
    ASSERT_EQ(opened.bodies, expected);
    for (int i = 0; i < 3; ++i) {
      expected.push_back("life " + std::to_string(life) + ", record " + std::to_string(i));
      Commit(*opened.log, expected.back());
    }
    if (life % 2 == 0) {
      ASSERT_TRUE(opened.log->Close().has_value());
    }
  }
  EXPECT_EQ(MustOpen(files).bodies, expected);
}

TEST(Log, KeepsBodiesOfEveryLength) {
  MemoryFileSystem files;
  Bodies expected;
  {
    Opened opened = MustOpen(files);
    for (size_t bytes = 1; bytes <= 300; ++bytes) {
      expected.emplace_back(bytes, static_cast<char>('a' + bytes % 26));
      Record(*opened.log, expected.back());
    }
    ASSERT_TRUE(opened.log->Close().has_value());
  }
  EXPECT_EQ(MustOpen(files).bodies, expected);
}

TEST(Log, WhatTheCallerWroteBehindABodyIsNotKept) {
  MemoryFileSystem files;
  Opened opened = MustOpen(files);
  Commit(*opened.log, "odd length: 15.");  // Record() writes '#' behind it
  EXPECT_EQ(files.Contents(SegmentPath(1)).find('#'), std::string::npos);
}

TEST(Log, PlacesStayTrueAcrossSegments) {
  MemoryFileSystem files;
  Opened opened = MustOpen(files);
  Bodies bodies;
  std::vector<Place> places;
  for (int i = 0; i < 200; ++i) {
    bodies.push_back(std::to_string(i) + std::string(1500, 'x'));
    places.push_back(Record(*opened.log, bodies.back()));
    if (i % 7 == 0) opened.log->Submit();
  }
  opened.log->Submit();
  EXPECT_EQ(opened.log->committed(), opened.log->tail());
  EXPECT_GT(opened.log->stats().segments, 4u);
  for (size_t i = 0; i < bodies.size(); ++i) {
    EXPECT_EQ(View(places[i], bodies[i].size()), bodies[i]);
    EXPECT_TRUE(i == 0 || Value(places[i].lsn()) > Value(places[i - 1].lsn()));
  }
  opened.log.reset();
  Opened again = MustOpen(files);
  ASSERT_EQ(again.bodies, bodies);
  for (size_t i = 0; i < bodies.size(); ++i) {
    EXPECT_EQ(View(again.places[i], bodies[i].size()), bodies[i]);
  }
}

TEST(Log, LsnsAreTheSameAfterReopening) {
  MemoryFileSystem files;
  std::vector<Lsn> lsns;
  {
    Opened opened = MustOpen(files);
    for (int i = 0; i < 100; ++i) {
      lsns.push_back(Record(*opened.log, std::string(2000, 'y')).lsn());
      if (i % 3 == 0) opened.log->Submit();
    }
    ASSERT_TRUE(opened.log->Close().has_value());
  }
  Opened again = MustOpen(files);
  ASSERT_EQ(again.places.size(), lsns.size());
  for (size_t i = 0; i < lsns.size(); ++i) EXPECT_EQ(again.places[i].lsn(), lsns[i]);
}

TEST(Log, RecordLargerThanASegmentGetsOneOfItsOwn) {
  MemoryFileSystem files;
  const std::string large(300'000, 'L');
  {
    Opened opened = MustOpen(files);
    Commit(*opened.log, "before");
    const Place place = Record(*opened.log, large);
    EXPECT_EQ(place.segment->sequence(), 2u);
    opened.log->Submit();
    Commit(*opened.log, "after");
    for (int i = 0; i < 100; ++i) Commit(*opened.log, std::string(1000, 'z'));
    ASSERT_TRUE(opened.log->Close().has_value());
  }
  Opened again = MustOpen(files);
  ASSERT_EQ(again.bodies.size(), 103u);
  EXPECT_EQ(again.bodies[1], large);
  EXPECT_EQ(again.bodies[2], "after");
}

TEST(Log, OneBatchForAllRecordsOfATick) {
  MemoryFileSystem files;
  Opened opened = MustOpen(files);
  const uint64_t before = files.writes();
  for (int i = 0; i < 50; ++i) Record(*opened.log, "record");
  opened.log->Submit();
  EXPECT_EQ(files.writes(), before + 1);
  EXPECT_EQ(opened.log->stats().batches, 1u);
  opened.log->Submit();
  EXPECT_EQ(opened.log->stats().batches, 1u);
}

TEST(Log, NothingIsWrittenBeforeSubmit) {
  MemoryFileSystem files;
  Opened opened = MustOpen(files);
  const uint64_t before = files.writes();
  for (int i = 0; i < 300; ++i) Record(*opened.log, std::string(1000, 'x'));  // several segments
  EXPECT_EQ(files.writes(), before);
  opened.log->Submit();
  EXPECT_EQ(opened.log->committed(), opened.log->tail());
}

TEST(Log, AlwaysSyncsEachBatchAndTheOthersDoNot) {
  for (const auto durability : {Durability::kAlways, Durability::kEverySecond, Durability::kNo}) {
    MemoryFileSystem files;
    LogOptions options = SmallOptions();
    options.durability = durability;
    Opened opened = MustOpen(files, options);
    const uint64_t before = files.syncs();
    for (int i = 0; i < 10; ++i) Commit(*opened.log, "x");
    EXPECT_EQ(opened.log->committed(), opened.log->tail());
    EXPECT_EQ(files.syncs() - before, durability == Durability::kAlways ? 10u : 0u);
  }
}

TEST(Log, EverySecondSyncsOnceASecond) {
  MemoryFileSystem files;
  LogOptions options = SmallOptions();
  options.durability = Durability::kEverySecond;
  Opened opened = MustOpen(files, options);
  opened.log->Tick(10'000);
  const uint64_t before = files.syncs();
  for (uint64_t now = 10'000; now < 15'000; now += 100) {
    Commit(*opened.log, "x");
    opened.log->Tick(now);
  }
  EXPECT_EQ(files.syncs() - before, 5u);
}

TEST(Log, ChangingToAlwaysSyncsWhatWasWrittenBefore) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    MemoryFileSystem files;
    LogOptions options = SmallOptions();
    options.durability = Durability::kNo;
    {
      Opened opened = MustOpen(files, options);
      for (int i = 0; i < 100; ++i) Commit(*opened.log, std::string(1500, 'n'));
      opened.log->set_durability(Durability::kAlways);
      Commit(*opened.log, "durable");
      files.Crash(seed);
    }
    EXPECT_EQ(MustOpen(files, options).bodies.size(), 101u);
  }
}

TEST(Log, EmptyBatchAfterIdlenessOnce) {
  MemoryFileSystem files;
  Opened opened = MustOpen(files);
  opened.log->Tick(1000);
  const uint64_t opening = opened.log->stats().batches;
  opened.log->Tick(5000);
  EXPECT_EQ(opened.log->stats().batches, opening) << "nothing was recorded: nothing to say";
  Commit(*opened.log, "x");
  opened.log->Tick(6000);
  opened.log->Tick(6099);
  EXPECT_EQ(opened.log->stats().batches, opening + 1);
  const Lsn committed = opened.log->committed();
  opened.log->Tick(6100);
  EXPECT_EQ(opened.log->stats().batches, opening + 2);
  EXPECT_EQ(opened.log->committed(), committed) << "nobody waits for an empty batch";
  EXPECT_EQ(opened.log->tail(), committed);
  for (uint64_t now = 6200; now < 9000; now += 100) opened.log->Tick(now);
  EXPECT_EQ(opened.log->stats().batches, opening + 2);
  Commit(*opened.log, "y");
  opened.log.reset();
  EXPECT_EQ(MustOpen(files).bodies, (Bodies{"x", "y"}));
}

TEST(Log, IdlenessForEverLeavesRoomToClose) {
  MemoryFileSystem files;
  uint64_t now = 0;
  size_t records = 0;
  for (int life = 0; life < 3; ++life) {
    Opened opened = MustOpen(files);
    ASSERT_EQ(opened.bodies.size(), records);
    for (int i = 0; i < 700; ++i) {
      Commit(*opened.log, "x");
      ++records;
      opened.log->Tick(now += 100);
      opened.log->Tick(now += 100);
    }
    ASSERT_TRUE(opened.log->Close().has_value());
  }
  EXPECT_EQ(MustOpen(files).bodies.size(), records);
}

TEST(Log, ManyLivesWithoutRecordsEndAndBegin) {
  MemoryFileSystem files;
  for (int life = 0; life < 1200; ++life) {  // closing batches alone fill more than a segment
    Opened opened = MustOpen(files);
    ASSERT_EQ(opened.report.cut_bytes, 0u);
    ASSERT_TRUE(opened.log->Close().has_value());
  }
  EXPECT_EQ(MustOpen(files).report.incarnation, 1201u);
}

TEST(Log, FailedWriteIsFinal) {
  MemoryFileSystem files;
  Opened opened = MustOpen(files);
  Commit(*opened.log, "good");
  const Lsn committed = opened.log->committed();
  files.FailWrites(0);
  Record(*opened.log, "bad");
  opened.log->Submit();
  ASSERT_TRUE(opened.log->failure().has_value());
  EXPECT_EQ(opened.log->failure()->code, Error::Code::kIo);
  EXPECT_EQ(opened.log->committed(), committed);
  files.FailWrites(MemoryFileSystem::kNever);
  Record(*opened.log, "later");
  opened.log->Submit();
  opened.log->Flush();
  opened.log->Tick(10'000);
  EXPECT_EQ(opened.log->committed(), committed);
  EXPECT_FALSE(opened.log->Close().has_value());
}

TEST(Log, FailedSyncIsFinal) {
  for (const auto durability : {Durability::kAlways, Durability::kEverySecond}) {
    MemoryFileSystem files;
    LogOptions options = SmallOptions();
    options.durability = durability;
    Opened opened = MustOpen(files, options);
    files.FailSyncs(0);
    Record(*opened.log, "x");
    opened.log->Submit();
    opened.log->Tick(100'000);
    ASSERT_TRUE(opened.log->failure().has_value());
    files.FailSyncs(MemoryFileSystem::kNever);
    const Lsn committed = opened.log->committed();
    Record(*opened.log, "y");
    opened.log->Submit();
    opened.log->Tick(200'000);
    EXPECT_EQ(opened.log->committed(), committed);
    EXPECT_FALSE(opened.log->Close().has_value());
  }
}

TEST(Log, FullDiskRefusesAndRecovers) {
  MemoryFileSystem files;
  Bodies expected;
  Opened opened = MustOpen(files);
  files.SetFreeBytes(100'000);  // one more segment
  Result<Place> place;
  while ((place = TryRecord(*opened.log, std::string(1000, 'f')))) {
    expected.emplace_back(1000, 'f');
    opened.log->Submit();
  }
  EXPECT_EQ(place.error().code, Error::Code::kFull);
  EXPECT_FALSE(opened.log->failure().has_value());
  EXPECT_EQ(opened.log->committed(), opened.log->tail());

  expected.emplace_back(10, 's');
  Commit(*opened.log, expected.back());  // what still fits is welcome
  files.SetFreeBytes(MemoryFileSystem::kNever);
  EXPECT_EQ(TryRecord(*opened.log, std::string(1000, 'f')).error().code, Error::Code::kFull)
      << "the disk is asked again after a tick only";
  opened.log->Tick(1000);
  expected.emplace_back(1000, 'g');
  Commit(*opened.log, expected.back());
  ASSERT_TRUE(opened.log->Close().has_value());
  opened.log.reset();
  EXPECT_EQ(MustOpen(files).bodies, expected);
}

TEST(Log, RecordThatNoSegmentCouldHoldIsRefused) {
  MemoryFileSystem files;
  Opened opened = MustOpen(files);
  const auto room = opened.log->BeginRecord(size_t{1} << 33);
  ASSERT_FALSE(room.has_value());
  EXPECT_EQ(room.error().code, Error::Code::kInvalid);
  Commit(*opened.log, "still alive");
}

TEST(Log, TakesNothingAfterClose) {
  MemoryFileSystem files;
  Opened opened = MustOpen(files);
  ASSERT_TRUE(opened.log->Close().has_value());
  EXPECT_TRUE(opened.log->Close().has_value());
  EXPECT_FALSE(TryRecord(*opened.log, "late").has_value());
}

TEST(Log, SecondServerIsRefused) {
  MemoryFileSystem files;
  Opened opened = MustOpen(files);
  const auto second = OpenLog(files);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Error::Code::kInUse);
  opened.log.reset();
  EXPECT_TRUE(OpenLog(files).has_value());
}

TEST(Log, RefusesOptionsThatCannotWork) {
  MemoryFileSystem files;
  for (const uint64_t bytes : {uint64_t{0}, uint64_t{4096}, uint64_t{100'000}, uint64_t{2} << 30}) {
    LogOptions options = SmallOptions();
    options.segment_bytes = bytes;
    const auto opened = OpenLog(files, options);
    ASSERT_FALSE(opened.has_value()) << bytes;
    EXPECT_EQ(opened.error().code, Error::Code::kInvalid);
  }
  LogOptions options = SmallOptions();
  options.commit_path = CommitPath::kUring;
  EXPECT_EQ(OpenLog(files, options).error().code, Error::Code::kInvalid) << "no ring without a descriptor";
}

TEST(Log, SegmentSizeMayChangeBetweenLives) {
  MemoryFileSystem files;
  Bodies expected;
  for (const uint64_t bytes : {uint64_t{64} << 10, uint64_t{256} << 10, uint64_t{128} << 10}) {
    LogOptions options = SmallOptions();
    options.segment_bytes = bytes;
    Opened opened = MustOpen(files, options);
    ASSERT_EQ(opened.bodies, expected);
    for (int i = 0; i < 300; ++i) {
      expected.push_back(std::to_string(bytes + static_cast<uint64_t>(i)) + std::string(1000, 'x'));
      Commit(*opened.log, expected.back());
    }
  }
  EXPECT_EQ(MustOpen(files).bodies, expected);
}

}  // namespace
}  // namespace sluice::storage
