// Backlogs that are read from one end to the other, past the page cache.
#include "storage/chunk_cache.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "storage/cold_reads.h"
#include "storage/format.h"
#include "storage/memory_file_system.h"
#include "storage_fixture.h"
#include "tests/harness/test_page_cache.h"

namespace sluice::storage {
namespace {

constexpr uint64_t kSegment = 4 << 20;
constexpr uint64_t kBuffers = 8;

// Counts what is opened past the page cache, and may refuse it, or have it read something else.
class WatchedFileSystem : public MemoryFileSystem {
 public:
  enum class Direct : uint8_t { kRight, kRefused, kWrong, kShort };

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    if (!mode.direct || !mode.read_only) return MemoryFileSystem::Open(path, mode);
    ++opened;
    if (direct == Direct::kRefused) return tl::make_unexpected(Error{Error::Code::kIo, "refused"});
    auto file = MemoryFileSystem::Open(path, mode);
    if (!file || direct == Direct::kRight) return file;
    return std::make_unique<WrongFile>(std::move(*file), direct);
  }

  int opened = 0;
  Direct direct = Direct::kRight;

 private:
  class WrongFile : public File {
   public:
    WrongFile(std::unique_ptr<File> file, Direct how) : file_(std::move(file)), how_(how) {}
    Result<size_t> ReadAt(uint64_t offset, std::span<char> into) override {
      if (how_ == Direct::kShort) return file_->ReadAt(offset, into.first(into.size() / 2));
      // As where the file has been compacted: other records stand there.
      return file_->ReadAt(offset + 8 * kRecordAlignment, into);
    }
    Result<void> WriteAt(uint64_t, std::span<const char>) override { return {}; }
    Result<void> WriteBlocks(uint64_t, std::span<const char>, std::span<const char>, bool) override {
      return {};
    }
    Result<void> Sync() override { return {}; }
    Result<void> Allocate(uint64_t) override { return {}; }
    Result<uint64_t> Size() override { return file_->Size(); }
    Result<std::shared_ptr<const char>> Map(uint64_t bytes) override { return file_->Map(bytes); }
    int fd() const override { return -1; }

   private:
    std::unique_ptr<File> file_;
    Direct how_;
  };
};

class ChunkCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    LogOptions options = SmallOptions();
    options.segment_bytes = kSegment;
    options.tail_cache_bytes = 0;
    log_ = MustOpen(files_, options).log;
  }

  // So many segments full of records of a kilobyte, some of `large` bytes among them.
  void Fill(int segments, size_t large = 100'000) {
    std::mt19937_64 random(3);
    while (log_->stats().segments <= static_cast<size_t>(segments)) {
      const size_t bytes = random() % 300 == 0 ? random() % large + 1 : 500 + random() % 1000;
      bodies_.push_back(std::to_string(bodies_.size()) +
                        std::string(bytes, static_cast<char>('a' + random() % 26)));
      places_.push_back(Record(*log_, bodies_.back()));
      log_->Submit();
    }
    log_->Flush();
    while (!places_.back().segment->mapped()) places_.pop_back();
    Begin();
  }
  void Begin(uint64_t chunk_bytes = kBuffers * Chunk::kBufferBytes) {
    pages_.DropAll();
    cold_ = std::make_unique<ColdReads>(*log_, ColdReadOptions{.pages = &pages_,
                                                               .files = &files_,
                                                               .chunk_bytes = chunk_bytes,
                                                               .bytes = 16 << 20,
                                                               .ahead_bytes = 1 << 20,
                                                               .background = false});
    NextTick();
  }
  void NextTick(uint64_t ms = 1) { cold_->SetTime(now_ms_ += ms); }

  // Reads the record as a command does, which is put off where something is away: how often it was.
  int ReadOne(size_t i) {
    const Segment& segment = *places_[i].segment;
    for (int waits = 0;; ++waits) {
      const RecordLook look = LookAt(i);
      if (look.state == RecordState::kSound) {
        EXPECT_EQ(std::string_view(look.record + kRecordHeaderBytes, bodies_[i].size()), bodies_[i]) << i;
        return waits;
      }
      EXPECT_EQ(look.state, RecordState::kAway) << i << " of segment " << segment.sequence();
      if (look.state != RecordState::kAway || waits > 2) return waits;
      const uint64_t ticket = cold_->Fetch();
      bool fetched = false;
      while (!fetched) {
        if (!cold_->Work()) {
          ADD_FAILURE() << "nothing comes";
          return waits;
        }
        for (const uint64_t done : cold_->TakeFetched()) fetched |= done == ticket;
      }
      NextTick();
    }
  }
  // The worker has nothing left to do.
  void FinishAhead() {
    while (cold_->Work()) {
    }
    NextTick();
  }

  // What was not written to memory of the process's own is verified wherever it was read.
  RecordLook LookAt(size_t i) {
    const Segment& segment = *places_[i].segment;
    const uint64_t offset = places_[i].offset - kRecordHeaderBytes;
    RecordLook look = segment.LookAtRecord(offset, cold_.get());
    while (look.state == RecordState::kDamaged && cold_->Distrust(segment, offset))
      look = segment.LookAtRecord(offset, cold_.get());
    return look;
  }

  WatchedFileSystem files_;
  std::unique_ptr<Log> log_;
  tests::TestPageCache pages_;
  std::unique_ptr<ColdReads> cold_;
  std::vector<std::string> bodies_;
  std::vector<Place> places_;
  uint64_t now_ms_ = 1000;
};

TEST_F(ChunkCacheTest, ACatchUpReaderReadsPastThePageCache) {
  Fill(4);
  int waits = 0;
  for (size_t i = 0; i < places_.size(); ++i) {
    waits += ReadOne(i);
    if (i % 100 == 99) FinishAhead();
  }
  // Once at the beginning; and for records that are longer than what chunks share.
  EXPECT_LE(waits, 4);
  EXPECT_EQ(files_.opened, 4 * static_cast<int>(kSegment / Chunk::kBytes)) << "each chunk once";
  EXPECT_EQ(cold_->status().in_place, 0u);
  EXPECT_EQ(cold_->status().distrusted, 0u);
  EXPECT_EQ(cold_->status().buffer_bytes, kBuffers * Chunk::kBufferBytes);
}

TEST_F(ChunkCacheTest, WhoIsQuickerThanTheDiskWaitsForWhatIsOnItsWay) {
  Fill(3);
  int waits = 0;
  for (size_t i = 0; i < places_.size(); ++i) waits += ReadOne(i);  // the worker does nothing but for him
  EXPECT_GT(waits, 6);
  EXPECT_LE(files_.opened, 3 * static_cast<int>(kSegment / Chunk::kBytes));
  EXPECT_EQ(cold_->status().in_place, 0u);
  EXPECT_EQ(cold_->status().distrusted, 0u);
}

TEST_F(ChunkCacheTest, TheSecondReaderHasThePageCache) {
  Fill(2);
  for (size_t i = 0; i < places_.size(); ++i) ReadOne(i);
  const int opened = files_.opened;
  FinishAhead();
  NextTick(20'000);
  EXPECT_EQ(cold_->status().buffer_bytes, 0u) << "given back";
  for (size_t i = 0; i < places_.size(); ++i) ReadOne(i);
  EXPECT_EQ(files_.opened, opened);
  const uint64_t read = cold_->status().bytes;
  for (size_t i = 0; i < places_.size(); ++i) EXPECT_EQ(ReadOne(i), 0);
  EXPECT_EQ(cold_->status().bytes, read) << "and the third one reads nothing";
}

TEST_F(ChunkCacheTest, WhatThePageCacheHasIsNotRead) {
  Fill(2);
  for (const Place& place : places_) pages_.BringIn({place.segment->data(), place.segment->end()});
  for (size_t i = 0; i < places_.size(); ++i) EXPECT_EQ(ReadOne(i), 0);
  EXPECT_EQ(files_.opened, 0);
  EXPECT_EQ(cold_->status().buffer_bytes, 0u);
}

TEST_F(ChunkCacheTest, ScatteredReadsGoThroughThePageCache) {
  Fill(4);
  std::mt19937_64 random(5);
  for (int i = 0; i < 200; ++i) {
    const size_t record = random() % places_.size();
    if (places_[record].offset / (64 << 10) % 3 == 1) ReadOne(record);  // no two windows are neighbours
    pages_.DropAll();
    NextTick(2000);
  }
  EXPECT_EQ(files_.opened, 0);
}

// Each of them has his own place; what there are no buffers for goes through the page cache.
TEST_F(ChunkCacheTest, ManyReadersSideBySide) {
  Fill(8);
  constexpr size_t kReaders = 8;
  std::vector<size_t> next;
  for (size_t reader = 0; reader < kReaders; ++reader) {
    size_t i = 0;
    while (places_[i].segment->sequence() != reader + 1) ++i;
    next.push_back(i);
  }
  for (int round = 0; round < 3000; ++round) {
    for (size_t& i : next) ReadOne(std::min(i++, places_.size() - 1));
    if (round % 50 == 0) FinishAhead();
  }
  EXPECT_GT(files_.opened, 8);
  EXPECT_EQ(cold_->status().in_place, 0u);
  EXPECT_EQ(cold_->status().distrusted, 0u);
}

// A command may hold what it was shown until it is over, however far it reads.
TEST_F(ChunkCacheTest, NothingMovesWithinATick) {
  Fill(5);
  std::vector<std::pair<size_t, std::string_view>> shown;
  size_t kept_until = 0;
  for (size_t i = 0; i < places_.size(); ++i) {
    const RecordLook look = LookAt(i);
    if (look.state == RecordState::kSound) {
      shown.emplace_back(i, std::string_view(look.record + kRecordHeaderBytes, bodies_[i].size()));
      while (cold_->Work()) {  // the worker fills what it was given meanwhile
      }
      continue;
    }
    for (const auto& [record, bytes] : shown) ASSERT_EQ(bytes, bodies_[record]);
    kept_until = std::max(kept_until, shown.size());
    shown.clear();
    ReadOne(i);  // in ticks of its own
  }
  for (const auto& [record, bytes] : shown) ASSERT_EQ(bytes, bodies_[record]);
  EXPECT_GT(std::max(kept_until, shown.size()), 5000u) << "across more chunks than there are buffers";
}

TEST_F(ChunkCacheTest, WhatCannotBeReadThatWayIsReadThroughThePageCache) {
  for (const auto how : {WatchedFileSystem::Direct::kRefused, WatchedFileSystem::Direct::kShort,
                         WatchedFileSystem::Direct::kWrong}) {
    if (places_.empty()) Fill(3);
    files_.direct = how;
    const int opened = files_.opened;
    // The notes of what was read are the segments': other ones are read now.
    const uint64_t segment = 1 + static_cast<uint64_t>(how) - 1;
    for (size_t i = 0; i < places_.size(); ++i) {
      if (places_[i].segment->sequence() == segment) ReadOne(i);
    }
    EXPECT_GT(files_.opened, opened);
    EXPECT_EQ(cold_->status().in_place, 0u);
    EXPECT_EQ(cold_->status().distrusted > 0, how == WatchedFileSystem::Direct::kWrong);
    Begin();
  }
}

// The file has changed under a mapping that has not.
TEST_F(ChunkCacheTest, WhatDoesNotVerifyIsReadFromTheMapping) {
  Fill(2);
  const size_t changed = places_.size() / 3;
  ASSERT_EQ(places_[changed].segment->sequence(), 1u);
  std::string contents = files_.Contents(SegmentPath(1));
  contents[places_[changed].offset + 100] ^= 1;
  files_.SetContents(SegmentPath(1), contents);
  for (size_t i = 0; i < places_.size(); ++i) ReadOne(i);
  EXPECT_GT(files_.opened, 4);
  EXPECT_EQ(cold_->status().in_place, 0u);
  EXPECT_EQ(cold_->status().distrusted, 1u);
}

TEST_F(ChunkCacheTest, WithoutBuffersAllGoesThroughThePageCache) {
  Fill(2);
  for (const uint64_t bytes : {uint64_t{0}, Chunk::kBufferBytes - 1}) {
    Begin(bytes);
    for (size_t i = 0; i < places_.size(); ++i) ReadOne(i);
    EXPECT_EQ(files_.opened, 0);
  }
}

}  // namespace
}  // namespace sluice::storage
