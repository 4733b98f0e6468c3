// A real server whose messages have left memory: the commands that want them wait for a thread, and are
// answered.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "tests/harness/redis.h"
#include "tests/harness/server_process.h"

namespace sluice::tests {
namespace {

constexpr int kEntries = 4000;

std::string Value(int i) {
  return "value-" + std::to_string(i) + "-" + std::string(1000, 'x');
}

// What the kernel has of the files in `directory` leaves memory, and they are not mapped: nothing but the
// disk has it.
void DropPages(const std::string& directory) {
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const int file = open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    ASSERT_GE(file, 0) << entry.path();
    EXPECT_EQ(fsync(file), 0);
    EXPECT_EQ(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED), 0);
    close(file);
  }
}

uint64_t Figure(RedisClient& client, const std::string& name) {
  const RedisReply info = client.Do({"INFO", "persistence"});
  const std::string text(TextOf(*info));
  const size_t at = text.find("\n" + name + ":");
  return at == std::string::npos ? UINT64_MAX : std::stoull(text.substr(at + name.size() + 2));
}

TEST(ColdReadTest, ABacklogThatLeftMemoryIsReadFromTheDisk) {
  ServerProcess server({"--segment-bytes", "256kb", "--tail-cache-bytes", "0"});
  {
    RedisClient writer(server.port());
    for (int i = 1; i <= kEntries; ++i) writer.Append({"XADD", "s", std::to_string(i), "v", Value(i)});
    for (int i = 1; i <= kEntries; ++i) ASSERT_TRUE(writer.Receive());
    writer.Do({"XGROUP", "CREATE", "s", "g", "0"});
  }
  ASSERT_EQ(server.Stop(), 0);
  DropPages(server.directory());
  server.Start();

  RedisClient client(server.port());
  EXPECT_EQ(Figure(client, "cold_reads"), 0u);
  for (int i = 1; i <= kEntries;) {
    const RedisReply reply =
        client.Do({"XREADGROUP", "GROUP", "g", "c", "COUNT", "100", "NOACK", "STREAMS", "s", ">"});
    const redisReply& entries = ElementOf(ElementOf(*reply, 0), 1);
    ASSERT_EQ(entries.elements, 100u) << i;
    for (size_t at = 0; at < entries.elements; ++at, ++i) {
      const redisReply& entry = ElementOf(entries, at);
      ASSERT_EQ(TextOf(ElementOf(entry, 0)), std::to_string(i) + "-0");
      ASSERT_EQ(TextOf(ElementOf(ElementOf(entry, 1), 1)), Value(i));
    }
  }
  EXPECT_GT(Figure(client, "cold_reads"), 0u);
  // (The start has read the end of the log, and the kernel reads a little more than it is asked for.)
  EXPECT_GT(Figure(client, "cold_read_bytes"), uint64_t{kEntries} * 500);
  // And what the tail still has needs no disk.
  const uint64_t before = Figure(client, "cold_reads");
  EXPECT_EQ(client.Do({"XREVRANGE", "s", "+", "-", "COUNT", "1"})->elements, 1u);
  EXPECT_EQ(Figure(client, "cold_reads"), before);
}

}  // namespace
}  // namespace sluice::tests
