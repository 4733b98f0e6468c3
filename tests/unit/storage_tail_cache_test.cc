// Where a sealed segment's bytes are: in their buffer, in the file, and never anywhere else in the middle of
// a command.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "storage/buffer_pool.h"
#include "storage/format.h"
#include "storage/memory_file_system.h"
#include "storage/posix_file_system.h"
#include "storage_fixture.h"

namespace sluice::storage {
namespace {

constexpr uint64_t kSegment = 64 << 10;

std::string Body(uint64_t number) {
  return std::to_string(number) + std::string(500 + number * 37 % 1500, static_cast<char>('a' + number % 26));
}

// Records with their places, and whether they still read as they were recorded.
class Records {
 public:
  explicit Records(Log& log) : log_(log) {}

  void RecordOne() {
    places_.push_back(Record(log_, Body(places_.size())));
    segments_.insert(places_.back().segment);
  }
  void ExpectAllReadable() const {
    for (size_t i = 0; i < places_.size(); ++i) {
      const std::string body = Body(i);
      ASSERT_EQ(std::string_view(places_[i].data(), body.size()), body) << i;
      if (places_[i].segment->mapped()) {
        ASSERT_TRUE(places_[i].segment->RecordIsSound(places_[i].offset - kRecordHeaderBytes)) << i;
      }
    }
  }
  // Segments whose bytes are in memory of the process's own, the active one included.
  size_t InMemory() const {
    size_t count = 0;
    for (const Segment* segment : segments_) count += segment->mapped() ? 0 : 1;
    return count;
  }
  size_t segments() const { return segments_.size(); }
  std::set<const void*> Buffers() const {
    std::set<const void*> buffers;
    for (const Segment* segment : segments_) {
      if (!segment->mapped()) buffers.insert(segment->data());
    }
    return buffers;
  }

 private:
  Log& log_;
  std::vector<Place> places_;
  std::set<const Segment*> segments_;
};

TEST(TailCache, HoldsTheNewestSegmentsAndNoMore) {
  for (const uint64_t cached : {0u, 1u, 3u}) {
    MemoryFileSystem files;
    LogOptions options = SmallOptions();
    options.tail_cache_bytes = cached * kSegment;
    Opened opened = MustOpen(files, options);
    Records records(*opened.log);
    while (records.segments() < 12) {
      records.RecordOne();
      opened.log->Submit();
      ASSERT_LE(records.InMemory(), cached + 1) << "besides the active one";
    }
    EXPECT_EQ(records.InMemory(), cached + 1);
    records.ExpectAllReadable();
  }
}

TEST(TailCache, NothingMovesBeforeTheCommandIsOver) {
  MemoryFileSystem files;
  LogOptions options = SmallOptions();
  options.tail_cache_bytes = 0;
  Opened opened = MustOpen(files, options);
  Records records(*opened.log);
  while (records.segments() < 6) records.RecordOne();
  EXPECT_EQ(records.InMemory(), 6u) << "a command may hold views of every one of them";
  records.ExpectAllReadable();
  opened.log->Submit();
  EXPECT_EQ(records.InMemory(), 1u);
  records.ExpectAllReadable();
}

TEST(TailCache, WhatIsNotWrittenStaysInMemory) {
  MemoryFileSystem files;
  LogOptions options = SmallOptions();
  options.tail_cache_bytes = 0;
  Opened opened = MustOpen(files, options);
  Records records(*opened.log);
  files.FailWrites(1);
  while (records.segments() < 3) records.RecordOne();
  opened.log->Submit();
  ASSERT_TRUE(opened.log->failure().has_value());
  EXPECT_GE(records.InMemory(), 2u);
  records.ExpectAllReadable();
}

TEST(TailCache, AFullSegmentsLastBlockEndsWithZerosOnDisk) {
  MemoryFileSystem files;
  LogOptions options = SmallOptions();
  options.tail_cache_bytes = 0;
  Opened opened = MustOpen(files, options);
  Records records(*opened.log);
  while (records.segments() < 8) {
    records.RecordOne();
    opened.log->Submit();
  }
  for (uint64_t sequence = 2; sequence < 8; ++sequence) {  // in buffers that held other segments before
    const std::string bytes = files.Contents(SegmentPath(sequence));
    const std::string next = files.Contents(SegmentPath(sequence + 1));
    const Lsn base = DecodeSegmentHeader(bytes, 7)->base;
    const uint64_t end = DecodeSegmentHeader(next, 7)->base - base;
    const uint64_t block_end = AlignUp(end, kBlockBytes);
    EXPECT_EQ(bytes.substr(end, block_end - end), std::string(block_end - end, '\0')) << sequence;
  }
}

TEST(TailCache, RealFilesOnEveryCommitPath) {
  for (const CommitPath path : {CommitPath::kUring, CommitPath::kThread, CommitPath::kInline}) {
    for (const bool direct : {true, false}) {
      std::string directory = (std::filesystem::temp_directory_path() / "sluice-tail-XXXXXX").string();
      ASSERT_NE(mkdtemp(directory.data()), nullptr);
      {
        PosixFileSystem files;
        LogOptions options;
        options.directory = directory;
        options.segment_bytes = kSegment;
        options.tail_cache_bytes = kSegment;
        options.commit_path = path;
        options.direct_io = direct;
        Opened opened = MustOpen(files, options);
        Records records(*opened.log);
        std::set<const void*> buffers;
        while (records.segments() < 40) {
          records.RecordOne();
          opened.log->Submit();
          if (records.segments() % 3 == 0) opened.log->Flush();
          buffers.merge(records.Buffers());
        }
        opened.log->Flush();
        EXPECT_EQ(records.InMemory(), 2u);
        EXPECT_LE(buffers.size(), 8u) << "40 segments were recorded in a few buffers, again and again";
        records.ExpectAllReadable();
      }
      std::filesystem::remove_all(directory);
    }
  }
}

TEST(BufferPool, GivesTheSameMemoryAgain) {
  BufferPool pool(kSegment, 4);
  auto first = pool.Take(kSegment).value();
  const char* memory = first.get();
  first.get()[5] = 'x';
  const auto second_user = first;
  first.reset();
  EXPECT_NE(pool.Take(kSegment).value().get(), memory) << "somebody still has it";
  auto third = second_user;
  EXPECT_EQ(pool.made(), 2u);
}

TEST(BufferPool, KeepsWhatItMayHaveAndFreesTheRest) {
  BufferPool pool(kSegment, 2);
  std::set<const char*> kept;
  {
    auto a = pool.Take(kSegment).value();
    auto b = pool.Take(1).value();
    auto c = pool.Take(kSegment).value();
    EXPECT_EQ(pool.made(), 3u) << "who needs one gets it";
    kept = {a.get(), b.get()};
  }  // `c` goes first
  EXPECT_EQ(pool.made(), 2u);
  const auto first = pool.Take(kSegment).value();
  const auto second = pool.Take(kSegment).value();
  EXPECT_EQ((std::set<const char*>{first.get(), second.get()}), kept);
}

TEST(BufferPool, WarmsUpToItsLimitAndOnlyOneAhead) {
  BufferPool pool(kSegment, 2);
  pool.Warm();
  pool.Warm();
  EXPECT_EQ(pool.made(), 1u);
  const auto a = pool.Take(kSegment).value();
  pool.Warm();
  EXPECT_EQ(pool.made(), 2u);
  const auto b = pool.Take(kSegment).value();
  pool.Warm();
  EXPECT_EQ(pool.made(), 2u) << "there are as many as there may be";
  const auto large = pool.Take(kSegment * 3).value();
  EXPECT_EQ(pool.made(), 2u) << "a size of its own does not count";
}

// A start does not wait for the pages of its first segment; they come in while it is recorded into.
TEST(BufferPool, WarmsWhatWasTakenColdAndLeavesWhatIsThere) {
  constexpr size_t kPage = 4096;
  BufferPool pool(kSegment, 1);
  const auto buffer = *pool.Take(kSegment);
  buffer.get()[3 * kPage + 7] = 'x';
  std::vector<unsigned char> in_memory(kSegment / kPage);
  ASSERT_EQ(mincore(buffer.get(), kSegment, in_memory.data()), 0);
  ASSERT_EQ(std::count_if(in_memory.begin(), in_memory.end(), [](unsigned char page) { return page & 1; }),
            1);
  pool.Warm();
  ASSERT_EQ(mincore(buffer.get(), kSegment, in_memory.data()), 0);
  EXPECT_TRUE(std::all_of(in_memory.begin(), in_memory.end(), [](unsigned char page) { return page & 1; }));
  for (size_t i = 0; i < kSegment; ++i) ASSERT_EQ(buffer.get()[i], i == 3 * kPage + 7 ? 'x' : '\0') << i;
  EXPECT_EQ(pool.made(), 1u);
}

TEST(BufferPool, BuffersOutliveIt) {
  std::shared_ptr<char> buffer;
  {
    BufferPool pool(kSegment, 2);
    buffer = pool.Take(kSegment).value();
  }
  buffer.get()[0] = 1;
  buffer.reset();
}

}  // namespace
}  // namespace sluice::storage
