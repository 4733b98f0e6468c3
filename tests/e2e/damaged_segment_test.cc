// Disks that forget: what is read from a full segment's file is verified, and what cannot be read ends the
// server with a message instead of a riddle.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/harness/redis.h"
#include "tests/harness/server_process.h"

namespace sluice::tests {
namespace {

using testing::HasSubstr;

constexpr int kStored = 400;

// A server whose full segments are read from their files, and a stream over several of them.
class DamagedSegmentTest : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 1; i <= kStored; ++i) {
      client_.Append({"XADD", "s", std::to_string(i), "n", "value-" + std::to_string(i) + "-", "v",
                      std::string(1000, 'x')});
    }
    for (int i = 1; i <= kStored; ++i) ASSERT_TRUE(client_.Receive());
    client_.Do({"XGROUP", "CREATE", "s", "g", "0"});
    ASSERT_TRUE(std::filesystem::exists(Segment(3)));
  }

  std::string Segment(int number) const {
    return server_.directory() + "/00000000000" + std::to_string(number) + ".log";
  }
  // Flips a bit of the entry with this ID.
  void Damage(int segment, int id) {
    std::fstream file(Segment(segment), std::ios::in | std::ios::out | std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const size_t at = bytes.find("value-" + std::to_string(id) + "-");
    ASSERT_NE(at, std::string::npos);
    file.seekp(static_cast<std::streamoff>(at));
    file.put('V');
  }
  std::string ErrorOf(const std::vector<std::string>& words) {
    client_.Append(words);
    const RedisReply reply = client_.Receive();
    if (!reply || reply->type != REDIS_REPLY_ERROR) return "";
    return std::string(TextOf(*reply));
  }

  ServerProcess server_{{"--segment-bytes", "64kb", "--tail-cache-bytes", "0"}};
  RedisClient client_{server_.port()};
};

TEST_F(DamagedSegmentTest, DamageAnswersTheCommandThatMeetsIt) {
  Damage(2, 70);
  const std::string error = ErrorOf({"XRANGE", "s", "60", "80"});
  EXPECT_THAT(error, HasSubstr("DAMAGED "));
  EXPECT_THAT(error, HasSubstr(Segment(2) + ", offset "));
  EXPECT_THAT(ErrorOf({"XREAD", "COUNT", "5", "STREAMS", "s", "68"}), HasSubstr("DAMAGED "));
  EXPECT_THAT(ErrorOf({"XREVRANGE", "s", "70", "70"}), HasSubstr("DAMAGED "));
  EXPECT_THAT(ErrorOf({"COPY", "s", "t"}), HasSubstr("DAMAGED "));
  EXPECT_EQ(client_.Do({"EXISTS", "t"})->integer, 0);
  // The others are as they were.
  EXPECT_EQ(client_.Do({"XRANGE", "s", "1", "69"})->elements, 69u);
  EXPECT_EQ(client_.Do({"XRANGE", "s", "71", "+"})->elements, static_cast<size_t>(kStored - 70));

  // A delivery that cannot be shown does not happen.
  EXPECT_THAT(ErrorOf({"XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">"}), HasSubstr("DAMAGED "));
  EXPECT_EQ(ElementOf(*client_.Do({"XPENDING", "s", "g"}), 0).integer, 0);
  EXPECT_EQ(
      ElementOf(
          ElementOf(*client_.Do({"XREADGROUP", "GROUP", "g", "c", "COUNT", "69", "STREAMS", "s", ">"}), 0), 1)
          .elements,
      69u);
  // Nor does an entry change hands.
  client_.Do({"XCLAIM", "s", "g", "c", "0", "70", "FORCE", "JUSTID"});
  EXPECT_THAT(ErrorOf({"XCLAIM", "s", "g", "d", "0", "70"}), HasSubstr("DAMAGED "));
  EXPECT_EQ(TextOf(ElementOf(ElementOf(*client_.Do({"XPENDING", "s", "g", "70", "70", "1"}), 0), 1)), "c");
  // And it can be taken out of the way.
  EXPECT_EQ(client_.Do({"XDEL", "s", "70"})->integer, 1);
  EXPECT_EQ(client_.Do({"XRANGE", "s", "60", "80"})->elements, 20u);
}

TEST_F(DamagedSegmentTest, OneCommandOfATransactionAnswersForItself) {
  Damage(2, 70);
  client_.Do({"MULTI"});
  client_.Do({"SET", "k", "v"});
  client_.Do({"XRANGE", "s", "70", "70"});
  client_.Do({"INCR", "n"});
  const RedisReply replies = client_.Do({"EXEC"});
  ASSERT_EQ(replies->elements, 3u);
  EXPECT_EQ(TextOf(ElementOf(*replies, 0)), "OK");
  EXPECT_EQ(ElementOf(*replies, 1).type, REDIS_REPLY_ERROR);
  EXPECT_EQ(ElementOf(*replies, 2).integer, 1);
}

TEST_F(DamagedSegmentTest, AFileThatWasCutEndsTheServerWithItsName) {
  std::filesystem::resize_file(Segment(2), 4096);
  client_.Append({"XRANGE", "s", "-", "+"});
  EXPECT_FALSE(client_.Receive());
  EXPECT_EQ(server_.Wait(), 74) << server_.Log();
  EXPECT_THAT(server_.Log(), HasSubstr(Segment(2) + ", offset "));
  EXPECT_THAT(server_.Log(), HasSubstr("cannot be read"));
}

}  // namespace
}  // namespace sluice::tests
