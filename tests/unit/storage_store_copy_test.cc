// Copying a store while it is being written to: what was committed before is in it, and what is in it is a
// prefix.
#include "storage/store_copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "storage/checkpoint_writer.h"
#include "storage/log.h"
#include "storage/memory_file_system.h"
#include "storage/store_file.h"
#include "storage/store_walk.h"
#include "storage_fixture.h"

namespace sluice::storage {
namespace {

class Meanwhile : public CopyWatcher {
 public:
  explicit Meanwhile(std::function<void()> act) : act_(std::move(act)) {}
  void OnCopied(uint64_t bytes, uint64_t of_bytes) override {
    EXPECT_LE(bytes, of_bytes);
    ++calls;
    act_();
  }
  int calls = 0;

 private:
  std::function<void()> act_;
};

// What is served from the copy in /copy.
Bodies OpenCopy(FileSystem& files) {
  LogOptions options = SmallOptions();
  options.directory = "/copy";
  return MustOpen(files, options).bodies;
}

void ExpectSound(FileSystem& files) {
  StoreVisitor nobody;
  const auto found = WalkStore(files, "/copy", nobody);
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_TRUE(found->findings.empty()) << found->findings[0].what;
}

TEST(StoreCopy, OfAStoreThatIsAtRest) {
  for (const bool close : {false, true}) {
    MemoryFileSystem files;
    Opened opened = MustOpen(files);
    Bodies bodies;
    for (int i = 0; i < 300; ++i) {
      bodies.push_back(std::to_string(i) + std::string(1000, 'c'));
      Commit(*opened.log, bodies.back());
    }
    if (close) {
      ASSERT_TRUE(opened.log->Close().has_value());
    }
    Meanwhile nothing([] {});
    const auto report = CopyStore(files, "/store", "/copy", nothing);
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(report->records, 300u);
    EXPECT_GT(report->segments, 4u);
    EXPECT_GE(report->end, opened.log->committed());
    EXPECT_EQ(nothing.calls > 0, true);
    ExpectSound(files);
    files.Crash(1);  // all of it is on stable storage
    EXPECT_EQ(OpenCopy(files), bodies);
  }
}

// The server writes on, and rolls, between any two pieces of the copy.
TEST(StoreCopy, HoldsAllThatWasCommittedBeforeItBegan) {
  for (const size_t at_once : {1u, 30u, 200u}) {
    MemoryFileSystem files;
    LogOptions options = SmallOptions();
    Opened opened = MustOpen(files, options);
    Bodies bodies;
    const auto write = [&](size_t records) {
      for (size_t i = 0; i < records; ++i) {
        bodies.push_back(std::to_string(bodies.size()) + std::string(700, 'd'));
        Commit(*opened.log, bodies.back());
      }
    };
    write(250);
    const size_t before = bodies.size();
    Meanwhile writing([&] { write(at_once); });
    const auto report = CopyStore(files, "/store", "/copy", writing);
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_GT(bodies.size(), before);
    ExpectSound(files);
    const Bodies copied = OpenCopy(files);
    EXPECT_GE(copied.size(), before);
    ASSERT_LE(copied.size(), bodies.size());
    EXPECT_TRUE(std::equal(copied.begin(), copied.end(), bodies.begin()));
  }
}

TEST(StoreCopy, CutsABatchThatIsHalfWritten) {
  MemoryFileSystem files;
  Opened opened = MustOpen(files);
  for (int i = 0; i < 4; ++i) Commit(*opened.log, "body " + std::to_string(i));
  std::string bytes = files.Contents(SegmentPath(1));
  bytes[Value(opened.log->tail()) - 3] ^= 1;  // of the last one
  files.SetContents(SegmentPath(1), bytes);
  Meanwhile nothing([] {});
  const auto report = CopyStore(files, "/store", "/copy", nothing);
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(report->records, 3u);
  ExpectSound(files);
  EXPECT_EQ(OpenCopy(files), (Bodies{"body 0", "body 1", "body 2"}));
}

TEST(StoreCopy, RefusesADamagedStoreAndSaysWhere) {
  MemoryFileSystem files;
  Opened opened = MustOpen(files);
  for (int i = 0; i < 200; ++i) Commit(*opened.log, std::string(1000, 'e'));
  std::string bytes = files.Contents(SegmentPath(2));
  bytes[20'000] ^= 1;
  files.SetContents(SegmentPath(2), bytes);
  Meanwhile nothing([] {});
  const auto report = CopyStore(files, "/store", "/copy", nothing);
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, Error::Code::kCorrupt);
  EXPECT_THAT(report.error().message, testing::HasSubstr(SegmentPath(2) + ", offset 19"));
  LogOptions options = SmallOptions();
  options.directory = "/copy";
  EXPECT_FALSE(OpenLog(files, options).has_value()) << "half a copy is no store";
}

TEST(StoreCopy, RefusesACheckpointThatDoesNotVerify) {
  MemoryFileSystem files;
  Opened opened = MustOpen(files);
  for (int i = 0; i < 20; ++i) Commit(*opened.log, std::string(1000, 'e'));
  const auto store = ReadStoreFile(files, "/store");
  ASSERT_TRUE(store.has_value());
  CheckpointWriter writer(files, {.directory = "/store", .background = false, .notify = {}},
                          {.log_id = store->log_id, .sequence = 1, .incarnation = store->incarnation});
  writer.Add("a block of records", CheckpointBlock::kRecords);
  writer.Finish(1);
  writer.GiveName();
  ASSERT_EQ(writer.step(), CheckpointWriter::Step::kDone);
  const std::string path = "/store/" + CheckpointName(1);
  const std::string sound = files.Contents(path);
  Meanwhile nothing([] {});
  ASSERT_TRUE(CopyStore(files, "/store", "/copy", nothing).has_value());
  EXPECT_EQ(files.Contents("/copy/" + CheckpointName(1)), sound);
  for (size_t at = 0; at < sound.size(); ++at) {
    std::string damaged = sound;
    damaged[at] ^= 1;
    files.SetContents(path, damaged);
    const std::string target = "/copy" + std::to_string(at);
    const auto report = CopyStore(files, "/store", target, nothing);
    ASSERT_FALSE(report.has_value()) << at;
    EXPECT_THAT(report.error().message, testing::HasSubstr(CheckpointName(1))) << at;
    EXPECT_FALSE(ReadStoreFile(files, target).has_value()) << "half a copy is no store";
  }
}

TEST(StoreCopy, RefusesATargetThatIsNotEmptyAndASourceThatIsNoStore) {
  MemoryFileSystem files;
  Opened opened = MustOpen(files);
  Commit(*opened.log, "body");
  Meanwhile nothing([] {});
  ASSERT_TRUE(files.CreateDirectory("/other").has_value());
  ASSERT_TRUE(files.Open("/other/file", {.create = true}).has_value());
  EXPECT_EQ(CopyStore(files, "/store", "/other", nothing).error().code, Error::Code::kInvalid);
  EXPECT_EQ(CopyStore(files, "/store", "/store", nothing).error().code, Error::Code::kInvalid);
  EXPECT_FALSE(CopyStore(files, "/other", "/copy", nothing).has_value());
  EXPECT_EQ(nothing.calls, 0);
}

TEST(StoreCopy, SaysWhenTheTargetIsFull) {
  MemoryFileSystem files;
  Opened opened = MustOpen(files);
  for (int i = 0; i < 200; ++i) Commit(*opened.log, std::string(1000, 'e'));
  files.SetFreeBytes(100'000);
  Meanwhile nothing([] {});
  EXPECT_EQ(CopyStore(files, "/store", "/copy", nothing).error().code, Error::Code::kFull);
}

}  // namespace
}  // namespace sluice::storage
