// The file system that loses power: it must lose what a disk may lose, and nothing else.
#include "storage/memory_file_system.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

namespace sluice::storage {
namespace {

constexpr uint64_t kSeeds = 200;

std::unique_ptr<File> Create(MemoryFileSystem& files, const std::string& path) {
  auto file = files.Open(path, {.create = true});
  EXPECT_TRUE(file.has_value());
  return std::move(*file);
}

// A file of `bytes` whose name and content are durable.
std::unique_ptr<File> CreateDurable(MemoryFileSystem& files, const std::string& path,
                                    const std::string& bytes) {
  auto file = Create(files, path);
  EXPECT_TRUE(file->WriteAt(0, bytes).has_value());
  EXPECT_TRUE(file->Sync().has_value());
  EXPECT_TRUE(files.SyncDirectory("/d").has_value());
  return file;
}

// The different contents of /d/file after `scene` and a power cut, over many seeds.
std::set<std::string> Outcomes(const std::function<void(MemoryFileSystem&)>& scene) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    MemoryFileSystem files;
    scene(files);
    files.Crash(seed);
    const bool there = files.Open("/d/file", {}).has_value();
    outcomes.insert(there ? files.Contents("/d/file") : "(none)");
  }
  return outcomes;
}

TEST(MemoryFileSystem, KeepsWhatWasSynced) {
  const auto outcomes = Outcomes([](MemoryFileSystem& files) { CreateDurable(files, "/d/file", "synced"); });
  EXPECT_EQ(outcomes, std::set<std::string>{"synced"});
}

TEST(MemoryFileSystem, MayLoseEachUnsyncedSectorByItself) {
  const std::string before = std::string(512, 'a') + std::string(512, 'b');
  const auto outcomes = Outcomes([&](MemoryFileSystem& files) {
    auto file = CreateDurable(files, "/d/file", before);
    ASSERT_TRUE(file->WriteAt(0, std::string(1024, 'N')).has_value());
  });
  const std::set<std::string> allowed{before, std::string(512, 'N') + std::string(512, 'b'),
                                      std::string(512, 'a') + std::string(512, 'N'), std::string(1024, 'N')};
  EXPECT_EQ(outcomes, allowed);
}

TEST(MemoryFileSystem, MayKeepAnyVersionOfASectorSinceItsLastSync) {
  const auto outcomes = Outcomes([&](MemoryFileSystem& files) {
    auto file = CreateDurable(files, "/d/file", "0");
    ASSERT_TRUE(file->WriteAt(0, std::string("1")).has_value());
    ASSERT_TRUE(file->WriteAt(0, std::string("2")).has_value());
  });
  EXPECT_EQ(outcomes, (std::set<std::string>{"0", "1", "2"}));
}

TEST(MemoryFileSystem, DurableWriteCoversItsOwnBytesOnly) {
  const auto outcomes = Outcomes([&](MemoryFileSystem& files) {
    auto file = CreateDurable(files, "/d/file", std::string(1024, 'o'));
    ASSERT_TRUE(file->WriteAt(0, std::string(512, 'n')).has_value());
    ASSERT_TRUE(file->WriteBlocks(512, {}, std::string(512, 'd'), true).has_value());
  });
  EXPECT_EQ(outcomes, (std::set<std::string>{std::string(512, 'o') + std::string(512, 'd'),
                                             std::string(512, 'n') + std::string(512, 'd')}));
}

TEST(MemoryFileSystem, UnsyncedNamesMayBeLost) {
  EXPECT_EQ(Outcomes([](MemoryFileSystem& files) {
              auto file = Create(files, "/d/file");
              ASSERT_TRUE(file->WriteAt(0, std::string("x")).has_value());
              ASSERT_TRUE(file->Sync().has_value());
            }),
            (std::set<std::string>{"(none)", "x"}));
  EXPECT_EQ(Outcomes([](MemoryFileSystem& files) {
              CreateDurable(files, "/d/file", "old");
              CreateDurable(files, "/d/new", "new");
              ASSERT_TRUE(files.Rename("/d/new", "/d/file").has_value());
            }),
            (std::set<std::string>{"old", "new"}));
  EXPECT_EQ(Outcomes([](MemoryFileSystem& files) {
              CreateDurable(files, "/d/file", "x");
              ASSERT_TRUE(files.Remove("/d/file").has_value());
            }),
            (std::set<std::string>{"(none)", "x"}));
}

TEST(MemoryFileSystem, FailedSyncLosesWhatStillReadsBack) {
  const auto outcomes = Outcomes([&](MemoryFileSystem& files) {
    auto file = CreateDurable(files, "/d/file", "old");
    ASSERT_TRUE(file->WriteAt(0, std::string("new")).has_value());
    files.FailSyncs(0);
    ASSERT_FALSE(file->Sync().has_value());
    files.FailSyncs(MemoryFileSystem::kNever);
    ASSERT_TRUE(file->Sync().has_value());
    ASSERT_EQ(files.Contents("/d/file"), "new");
  });
  EXPECT_EQ(outcomes, std::set<std::string>{"old"});
}

TEST(MemoryFileSystem, FailingWriteTears) {
  std::set<std::string> outcomes;
  MemoryFileSystem files;
  for (uint64_t i = 0; i < kSeeds; ++i) {
    auto file = CreateDurable(files, "/d/file", std::string(1024, 'o'));
    files.FailWrites(0);
    EXPECT_FALSE(file->WriteAt(0, std::string(1024, 'n')).has_value());
    files.FailWrites(MemoryFileSystem::kNever);
    outcomes.insert(files.Contents("/d/file"));
  }
  EXPECT_EQ(outcomes.size(), 4u);
}

TEST(MemoryFileSystem, FailuresBeginAfterTheGivenNumber) {
  MemoryFileSystem files;
  auto file = Create(files, "/d/file");
  files.FailWrites(2);
  EXPECT_TRUE(file->WriteAt(0, std::string("1")).has_value());
  EXPECT_TRUE(file->WriteAt(0, std::string("2")).has_value());
  EXPECT_FALSE(file->WriteAt(0, std::string("3")).has_value());
  EXPECT_FALSE(file->WriteAt(0, std::string("4")).has_value());
  EXPECT_EQ(files.writes(), 4u);
}

TEST(MemoryFileSystem, RunsFullAndRecovers) {
  MemoryFileSystem files;
  auto file = Create(files, "/d/file");
  files.SetFreeBytes(100);
  EXPECT_TRUE(file->Allocate(60).has_value());
  const auto refused = file->Allocate(101);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Error::Code::kFull);
  EXPECT_EQ(file->Size().value(), 60u);
  EXPECT_TRUE(file->Allocate(100).has_value());
  EXPECT_EQ(files.FreeBytes("/d").value(), 0u);
  ASSERT_TRUE(files.Remove("/d/file").has_value());
  EXPECT_EQ(files.FreeBytes("/d").value(), 100u);
}

TEST(MemoryFileSystem, WhatWasOpenBeforeThePowerCutIsDead) {
  MemoryFileSystem files;
  auto file = CreateDurable(files, "/d/file", "x");
  auto lock = files.Lock("/d/LOCK");
  ASSERT_TRUE(lock.has_value());
  EXPECT_EQ(files.Lock("/d/LOCK").error().code, Error::Code::kInUse);
  files.Crash(1);
  EXPECT_FALSE(file->WriteAt(0, std::string("y")).has_value());
  EXPECT_FALSE(file->Sync().has_value());
  auto again = files.Lock("/d/LOCK");
  EXPECT_TRUE(again.has_value());
  lock->reset();  // the dead one's: frees nothing
  EXPECT_FALSE(files.Lock("/d/LOCK").has_value());
  EXPECT_EQ(files.Contents("/d/file"), "x");
}

TEST(MemoryFileSystem, ListsADirectory) {
  MemoryFileSystem files;
  Create(files, "/d/b");
  Create(files, "/d/a");
  Create(files, "/other/c");
  EXPECT_EQ(files.List("/d").value(), (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(files.Open("/d/missing", {}).has_value());
  EXPECT_FALSE(files.Open("/d/a", {.create = true, .exclusive = true}).has_value());
}

TEST(MemoryFileSystem, MapShowsTheFileAsItWas) {
  MemoryFileSystem files;
  auto file = CreateDurable(files, "/d/file", "mapped");
  auto map = file->Map(6);
  ASSERT_TRUE(map.has_value());
  file.reset();
  EXPECT_EQ(std::string(map->get(), 6), "mapped");
}

}  // namespace
}  // namespace sluice::storage
