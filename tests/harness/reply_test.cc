#include "tests/harness/reply.h"

#include <gtest/gtest.h>

namespace sluice::tests {
namespace {

std::string TextOf(std::string_view wire) {
  Reply reply;
  size_t consumed = 0;
  if (ParseReply(wire, reply, consumed) != ParseStatus::kReply) return "no reply";
  if (consumed != wire.size()) return "bytes left over";
  return FormatReply(reply);
}

TEST(ReplyTextTest, TellsEveryTypeApart) {
  EXPECT_EQ(TextOf("+OK\r\n"), "+OK");
  EXPECT_EQ(TextOf("-ERR no\r\n"), "-ERR no");
  EXPECT_EQ(TextOf(":-3\r\n"), "(integer) -3");
  EXPECT_EQ(TextOf("$5\r\na\"\r\n\x01\r\n"), "\"a\\\"\\r\\n\\x01\"");
  EXPECT_EQ(TextOf("$0\r\n\r\n"), "\"\"");
  EXPECT_EQ(TextOf("$-1\r\n"), "(nil)");
  EXPECT_EQ(TextOf("*-1\r\n"), "(nilarray)");
  EXPECT_EQ(TextOf("_\r\n"), "(null)");
  EXPECT_EQ(TextOf(",1.5\r\n"), "(double) 1.5");
  EXPECT_EQ(TextOf("#t\r\n"), "(true)");
  EXPECT_EQ(TextOf("#f\r\n"), "(false)");
  EXPECT_EQ(TextOf("(123\r\n"), "(big number) 123");
  EXPECT_EQ(TextOf("=6\r\ntxt:hi\r\n"), "(verbatim txt) \"hi\"");
  EXPECT_EQ(TextOf("*0\r\n"), "(empty array)");
  EXPECT_EQ(TextOf("~0\r\n"), "(empty set)");
  EXPECT_EQ(TextOf("%0\r\n"), "(empty map)");
  EXPECT_EQ(TextOf(">0\r\n"), "(empty push)");
}

TEST(ReplyTextTest, IndentsAggregates) {
  EXPECT_EQ(TextOf("*2\r\n*2\r\n:1\r\n:2\r\n$1\r\na\r\n"), "1) 1) (integer) 1\n   2) (integer) 2\n2) \"a\"");
  EXPECT_EQ(TextOf("%2\r\n+k\r\n:1\r\n+l\r\n*1\r\n+x\r\n"), "1# +k => (integer) 1\n2# +l =>\n      1) +x");
  EXPECT_EQ(TextOf("~1\r\n:7\r\n"), "1~ (integer) 7");
  EXPECT_EQ(TextOf(">1\r\n:7\r\n"), "1> (integer) 7");
  std::string ten = "*10\r\n";
  for (int i = 0; i < 10; ++i) ten += ":0\r\n";
  EXPECT_EQ(TextOf(ten).substr(0, 15), " 1) (integer) 0");
}

TEST(ReplyParserTest, AsksForMoreUntilTheReplyIsWhole) {
  const std::string wire = "*3\r\n$3\r\na\r\n\r\n%1\r\n+k\r\n_\r\n=5\r\ntxt:x\r\n";
  for (size_t i = 0; i < wire.size(); ++i) {
    Reply reply;
    size_t consumed = 1;
    EXPECT_EQ(ParseReply(wire.substr(0, i), reply, consumed), ParseStatus::kNeedMore) << i;
    EXPECT_EQ(consumed, 0u);
  }
  EXPECT_NE(TextOf(wire), "no reply");
}

TEST(ReplyParserTest, RefusesWhatIsNotResp) {
  for (const char* wire : {"hello\r\n", ":1x\r\n", ":\r\n", "$-2\r\n", "$1\r\nab\r\n", "*-2\r\n", "#x\r\n", "_x\r\n",
                           "=3\r\ntxt\r\n", "%-1\r\n", "+a\nb\r\n"}) {
    Reply reply;
    size_t consumed = 0;
    EXPECT_EQ(ParseReply(wire, reply, consumed), ParseStatus::kMalformed) << wire;
  }
}

}  // namespace
}  // namespace sluice::tests
