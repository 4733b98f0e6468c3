// The same log on real files, by every way of committing: io_uring, a thread, inline, each with and without
// direct I/O.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <semaphore>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "storage/format.h"
#include "storage/memory_file_system.h"
#include "storage/posix_file_system.h"
#include "storage/spare_files.h"
#include "storage/uring_write_path.h"
#include "storage_fixture.h"

namespace sluice::storage {
namespace {

// A directory of the test's own, gone with it.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sluice-storage-XXXXXX").string();
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  std::string Store() const { return path_ + "/deep/store"; }

 private:
  std::string path_;
};

// A disk that knows no direct I/O.
class BufferedFileSystem : public PosixFileSystem {
 public:
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    if (mode.direct) return tl::make_unexpected(Error{Error::Code::kInvalid, "no direct I/O here"});
    return PosixFileSystem::Open(path, mode);
  }
};

LogOptions RealOptions(const TemporaryDirectory& directory) {
  LogOptions options;
  options.directory = directory.Store();
  options.segment_bytes = 64 << 10;
  options.spare_segments = 0;
  return options;
}

// Until all is committed, as a loop does: poll, then reap.
void PollUntilCommitted(Log& log) {
  while (log.committed() != log.tail()) {
    ASSERT_FALSE(log.failure().has_value()) << log.failure()->message;
    pollfd event{.fd = log.completion_fd(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(poll(&event, 1, 10'000), 1) << "a batch completed without saying so";
    log.Reap();
  }
}

using Case = std::tuple<CommitPath, bool, Durability, uint32_t>;

class CommitPathTest : public testing::TestWithParam<Case> {
 protected:
  LogOptions Options() const {
    LogOptions options = RealOptions(directory_);
    std::tie(options.commit_path, options.direct_io, options.durability, options.commit_wait_us) = GetParam();
    return options;
  }

  TemporaryDirectory directory_;
  PosixFileSystem files_;
};

TEST_P(CommitPathTest, GivesBackWhatWasCommitted) {
  Bodies expected;
  for (int life = 0; life < 3; ++life) {
    Opened opened = MustOpen(files_, Options());
    ASSERT_EQ(opened.bodies, expected);
    const CommitStats stats = opened.log->stats();
    EXPECT_EQ(stats.path, Options().commit_path == CommitPath::kUring    ? "io_uring"
                          : Options().commit_path == CommitPath::kThread ? "thread"
                                                                         : "inline");
    std::vector<Place> places;
    const size_t before = expected.size();
    for (int i = 0; i < 100; ++i) {
      const auto bytes = static_cast<size_t>(1 + (i * 7919) % 5000);
      expected.push_back(std::to_string(life * 1000 + i) + std::string(bytes, 'x'));
      places.push_back(Record(*opened.log, expected.back()));
      if (i % 5 == 0) opened.log->Submit();
      if (i % 13 == 0) {
        opened.log->Submit();
        PollUntilCommitted(*opened.log);
      }
    }
    opened.log->Flush();
    EXPECT_EQ(opened.log->committed(), opened.log->tail());
    EXPECT_GT(opened.log->stats().segments, 3u);
    for (size_t i = 0; i < places.size(); ++i) {
      const std::string& body = expected[before + i];
      ASSERT_EQ(std::string_view(places[i].data(), body.size()), body);
    }
    if (life == 1) {
      ASSERT_TRUE(opened.log->Close().has_value());
    }
  }
  EXPECT_EQ(MustOpen(files_, Options()).bodies, expected);
}

TEST_P(CommitPathTest, BatchesStayWholeWhileRecordingGoesOn) {
  Bodies expected;
  {
    Opened opened = MustOpen(files_, Options());
    for (int i = 0; i < 300; ++i) {
      expected.push_back(std::to_string(i));
      Record(*opened.log, expected.back());
      opened.log->Submit();  // most of them while another batch is in flight
    }
    opened.log->Flush();
    EXPECT_EQ(opened.log->committed(), opened.log->tail());
  }
  EXPECT_EQ(MustOpen(files_, Options()).bodies, expected);
}

// Files may grow up to a limit: a write that crosses it is short, and the rest of it is refused.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(uint64_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &before_), 0);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_P(CommitPathTest, ShortWriteThatCannotGoOnIsAFailure) {
  {
    Opened opened = MustOpen(files_, Options());
    Commit(*opened.log, "good");
    const Lsn committed = opened.log->committed();
    Record(*opened.log, std::string(20'000, 'x'));
    {
      const FileSizeLimit limit(3 * 4096);
      opened.log->Submit();
      opened.log->Flush();
    }
    ASSERT_TRUE(opened.log->failure().has_value());
    EXPECT_EQ(opened.log->failure()->code, Error::Code::kIo);
    EXPECT_EQ(opened.log->committed(), committed);
  }
  EXPECT_EQ(MustOpen(files_, Options()).bodies, Bodies{"good"});
}

std::string CaseName(const testing::TestParamInfo<Case>& info) {
  const auto [path, direct, durability, wait_us] = info.param;
  std::string name = path == CommitPath::kUring ? "Uring" : path == CommitPath::kThread ? "Thread" : "Inline";
  name += direct ? "Direct" : "Buffered";
  name += durability == Durability::kAlways        ? "Always"
          : durability == Durability::kEverySecond ? "EverySecond"
                                                   : "No";
  return name + (wait_us == 0 ? "NeverWaiting" : "");
}

INSTANTIATE_TEST_SUITE_P(
    , CommitPathTest,
    testing::Combine(testing::Values(CommitPath::kUring, CommitPath::kThread, CommitPath::kInline),
                     testing::Bool(),
                     testing::Values(Durability::kAlways, Durability::kEverySecond, Durability::kNo),
                     testing::Values(300u)),
    CaseName);

INSTANTIATE_TEST_SUITE_P(Eventually, CommitPathTest,
                         testing::Combine(testing::Values(CommitPath::kUring, CommitPath::kThread),
                                          testing::Values(true), testing::Values(Durability::kAlways),
                                          testing::Values(0u)),
                         CaseName);

TEST(CommitPath, AutoTakesTheRingAndDirectIoWhereTheyAre) {
  TemporaryDirectory directory;
  PosixFileSystem files;
  Opened opened = MustOpen(files, RealOptions(directory));
  Commit(*opened.log, "x");
  EXPECT_NE(opened.log->stats().path, "inline");
  EXPECT_GT(opened.log->stats().median_us, 0u);
  EXPECT_EQ(opened.log->stats().bytes % 4096, 0u);
}

// Makes the kernel refuse io_uring to the calling thread, and to those that it starts, as containers do.
void RefuseUring() {
  std::array<sock_filter, 4> filter{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog program{.len = filter.size(), .filter = filter.data()};
  ASSERT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

TEST(CommitPath, FallsBackToTheThreadWhereTheRingIsRefused) {
  TemporaryDirectory directory;
  PosixFileSystem files;
  std::thread refused([&] {
    RefuseUring();
    LogOptions options = RealOptions(directory);
    {
      Opened opened = MustOpen(files, options);
      EXPECT_EQ(opened.log->stats().path, "thread");
      Commit(*opened.log, "x");
    }
    options.commit_path = CommitPath::kUring;
    const auto opened = OpenLog(files, options);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, Error::Code::kInvalid);
  });
  refused.join();
  EXPECT_EQ(MustOpen(files, RealOptions(directory)).bodies, Bodies{"x"});
}

TEST(CommitPath, AutoIsInlineWithoutDescriptors) {
  MemoryFileSystem files;
  LogOptions options = SmallOptions();
  options.commit_path = CommitPath::kAuto;
  const Opened opened = MustOpen(files, options);
  EXPECT_EQ(opened.log->stats().path, "inline");
  EXPECT_EQ(opened.log->completion_fd(), -1);
}

TEST(CommitPath, FallsBackToBufferedWrites) {
  TemporaryDirectory directory;
  BufferedFileSystem files;
  {
    Opened opened = MustOpen(files, RealOptions(directory));
    EXPECT_FALSE(opened.log->stats().direct);
    for (int i = 0; i < 100; ++i) Commit(*opened.log, std::string(1500, 'x'));
  }
  EXPECT_EQ(MustOpen(files, RealOptions(directory)).bodies.size(), 100u);
}

// A disk that answers when it is asked to: a pipe takes no more than it holds until somebody reads it.
class PipeFile : public File {
 public:
  PipeFile() { EXPECT_EQ(pipe2(ends_.data(), O_NONBLOCK), 0); }
  ~PipeFile() override {
    close(ends_[0]);
    close(ends_[1]);
  }
  void Fill() {
    const std::string page(4096, 'p');
    while (write(ends_[1], page.data(), page.size()) > 0) {
    }
  }
  void Empty() {
    std::string room(1 << 20, '\0');
    while (read(ends_[0], room.data(), room.size()) > 0) {
    }
  }
  int fd() const override { return ends_[1]; }

  Result<size_t> ReadAt(uint64_t, std::span<char>) override { return 0; }
  Result<void> WriteAt(uint64_t, std::span<const char>) override { return {}; }
  Result<void> WriteBlocks(uint64_t, std::span<const char>, std::span<const char>, bool) override {
    return {};
  }
  Result<void> Sync() override { return {}; }
  Result<void> Allocate(uint64_t) override { return {}; }
  Result<uint64_t> Size() override { return 0; }
  Result<std::shared_ptr<const char>> Map(uint64_t) override { return {}; }

 private:
  std::array<int, 2> ends_{};
};

TEST(CommitPath, TheRingsWaitEndsWhereTheDiskDoesNotAnswer) {
  auto path = UringWritePath::Create();
  ASSERT_TRUE(path.has_value());
  PipeFile file;
  const std::string block(kBlockBytes, 'b');
  const BlockWrite write{.file = &file, .offset = 0, .blocks = block, .last = {}};
  for (const uint64_t wait_us : {300u, 5000u}) {
    const auto quick = (*path)->Start(write, wait_us);
    ASSERT_TRUE(quick.has_value() && quick->has_value());
    file.Fill();
    EXPECT_FALSE((*path)->Start(write, wait_us).has_value());
    EXPECT_FALSE((*path)->Take(wait_us).has_value());
    file.Empty();
    pollfd event{.fd = (*path)->completion_fd(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(poll(&event, 1, 10'000), 1) << "a write completed without saying so";
    const auto late = (*path)->Take(0);
    ASSERT_TRUE(late.has_value() && late->has_value());
    file.Empty();
  }
}

TEST(CommitPath, SecondServerIsRefused) {
  TemporaryDirectory directory;
  PosixFileSystem files;
  const Opened first = MustOpen(files, RealOptions(directory));
  const auto second = OpenLog(files, RealOptions(directory));
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Error::Code::kInUse);
  EXPECT_NE(second.error().message.find(directory.Store()), std::string::npos);
}

TEST(CommitPath, FailureOfTheThreadsWriteIsFinal) {
  MemoryFileSystem files;
  LogOptions options = SmallOptions();
  options.commit_path = CommitPath::kThread;
  Opened opened = MustOpen(files, options);
  Commit(*opened.log, "x");
  const Lsn committed = opened.log->committed();
  files.FailWrites(0);
  Record(*opened.log, "y");
  opened.log->Submit();
  opened.log->Flush();
  ASSERT_TRUE(opened.log->failure().has_value());
  EXPECT_EQ(opened.log->committed(), committed);
}

// A disk whose writes wait until they are let go, one by one.
class HeldFileSystem : public MemoryFileSystem {
 public:
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    return MemoryFileSystem::Open(path, mode)
        .map([this](std::unique_ptr<File> file) -> std::unique_ptr<File> {
          return std::make_unique<HeldFile>(*this, std::move(file));
        });
  }
  void Hold(bool on = true) { held_ = on; }
  void LetGo(int writes) { allowed_.release(writes); }
  // How many writes went on into blocks that none had reached before.
  int first_writes() const { return first_writes_; }

 private:
  class HeldFile : public File {
   public:
    HeldFile(HeldFileSystem& files, std::unique_ptr<File> file) : files_(files), file_(std::move(file)) {}
    Result<void> WriteBlocks(uint64_t offset, std::span<const char> blocks, std::span<const char> last,
                             bool durable) override {
      if (files_.held_) files_.allowed_.acquire();
      const uint64_t end = offset + blocks.size() + last.size();
      files_.first_writes_ += end > written_end_;
      written_end_ = std::max(written_end_, end);
      return file_->WriteBlocks(offset, blocks, last, durable);
    }
    Result<size_t> ReadAt(uint64_t offset, std::span<char> into) override {
      return file_->ReadAt(offset, into);
    }
    Result<void> WriteAt(uint64_t offset, std::span<const char> bytes) override {
      return file_->WriteAt(offset, bytes);
    }
    Result<void> Sync() override { return file_->Sync(); }
    Result<void> Allocate(uint64_t bytes) override { return file_->Allocate(bytes); }
    Result<uint64_t> Size() override { return file_->Size(); }
    Result<std::shared_ptr<const char>> Map(uint64_t bytes) override { return file_->Map(bytes); }
    int fd() const override { return -1; }

   private:
    HeldFileSystem& files_;
    std::unique_ptr<File> file_;
    uint64_t written_end_ = 0;
  };

  std::atomic<bool> held_ = false;
  std::atomic<int> first_writes_ = 0;
  std::counting_semaphore<> allowed_{0};
};

LogOptions HeldOptions() {
  LogOptions options = SmallOptions();
  options.commit_path = CommitPath::kThread;
  options.commit_wait_us = 0;
  return options;
}

TEST(CommitPath, MemoryGivenToTheKernelIsNeverChanged) {
  HeldFileSystem files;
  Opened opened = MustOpen(files, HeldOptions());
  files.Hold();
  Record(*opened.log, "first");
  opened.log->Submit();
  const uint64_t end = Value(opened.log->tail());
  Record(*opened.log, "second");  // into the same block
  opened.log->Submit();
  EXPECT_EQ(opened.log->stats().batches, 1u) << "one batch in flight";
  files.LetGo(1);
  while (Value(opened.log->committed()) < end) opened.log->Reap();
  const std::string block = files.Contents(SegmentPath(1)).substr(end, kBlockBytes - end % kBlockBytes);
  EXPECT_EQ(block, std::string(block.size(), '\0'));
  EXPECT_EQ(opened.log->stats().batches, 2u) << "sealed meanwhile: Reap() submits it";
  EXPECT_EQ(Value(opened.log->committed()), end);
  files.LetGo(1);
  opened.log->Flush();
  EXPECT_EQ(opened.log->committed(), opened.log->tail());
}

TEST(CommitPath, RollsWhileABatchIsInFlight) {
  HeldFileSystem files;
  Bodies expected;
  {
    Opened opened = MustOpen(files, HeldOptions());
    files.Hold();
    Lsn last_end{};
    std::vector<Lsn> ends;
    for (int i = 0; i < 200; ++i) {  // some five segments, all behind the first batch
      expected.push_back(std::to_string(i) + std::string(1500, 'r'));
      Record(*opened.log, expected.back());
      ends.push_back(opened.log->tail());
      if (i % 10 == 0) opened.log->Submit();
    }
    EXPECT_EQ(opened.log->stats().batches, 1u);
    while (opened.log->committed() != opened.log->tail()) {
      files.LetGo(1);
      const Lsn before = opened.log->committed();
      while (opened.log->committed() == before) opened.log->Reap();
      EXPECT_GT(Value(opened.log->committed()), Value(last_end)) << "in order";
      EXPECT_EQ(std::count(ends.begin(), ends.end(), opened.log->committed()), 1) << "whole batches";
      last_end = opened.log->committed();
    }
    EXPECT_GT(opened.log->stats().batches, 4u);
  }
  files.Hold(false);
  EXPECT_EQ(MustOpen(files, SmallOptions()).bodies, expected);
}

TEST(CommitPath, DestructionWaitsForTheBatchInFlight) {
  HeldFileSystem files;
  {
    Opened opened = MustOpen(files, HeldOptions());
    files.Hold();
    Record(*opened.log, "in flight");
    opened.log->Submit();
    Record(*opened.log, "not submitted");
    files.LetGo(1);
  }
  files.Hold(false);
  EXPECT_EQ(MustOpen(files, SmallOptions()).bodies, Bodies{"in flight"});
}

// Of small batches one in several is the first to write to blocks that are only allocated.
TEST(CommitPath, ZerosGoAheadOfSmallBatches) {
  constexpr int kBatches = 300;
  constexpr uint64_t kSegmentBytes = 256 << 10;
  HeldFileSystem files;
  LogOptions options = SmallOptions();
  options.segment_bytes = kSegmentBytes;
  Bodies expected;
  for (int life = 0; life < 2; ++life) {
    Opened opened = MustOpen(files, options);
    EXPECT_EQ(opened.bodies, expected);
    const int before = files.first_writes();
    for (int i = 0; i < kBatches; ++i) {
      expected.push_back(std::to_string(i) + std::string(2000, 'z'));
      Commit(*opened.log, expected.back());
    }
    EXPECT_GT(opened.log->stats().segments, 1u);
    // A segment takes four of them, and its first and last ones.
    EXPECT_LE(files.first_writes() - before, static_cast<int>(opened.log->stats().segments) * 6);
    EXPECT_GT(files.first_writes(), before);
  }
  const auto reopened = MustOpen(files, options);
  EXPECT_EQ(reopened.bodies, expected);
  EXPECT_EQ(reopened.report.cut_bytes, 0u);
  for (uint64_t segment = 1; segment <= reopened.report.segments; ++segment) {
    EXPECT_LE(files.Contents(SegmentPath(segment)).size(), kSegmentBytes);
  }
}

// The sync of everysec happens behind the caller's back, and the claim of what it made durable follows.
TEST(CommitPath, BackgroundSyncMakesAnIdleLogDurable) {
  for (const auto path : {CommitPath::kUring, CommitPath::kThread}) {
    TemporaryDirectory directory;
    PosixFileSystem files;
    LogOptions options = RealOptions(directory);
    options.commit_path = path;
    options.durability = Durability::kEverySecond;
    Opened opened = MustOpen(files, options);
    Commit(*opened.log, "x");
    const uint64_t batches = opened.log->stats().batches;
    for (uint64_t now = 2000; opened.log->stats().batches == batches; now += 100) {
      ASSERT_LT(now, 10'000'000u) << "the background sync never ended";
      opened.log->Tick(now);
      std::this_thread::yield();
    }
    opened.log->Flush();
    ASSERT_FALSE(opened.log->failure().has_value());
  }
}

TEST(CommitPath, FailedBackgroundSyncIsFinal) {
  MemoryFileSystem files;
  LogOptions options = SmallOptions();
  options.commit_path = CommitPath::kThread;
  options.durability = Durability::kEverySecond;
  Opened opened = MustOpen(files, options);
  Commit(*opened.log, "x");
  const Lsn committed = opened.log->committed();
  files.FailSyncs(0);
  for (uint64_t now = 2000; !opened.log->failure(); now += 100) {
    ASSERT_LT(now, 10'000'000u);
    opened.log->Tick(now);
    std::this_thread::yield();
  }
  Record(*opened.log, "y");
  opened.log->Submit();
  opened.log->Flush();
  EXPECT_EQ(opened.log->committed(), committed);
}

SpareFiles::Options SpareOptions(const std::string& directory, bool direct) {
  return {.directory = directory,
          .segment_bytes = 256 << 10,
          .count = 2,
          .zeroing_bytes_per_second = 1 << 30,
          .direct = direct};
}

void WaitUntilReady(const SpareFiles& spares, bool zeroed) {
  while (!spares.ready(zeroed)) std::this_thread::yield();
}

TEST(SpareFiles, NextSegmentIsNamedAheadAndZeroed) {
  TemporaryDirectory directory;
  PosixFileSystem files;
  ASSERT_TRUE(files.CreateDirectory(directory.Store()).has_value());
  BufferPool buffers(256 << 10, 2);
  SpareFiles spares(files, buffers, SpareOptions(directory.Store(), true), 5);
  for (uint64_t sequence = 5; sequence < 9; ++sequence) {
    WaitUntilReady(spares, sequence % 2 == 0);
    const auto ready = spares.Take(sequence);
    ASSERT_TRUE(ready.has_value());
    EXPECT_EQ(ready->file->Size().value(), uint64_t{256} << 10);
    const std::string name = "00000000000" + std::to_string(sequence) + ".log";
    EXPECT_TRUE(std::filesystem::exists(directory.Store() + "/" + name));
  }
}

TEST(SpareFiles, LeftoversAreUsedAndUnfinishedOnesRemoved) {
  MemoryFileSystem files;
  const auto create = [&](const std::string& path, size_t bytes) {
    ASSERT_TRUE(files.Open(path, {.create = true}).has_value());
    files.SetContents(path, std::string(bytes, '\0'));
  };
  create("/d/spare-7", 256 << 10);
  create("/d/spare-8.new", 256 << 10);
  create("/d/spare-9", 100);
  create("/d/000000000003.log", 256 << 10);
  {
    BufferPool buffers(256 << 10, 2);
    SpareFiles spares(files, buffers, SpareOptions("/d", false), 3);
    WaitUntilReady(spares, true);
    EXPECT_TRUE(spares.Take(3).has_value());
    WaitUntilReady(spares, true);
  }
  EXPECT_EQ(files.List("/d").value()[1], "000000000004.log") << "the spare that was there";
  EXPECT_FALSE(files.Open("/d/spare-8.new", {}).has_value());
  EXPECT_FALSE(files.Open("/d/spare-9", {}).has_value());
}

TEST(SpareFiles, FullDiskRefusesAndRecovers) {
  MemoryFileSystem files;
  LogOptions options = SmallOptions();
  options.commit_path = CommitPath::kThread;
  options.spare_segments = 2;
  options.zeroing_bytes_per_second = 1 << 30;
  Bodies expected;
  {
    Opened opened = MustOpen(files, options);
    files.SetFreeBytes(200'000);
    for (int tick = 0; tick < 100; ++tick) {  // the worker too is looking for space
      opened.log->Tick(static_cast<uint64_t>(tick) * 100);
      while (TryRecord(*opened.log, std::string(1000, 'f'))) expected.emplace_back(1000, 'f');
      EXPECT_EQ(TryRecord(*opened.log, std::string(1000, 'f')).error().code, Error::Code::kFull);
      opened.log->Flush();
    }
    ASSERT_FALSE(opened.log->failure().has_value());
    EXPECT_EQ(opened.log->committed(), opened.log->tail());
    files.SetFreeBytes(MemoryFileSystem::kNever);
    opened.log->Tick(100'000);
    for (int i = 0; i < 200; ++i) {
      expected.emplace_back(1000, 'g');
      Commit(*opened.log, expected.back());
    }
  }
  EXPECT_EQ(MustOpen(files, options).bodies, expected);
}

TEST(SpareFiles, LogRollsThroughThemAndOpensAgain) {
  for (const auto path : {CommitPath::kUring, CommitPath::kThread}) {
    TemporaryDirectory directory;
    PosixFileSystem files;
    LogOptions options = RealOptions(directory);
    options.commit_path = path;
    options.spare_segments = 2;
    options.zeroing_bytes_per_second = 1 << 30;
    Bodies expected;
    for (int life = 0; life < 3; ++life) {
      Opened opened = MustOpen(files, options);
      ASSERT_EQ(opened.bodies, expected);
      for (int i = 0; i < 400; ++i) {
        const size_t bytes = i % 100 == 99 ? 200'000 : 1000;  // some need more than a spare has
        expected.push_back(std::to_string(i) + std::string(bytes, 'x'));
        Record(*opened.log, expected.back());
        opened.log->Submit();
      }
      opened.log->Flush();
      ASSERT_FALSE(opened.log->failure().has_value());
    }
    EXPECT_EQ(MustOpen(files, options).bodies, expected);
  }
}

}  // namespace
}  // namespace sluice::storage
