#include "protocol/reply_writer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <utility>

namespace sluice::protocol {
namespace {

using namespace std::string_literals;

std::string Written(Version version, const std::function<void(ReplyWriter&)>& write) {
  // A reply goes behind what is there already.
  std::string out = "+before\r\n";
  ReplyWriter writer(out, version);
  write(writer);
  EXPECT_EQ(out.substr(0, 9), "+before\r\n");
  return out.substr(9);
}

void ExpectWritten(const std::function<void(ReplyWriter&)>& write, const std::string& resp2,
                   const std::string& resp3) {
  EXPECT_EQ(Written(Version::kResp2, write), resp2);
  EXPECT_EQ(Written(Version::kResp3, write), resp3);
}

void ExpectWritten(const std::function<void(ReplyWriter&)>& write, const std::string& both) {
  ExpectWritten(write, both, both);
}

TEST(ReplyWriter, WritesSimpleStrings) {
  ExpectWritten([](ReplyWriter& w) { w.Ok(); }, "+OK\r\n");
  ExpectWritten([](ReplyWriter& w) { w.Simple("PONG"); }, "+PONG\r\n");
  ExpectWritten([](ReplyWriter& w) { w.Simple(""); }, "+\r\n");
}

TEST(ReplyWriter, WritesErrorsWithTheirCode) {
  ExpectWritten([](ReplyWriter& w) { w.Error("syntax error"); }, "-ERR syntax error\r\n");
  ExpectWritten([](ReplyWriter& w) { w.Error("-NOGROUP No such key"); }, "-NOGROUP No such key\r\n");
  ExpectWritten([](ReplyWriter& w) { w.Error(""); }, "-ERR \r\n");
}

TEST(ReplyWriter, LetsNoEchoForgeAReply) {
  ExpectWritten([](ReplyWriter& w) { w.Error("unknown command 'a\r\n+OK\r\n'"); },
                "-ERR unknown command 'a  +OK  '\r\n");
  ExpectWritten([](ReplyWriter& w) { w.Error("-X\n:1\r"); }, "-X :1 \r\n");
  ExpectWritten([](ReplyWriter& w) { w.Simple("a\rb\nc"); }, "+a b c\r\n");
  ExpectWritten([](ReplyWriter& w) { w.BigNumber("1\r\n2"); }, "$4\r\n1\r\n2\r\n", "(1  2\r\n");
}

TEST(ReplyWriter, WritesIntegers) {
  for (const int64_t value :
       {int64_t{0}, int64_t{1}, int64_t{9}, int64_t{10}, int64_t{99}, int64_t{100}, int64_t{-1}, int64_t{-10},
        std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()}) {
    const std::string text = std::to_string(value);
    ExpectWritten([&](ReplyWriter& w) { w.Integer(value); }, ":" + text + "\r\n");
    ExpectWritten([&](ReplyWriter& w) { w.BulkInteger(value); },
                  "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n");
  }
}

TEST(ReplyWriter, WritesBulksOfAnyLengthAndContent) {
  ExpectWritten([](ReplyWriter& w) { w.Bulk(""); }, "$0\r\n\r\n");
  ExpectWritten([](ReplyWriter& w) { w.Bulk(std::string_view()); }, "$0\r\n\r\n");
  ExpectWritten([](ReplyWriter& w) { w.Bulk("a\r\n\0b"s); }, "$5\r\na\r\n\0b\r\n"s);
  for (const int length : {1, 9, 10, 63, 64, 65, 99, 100, 100000}) {
    const std::string bytes(static_cast<size_t>(length), 'x');
    ExpectWritten([&](ReplyWriter& w) { w.Bulk(bytes); },
                  "$" + std::to_string(length) + "\r\n" + bytes + "\r\n");
  }
}

TEST(ReplyWriter, WritesNulls) {
  ExpectWritten([](ReplyWriter& w) { w.Null(); }, "$-1\r\n", "_\r\n");
  ExpectWritten([](ReplyWriter& w) { w.NullArray(); }, "*-1\r\n", "_\r\n");
}

TEST(ReplyWriter, WritesAggregates) {
  ExpectWritten([](ReplyWriter& w) { w.Array(0); }, "*0\r\n");
  ExpectWritten([](ReplyWriter& w) { w.Array(12); }, "*12\r\n");
  ExpectWritten([](ReplyWriter& w) { w.Map(7); }, "*14\r\n", "%7\r\n");
  ExpectWritten([](ReplyWriter& w) { w.Set(3); }, "*3\r\n", "~3\r\n");
  ExpectWritten([](ReplyWriter& w) { w.Push(2); }, "*2\r\n", ">2\r\n");
  ExpectWritten([](ReplyWriter& w) { w.Array(std::numeric_limits<size_t>::max()); },
                "*18446744073709551615\r\n");
}

TEST(ReplyWriter, SaysALengthThatIsKnownLate) {
  const auto write = [](size_t expected) {
    return [expected](ReplyWriter& w) {
      w.Integer(1);
      const size_t outer = w.BeginMap(expected);
      w.Bulk("a");
      const size_t inner = w.BeginArray(expected);
      for (int i = 0; i < 11; ++i) w.Integer(i);
      w.EndArray(inner, 11);
      w.EndMap(outer, 1);
    };
  };
  const std::string inner =
      "$1\r\na\r\n*11\r\n:0\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n:6\r\n:7\r\n:8\r\n:9\r\n:10\r\n";
  for (const size_t expected : {size_t{0}, size_t{7}, size_t{11}, size_t{99}, size_t{123456}, SIZE_MAX / 2}) {
    ExpectWritten(write(expected), ":1\r\n*2\r\n" + inner, ":1\r\n%1\r\n" + inner);
  }
  ExpectWritten([](ReplyWriter& w) { w.EndArray(w.BeginArray(100), 0); }, "*0\r\n");
}

TEST(ReplyWriter, TakesBackWhatCameAfterAMark) {
  const auto write = [](ReplyWriter& w) {
    w.Integer(1);
    const size_t mark = w.Mark();
    w.Bulk("a");
    w.Truncate(mark);
    w.Null();
  };
  ExpectWritten(write, ":1\r\n$-1\r\n", ":1\r\n_\r\n");
}

TEST(ReplyWriter, WritesDoubles) {
  const std::pair<double, std::string> cases[] = {
      {3.14, "3.14"},
      {3, "3"},
      {0, "0"},
      {-0.0, "-0"},
      {-1.5, "-1.5"},
      {0.1, "0.1"},
      {100000, "100000"},
      {1690000000000, "1690000000000"},
      {9007199254740992, "9007199254740992"},
      {1e21, "1e+21"},
      {0.30000000000000004, "0.30000000000000004"},
      {std::numeric_limits<double>::infinity(), "inf"},
      {-std::numeric_limits<double>::infinity(), "-inf"},
      {std::numeric_limits<double>::quiet_NaN(), "nan"},
      {-std::numeric_limits<double>::quiet_NaN(), "nan"},
  };
  for (const auto& [value, text] : cases) {
    ExpectWritten([v = value](ReplyWriter& w) { w.Double(v); },
                  "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n", "," + text + "\r\n");
  }
}

TEST(ReplyWriter, WritesDoublesThatReadBackTheSame) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 10000; ++i) {
    const uint64_t bits = random();
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (value != value) continue;
    const std::string out = Written(Version::kResp3, [&](ReplyWriter& w) { w.Double(value); });
    EXPECT_EQ(std::strtod(out.c_str() + 1, nullptr), value) << out;
  }
}

TEST(ReplyWriter, WritesWhatOnlyResp3Has) {
  ExpectWritten([](ReplyWriter& w) { w.Boolean(true); }, ":1\r\n", "#t\r\n");
  ExpectWritten([](ReplyWriter& w) { w.Boolean(false); }, ":0\r\n", "#f\r\n");
  ExpectWritten([](ReplyWriter& w) { w.BigNumber("123456789012345678901234567890"); },
                "$30\r\n123456789012345678901234567890\r\n", "(123456789012345678901234567890\r\n");
  ExpectWritten([](ReplyWriter& w) { w.Verbatim("txt", "a\r\nb"); }, "$4\r\na\r\nb\r\n",
                "=8\r\ntxt:a\r\nb\r\n");
}

TEST(ReplyWriter, PassesOnWhatIsRespAlready) {
  ExpectWritten([](ReplyWriter& w) { w.Raw("$1\r\na\r\n$1\r\nb\r\n"); }, "$1\r\na\r\n$1\r\nb\r\n");
}

TEST(ReplyWriter, ChangesItsVersionBetweenReplies) {
  std::string out;
  ReplyWriter writer(out, Version::kResp2);
  writer.Null();
  writer.set_version(Version::kResp3);
  EXPECT_EQ(writer.version(), Version::kResp3);
  writer.Null();
  EXPECT_EQ(out, "$-1\r\n_\r\n");
}

}  // namespace
}  // namespace sluice::protocol
