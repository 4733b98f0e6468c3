// A file in large pieces comes out as it was put in, past the page cache and through it, and of every length.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "storage/format.h"
#include "storage/memory_file_system.h"
#include "storage/posix_file_system.h"
#include "storage/sequential_file.h"
#include "tests/harness/program.h"

namespace sluice::storage {
namespace {

constexpr size_t kMebibyte = 1 << 20;

std::string Bytes(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

// Appends `bytes` in pieces of 1 to `most` bytes.
Result<void> Put(SequentialWriter& writer, std::string_view bytes, size_t most, uint64_t seed) {
  std::mt19937_64 random(seed);
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, 1 + random() % most);
    auto room = writer.Room(piece.size());
    if (!room) return tl::make_unexpected(room.error());
    piece.copy(*room, piece.size());
    if (auto appended = writer.Append(piece.size()); !appended) return appended;
    bytes.remove_prefix(piece.size());
  }
  return {};
}

SequentialFile OpenedFile(FileSystem& files, const std::string& path, OpenMode mode, bool direct) {
  auto file = SequentialFile::Open(files, path, mode, direct);
  EXPECT_TRUE(file.has_value()) << file.error().message;
  return std::move(*file);
}

std::string Read(SequentialReader& reader, uint64_t offset, uint64_t bytes) {
  auto got = reader.At(offset, bytes);
  EXPECT_TRUE(got.has_value()) << got.error().message;
  return got ? std::string(got->begin(), got->end()) : std::string();
}

class SequentialFileTest : public testing::TestWithParam<bool> {
 protected:
  PosixFileSystem files_;
  tests::TemporaryDirectory home_;
  const std::string path_ = home_.path() + "/file";
};

TEST_P(SequentialFileTest, GivesBackWhatWasWritten) {
  uint64_t seed = 0;
  for (const size_t length : {size_t{0}, size_t{1}, kBlockBytes - 1, size_t{kBlockBytes}, kBlockBytes + 1,
                              kMebibyte - 1, kMebibyte, kMebibyte + 1, 3 * kMebibyte + 5, 4 * kMebibyte}) {
    for (const size_t most : {size_t{100'000}, 5 * kMebibyte / 2}) {
      SCOPED_TRACE(std::to_string(length) + " in pieces up to " + std::to_string(most));
      const std::string bytes = Bytes(length, ++seed);
      const std::string path = path_ + std::to_string(seed);
      SequentialWriter writer(OpenedFile(files_, path, {.create = true}, GetParam()));
      ASSERT_TRUE(Put(writer, bytes, most, seed));
      EXPECT_EQ(writer.bytes(), length);
      ASSERT_TRUE(writer.Finish());
      std::ifstream plain(path, std::ios::binary);
      EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), std::istreambuf_iterator<char>(plain), {}));

      SequentialReader reader(OpenedFile(files_, path, {.read_only = true}, GetParam()), length);
      std::mt19937_64 random(seed);
      for (size_t offset = 0; offset < length;) {
        const size_t step = 1 + random() % most;
        ASSERT_TRUE(Read(reader, offset, step) == bytes.substr(offset, step)) << "at " << offset;
        offset += step;
      }
      EXPECT_EQ(Read(reader, length, 1), "");
      EXPECT_EQ(Read(reader, UINT64_MAX - 1, UINT64_MAX), "");
      EXPECT_TRUE(Read(reader, 0, UINT64_MAX) == bytes) << "back to the front";
    }
  }
}

TEST_P(SequentialFileTest, ShowsWhatIsLeftOfAFileThatBecameShorter) {
  const std::string bytes = Bytes(3 * kMebibyte, 1);
  std::ofstream(path_, std::ios::binary) << bytes.substr(0, 2 * kBlockBytes + 7);
  SequentialReader reader(OpenedFile(files_, path_, {.read_only = true}, GetParam()), bytes.size());
  EXPECT_EQ(Read(reader, 10, 20), bytes.substr(10, 20));
  EXPECT_EQ(Read(reader, 2 * kBlockBytes, 100), bytes.substr(2 * kBlockBytes, 7));
  EXPECT_EQ(Read(reader, 2 * kMebibyte, 100), "");
}

INSTANTIATE_TEST_SUITE_P(Cache, SequentialFileTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Past" : "Through"; });

TEST(SequentialFile, IsWholeAfterAPowerCutOnceItIsFinished) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    MemoryFileSystem files;
    const std::string bytes = Bytes(kMebibyte + kMebibyte / 3 + seed, seed);
    SequentialWriter writer(OpenedFile(files, "d/file", {.create = true}, true));
    ASSERT_TRUE(Put(writer, bytes, 70'000, seed));
    ASSERT_TRUE(writer.Finish());
    ASSERT_TRUE(files.SyncDirectory("d"));
    files.Crash(seed);
    EXPECT_TRUE(files.Contents("d/file") == bytes) << seed;
  }
}

TEST(SequentialFile, TellsOfAWriteThatFails) {
  const std::string bytes = Bytes(3 * kMebibyte + 9, 1);
  for (uint64_t after = 0; after < 5; ++after) {
    MemoryFileSystem files;
    SequentialWriter writer(OpenedFile(files, "d/file", {.create = true}, true));
    files.FailWrites(after);
    Result<void> done = Put(writer, bytes, 70'000, 1);
    if (done) done = writer.Finish();
    EXPECT_EQ(done.has_value(), files.writes() <= after) << after;
    if (done) {
      EXPECT_TRUE(files.Contents("d/file") == bytes);
    }
  }
}

}  // namespace
}  // namespace sluice::storage
