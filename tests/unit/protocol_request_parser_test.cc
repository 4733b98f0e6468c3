#include "protocol/request_parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::protocol {
namespace {

using namespace std::string_literals;
using Status = RequestParser::Status;
using Args = std::vector<std::string>;

std::string Bulk(std::string_view bytes) {
  return "$" + std::to_string(bytes.size()) + "\r\n" + std::string(bytes) + "\r\n";
}

std::string Multibulk(const Args& args) {
  std::string wire = "*" + std::to_string(args.size()) + "\r\n";
  for (const std::string& arg : args) wire += Bulk(arg);
  return wire;
}

// What a parser said about one stretch of the input.
struct Event {
  Status status;
  Args args;
  size_t consumed = 0;
  std::string error;

  bool operator==(const Event&) const = default;
};

void PrintTo(const Event& event, std::ostream* out) {
  *out << "{status " << static_cast<int>(event.status) << ", " << event.args.size() << " args, "
       << event.consumed << " bytes, \"" << event.error << "\"}";
}

Event Requested(const Args& args, size_t consumed) {
  return {Status::kRequest, args, consumed, ""};
}
Event Skipped(size_t consumed) {
  return {Status::kEmpty, {}, consumed, ""};
}
Event Failed(const std::string& error) {
  return {Status::kError, {}, 0, error};
}

// Feeds `bytes` in pieces of the sizes that `next_piece` names, until they end or an error. Every call gets a
// buffer of its own that ends with the last byte, so a view kept from the last call, or a look beyond the
// end, is seen by the address sanitizer.
std::vector<Event> Feed(std::string_view bytes, const std::function<size_t()>& next_piece,
                        RequestParser& parser) {
  std::vector<Event> events;
  size_t done = 0;
  size_t there = 0;
  for (;;) {
    const size_t size = there - done;
    const auto buffer = std::make_unique<char[]>(size);
    bytes.copy(buffer.get(), size, done);
    const std::string_view input(buffer.get(), size);
    const Status status = parser.Parse(input);
    if (status == Status::kNeedMore) {
      EXPECT_EQ(parser.consumed(), 0U);
      EXPECT_TRUE(parser.bytes_needed() == 0 || parser.bytes_needed() > size);
      if (there == bytes.size()) return events;
      there += std::min(next_piece(), bytes.size() - there);
      continue;
    }
    Event event{status, {}, parser.consumed(), status == Status::kError ? parser.error() : ""};
    if (status == Status::kRequest) {
      std::string wire;
      for (const std::string_view arg : parser.request().args()) {
        event.args.emplace_back(arg);
        if (event.args.size() > 1) wire += Bulk(arg);
      }
      EXPECT_EQ(parser.request().Raw(1, parser.request().size()), wire);
    }
    events.push_back(event);
    if (status == Status::kError) return events;
    done += parser.consumed();
  }
}

std::vector<Event> FeedWhole(std::string_view bytes, const RequestLimits& limits = {}) {
  RequestParser parser(limits);
  return Feed(
      bytes, [&] { return bytes.size(); }, parser);
}

std::vector<Event> FeedByteByByte(std::string_view bytes, const RequestLimits& limits = {}) {
  RequestParser parser(limits);
  return Feed(
      bytes, [] { return size_t{1}; }, parser);
}

// Expects the same from both, and returns it.
std::vector<Event> FeedBothWays(std::string_view bytes, const RequestLimits& limits = {}) {
  std::vector<Event> events = FeedWhole(bytes, limits);
  EXPECT_EQ(FeedByteByByte(bytes, limits), events)
      << testing::PrintToString(std::string(bytes.substr(0, 200)));
  return events;
}

// The error that `bytes` end in; empty if they do not.
std::string ErrorOf(std::string_view bytes, const RequestLimits& limits = {}) {
  const std::vector<Event> events = FeedBothWays(bytes, limits);
  return events.empty() ? "" : events.back().error;
}

TEST(RequestParser, ParsesAPipelineOfRequests) {
  const std::string ping = Multibulk({"PING"});
  const std::string xadd = Multibulk({"XADD", "s", "*", "f", std::string(100, 'x')});
  EXPECT_EQ(FeedBothWays(ping + xadd + ping),
            (std::vector<Event>{Requested({"PING"}, ping.size()),
                                Requested({"XADD", "s", "*", "f", std::string(100, 'x')}, xadd.size()),
                                Requested({"PING"}, ping.size())}));
}

TEST(RequestParser, TakesAnyByteInAnArgument) {
  Args args = {"SET", "", "\r\n$3\r\n"s, "a\0b"s};
  for (int byte = 0; byte < 256; ++byte) args.push_back(std::string(3, static_cast<char>(byte)));
  const std::string wire = Multibulk(args);
  EXPECT_EQ(FeedBothWays(wire), std::vector<Event>{Requested(args, wire.size())});
}

TEST(RequestParser, DoesNotCopyTheArgumentsOfAMultibulkRequest) {
  const std::string wire = Multibulk({"ECHO", "hello"});
  RequestParser parser;
  ASSERT_EQ(parser.Parse(wire), Status::kRequest);
  EXPECT_EQ(parser.request()[1].data(), wire.data() + wire.find("hello"));
}

TEST(RequestParser, ShowsTheWireBytesOfARun) {
  for (const std::string& wire : {Multibulk({"XADD", "s", "", "price", "42"}), "XADD s '' price 42\n"s}) {
    RequestParser parser;
    ASSERT_EQ(parser.Parse(wire), Status::kRequest);
    const Request& request = parser.request();
    ASSERT_EQ(request.size(), 5U);
    EXPECT_EQ(request.Raw(1, 5), Bulk("s") + Bulk("") + Bulk("price") + Bulk("42"));
    EXPECT_EQ(request.Raw(3, 5), "$5\r\nprice\r\n$2\r\n42\r\n");
    EXPECT_EQ(request.Raw(2, 3), Bulk(""));
    EXPECT_EQ(request.Raw(4, 4), "");
  }
}

TEST(RequestParser, SkipsWhatHoldsNoRequest) {
  EXPECT_EQ(FeedBothWays("*0\r\n*-1\r\n*-2\r\n*-1000000000000\r\n\r\n\n \t \r\nPING\n"),
            (std::vector<Event>{Skipped(4), Skipped(5), Skipped(5), Skipped(17), Skipped(2), Skipped(1),
                                Skipped(5), Requested({"PING"}, 5)}));
}

TEST(RequestParser, NeedsMoreOfNothing) {
  RequestParser parser;
  EXPECT_EQ(parser.Parse(""), Status::kNeedMore);
  EXPECT_EQ(parser.bytes_needed(), 0U);
}

TEST(RequestParser, SaysHowManyBytesALargeBulkNeeds) {
  RequestParser parser;
  EXPECT_EQ(parser.Parse("*2\r\n$3\r\nGET\r\n$1000"), Status::kNeedMore);
  EXPECT_EQ(parser.bytes_needed(), 0U);
  const std::string head = "*2\r\n$3\r\nGET\r\n$1000\r\n";
  EXPECT_EQ(parser.Parse(head), Status::kNeedMore);
  EXPECT_EQ(parser.bytes_needed(), head.size() + 1002);
  EXPECT_EQ(parser.Parse(head + std::string(1000, 'x') + "\r"), Status::kNeedMore);
  EXPECT_EQ(parser.Parse(head + std::string(1000, 'x') + "\r\n"), Status::kRequest);
  EXPECT_EQ(parser.bytes_needed(), 0U);
}

TEST(RequestParser, RefusesACountThatIsNoCanonicalInteger) {
  for (const char* count : {"",
                            "-",
                            "-0",
                            "+1",
                            "00",
                            "03",
                            " 1",
                            "1 ",
                            "a",
                            "1a",
                            "1.0",
                            "--1",
                            "0x1",
                            "-01",
                            "2147483648",
                            "9223372036854775807",
                            "9223372036854775808",
                            "9999999999999999999",
                            "18446744073709551617",
                            "-99999999999999999999"}) {
    EXPECT_EQ(ErrorOf("*"s + count + "\r\n"), "Protocol error: invalid multibulk length") << count;
  }
  EXPECT_EQ(ErrorOf("*1\rx"), "Protocol error: invalid multibulk length");
  EXPECT_EQ(ErrorOf("*1\n$4\r\nPING\r\n"), "Protocol error: invalid multibulk length");
}

TEST(RequestParser, RefusesALengthThatIsNoCanonicalInteger) {
  for (const char* length :
       {"", "-", "-0", "-1", "-2", "+5", "00", "05", " 5", "5 ", "blabla", "5a", "2000000000",
        "9223372036854775808", "18446744073709551621", "-9223372036854775808"}) {
    EXPECT_EQ(ErrorOf("*1\r\n$"s + length + "\r\n"), "Protocol error: invalid bulk length") << length;
  }
  EXPECT_EQ(ErrorOf("*1\r\n$4\rx"), "Protocol error: invalid bulk length");
}

TEST(RequestParser, RefusesWhatIsNoBulk) {
  EXPECT_EQ(ErrorOf("*1\r\nPING\r\n"), "Protocol error: expected '$', got 'P'");
  EXPECT_EQ(ErrorOf("*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n"), "Protocol error: expected '$', got 'f'");
  // Control bytes must not reach a terminal, a log or the reply's own line end.
  EXPECT_EQ(ErrorOf("*1\r\n\r\n"), "Protocol error: expected '$', got '\\x0d'");
  EXPECT_EQ(ErrorOf("*1\r\n\x1b"), "Protocol error: expected '$', got '\\x1b'");
  EXPECT_EQ(ErrorOf("*1\r\n\0"s), "Protocol error: expected '$', got '\\x00'");
  EXPECT_EQ(ErrorOf("*1\r\n\xff"), "Protocol error: expected '$', got '\\xff'");
}

TEST(RequestParser, RefusesABulkThatDoesNotEndInCrlf) {
  EXPECT_EQ(ErrorOf("*1\r\n$4\r\nPINGxx"), "Protocol error: expected CRLF after bulk");
  EXPECT_EQ(ErrorOf("*1\r\n$4\r\nPING\rx"), "Protocol error: expected CRLF after bulk");
  EXPECT_EQ(ErrorOf("*1\r\n$4\r\nPING\n\r"), "Protocol error: expected CRLF after bulk");
}

TEST(RequestParser, ReportsWhatCameBeforeAnError) {
  const std::vector<Event> events = FeedBothWays("PING\n*1\r\n$-1\r\nPING\n");
  EXPECT_EQ(events,
            (std::vector<Event>{Requested({"PING"}, 5), Failed("Protocol error: invalid bulk length")}));
}

TEST(RequestParser, BeginsAnewAfterAnError) {
  RequestParser parser;
  EXPECT_EQ(parser.Parse("*2\r\n$4\r\nPING\r\nx"), Status::kError);
  EXPECT_EQ(parser.consumed(), 0U);
  EXPECT_EQ(parser.Parse("*1\r\n$4\r\nPING\r\n"), Status::kRequest);
  EXPECT_EQ(parser.request().size(), 1U);
}

TEST(RequestParser, HoldsEveryLimitToTheByte) {
  const RequestLimits limits = {.max_args = 3, .max_bulk_bytes = 8, .max_inline_bytes = 16};
  EXPECT_EQ(ErrorOf(Multibulk({"a", "b", "c"}), limits), "");
  EXPECT_EQ(ErrorOf("*4\r\n", limits), "Protocol error: invalid multibulk length");
  EXPECT_EQ(ErrorOf(Multibulk({"12345678"}), limits), "");
  EXPECT_EQ(ErrorOf("*1\r\n$9\r\n", limits), "Protocol error: invalid bulk length");

  EXPECT_EQ(FeedBothWays("PING 67890123456\n", limits).front().status, Status::kRequest);
  EXPECT_EQ(ErrorOf("PING 678901234567\n", limits), "Protocol error: too big inline request");
  EXPECT_TRUE(FeedBothWays("PING 67890123456", limits).empty());
  EXPECT_EQ(ErrorOf("PING 678901234567", limits), "Protocol error: too big inline request");

  EXPECT_EQ(ErrorOf("*x34567890123456\r\n", limits), "Protocol error: invalid multibulk length");
  EXPECT_EQ(ErrorOf("*x345678901234567\r\n", limits), "Protocol error: too big mbulk count string");
  EXPECT_EQ(ErrorOf("*1\r\n$x34567890123456\r\n", limits), "Protocol error: invalid bulk length");
  EXPECT_EQ(ErrorOf("*1\r\n$x345678901234567\r\n", limits), "Protocol error: too big bulk count string");
}

TEST(RequestParser, RefusesALineThatNeverEnds) {
  const std::string ones(70000, '1');
  EXPECT_EQ(FeedWhole("*" + ones).back(), Failed("Protocol error: too big mbulk count string"));
  EXPECT_EQ(FeedWhole("*1\r\n$" + ones).back(), Failed("Protocol error: too big bulk count string"));
  EXPECT_EQ(FeedWhole(ones).back(), Failed("Protocol error: too big inline request"));
}

TEST(RequestParser, LimitsWhatAStrangerMaySend) {
  const auto feed = [](const std::string& bytes, bool authenticated) {
    RequestParser parser;
    parser.set_authenticated(authenticated);
    const std::vector<Event> events = Feed(
        bytes, [&] { return bytes.size(); }, parser);
    return events.empty() ? "" : events.back().error;
  };
  const std::string many = Multibulk(Args(11, "x"));
  const std::string large = Multibulk({std::string(16385, 'x')});
  EXPECT_EQ(feed(many, false), "Protocol error: unauthenticated multibulk length");
  EXPECT_EQ(feed(large, false), "Protocol error: unauthenticated bulk length");
  EXPECT_EQ(feed(many, true), "");
  EXPECT_EQ(feed(large, true), "");
  EXPECT_EQ(feed(Multibulk(Args(10, "x")), false), "");
  EXPECT_EQ(feed(Multibulk({std::string(16384, 'x')}), false), "");
}

TEST(RequestParser, TakesNewLimitsInTheMiddleOfALine) {
  RequestParser parser;
  EXPECT_EQ(parser.Parse("PING 67890"), Status::kNeedMore);
  parser.set_limits({.max_args = 3, .max_bulk_bytes = 8, .max_inline_bytes = 4});
  EXPECT_EQ(parser.Parse("PING 67890"), Status::kError);
  EXPECT_EQ(parser.error(), "Protocol error: too big inline request");
}

TEST(RequestParser, AnnouncedArgumentsTakeNoMemory) {
  // A thousand connections that announce a million arguments each: 16 GiB, if announcing were enough.
  std::vector<std::unique_ptr<RequestParser>> parsers;
  for (int i = 0; i < 1000; ++i) {
    parsers.push_back(std::make_unique<RequestParser>());
    EXPECT_EQ(parsers.back()->Parse("*1000000\r\n$67108864\r\n"), Status::kNeedMore);
  }
}

TEST(RequestParser, ReadsTheWordsOfAnInlineCommand) {
  const std::string line = "SET 'a key' \"\\x00\\r\\n\" '' $5 *3\n";
  EXPECT_EQ(FeedBothWays(line),
            std::vector<Event>{Requested({"SET", "a key", "\0\r\n"s, "", "$5", "*3"}, line.size())});
  EXPECT_EQ(ErrorOf("ECHO \"a\r\n"), "Protocol error: unbalanced quotes in request");
  EXPECT_EQ(ErrorOf("ECHO 'a'b\n"), "Protocol error: unbalanced quotes in request");
}

TEST(RequestParser, EndsAnInlineCommandAtLfWithOrWithoutCr) {
  EXPECT_EQ(FeedBothWays("PING\nPING\r\nPING\r\r\n"),
            (std::vector<Event>{Requested({"PING"}, 5), Requested({"PING"}, 6), Requested({"PING"}, 7)}));
}

// Many random conversations: what is expected is known from how they were made.
class Conversation {
 public:
  explicit Conversation(uint64_t seed) : random_(seed) {
    const size_t requests = Below(12);
    for (size_t i = 0; i < requests; ++i) AddRequest();
    switch (Below(4)) {
      case 0:
        AddError();
        break;
      case 1:
        wire_ += Multibulk({"GET", "never whole"}).substr(0, 1 + Below(20));
        break;
      default:
        break;
    }
  }

  const std::string& wire() const { return wire_; }
  const std::vector<Event>& expected() const { return expected_; }
  size_t Below(size_t bound) { return std::uniform_int_distribution<size_t>(0, bound - 1)(random_); }

 private:
  void AddRequest() {
    const size_t kind = Below(10);
    if (kind == 0) {
      constexpr std::string_view kNothing[] = {"*0\r\n", "*-1\r\n", "*-77\r\n", "\r\n", "\n", "  \t\r\n"};
      const std::string_view nothing = kNothing[Below(std::size(kNothing))];
      wire_ += nothing;
      expected_.push_back(Skipped(nothing.size()));
      return;
    }
    Args args(1 + Below(kind == 1 ? 60 : 6));
    for (std::string& arg : args) arg = RandomBytes();
    const std::string wire = kind < 4 ? Inline(args) : Multibulk(args);
    wire_ += wire;
    expected_.push_back(Requested(args, wire.size()));
  }

  void AddError() {
    static const std::pair<std::string, std::string> kErrors[] = {
        {"*x\r\n", "invalid multibulk length"},
        {"*2\r\n$1\r\na\r\n$-1\r\n", "invalid bulk length"},
        {"*1\r\n?", "expected '$', got '?'"},
        {"*1\r\n$1\r\nabc", "expected CRLF after bulk"},
        {"GET \"a\r\n", "unbalanced quotes in request"},
        {std::string(65537, 'x'), "too big inline request"},
    };
    const auto& [wire, error] = kErrors[Below(std::size(kErrors) - (Below(20) == 0 ? 0 : 1))];
    wire_ += wire + "PING\r\n";
    expected_.push_back(Failed("Protocol error: " + error));
  }

  std::string RandomBytes() {
    size_t length = Below(12);
    if (Below(40) == 0) length = Below(3000);
    std::string bytes(length, '\0');
    const bool tricky = Below(2) == 0;
    for (char& byte : bytes) byte = tricky ? "\r\n$*1 \"'\\x"[Below(10)] : static_cast<char>(Below(256));
    return bytes;
  }

  std::string Inline(const Args& args) {
    std::string line;
    for (const std::string& arg : args) {
      line += std::string(Below(3), ' ') + "\"";
      for (const char c : arg) {
        constexpr char kHex[] = "0123456789abcdef";
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n' || c == '"' || c == '\\' || Below(4) == 0) {
          line += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
        } else {
          line += c;
        }
      }
      line += "\" ";
    }
    // A '*' in front is no inline command; a quote or a space always is.
    return line + (Below(2) == 0 ? "\n" : "\r\n");
  }

  std::mt19937_64 random_;
  std::string wire_;
  std::vector<Event> expected_;
};

TEST(RequestParserProperty, HowBytesAreSplitChangesNothing) {
  for (uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Conversation talk(seed);
    ASSERT_EQ(FeedWhole(talk.wire()), talk.expected());
    // Every feed gets a copy of what is there, so the longest ones would take too long byte by byte.
    if (talk.wire().size() < 20000) {
      ASSERT_EQ(FeedByteByByte(talk.wire()), talk.expected());
    }
    for (const size_t largest : {size_t{3}, size_t{20}, size_t{5000}}) {
      RequestParser parser;
      ASSERT_EQ(Feed(
                    talk.wire(), [&] { return 1 + talk.Below(largest); }, parser),
                talk.expected());
    }
  }
}

TEST(RequestParserProperty, DamagedBytesAreReadTheSameWayHoweverSplit) {
  const RequestLimits limits = {.max_args = 50, .max_bulk_bytes = 100, .max_inline_bytes = 64};
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Conversation talk(seed);
    std::string wire = talk.wire().substr(0, 2000);
    for (size_t i = 0; i < 3 && !wire.empty(); ++i) {
      wire[talk.Below(wire.size())] = "\r\n$*-0129a\"'\\"[talk.Below(13)];
    }
    const std::vector<Event> events = FeedBothWays(wire, limits);
    RequestParser parser(limits);
    ASSERT_EQ(Feed(
                  wire, [&] { return 1 + talk.Below(30); }, parser),
              events);
  }
}

// Scanned again from its beginning at every byte, any of these would take minutes.
TEST(RequestParserProperty, FeedingByteByByteTakesLinearTime) {
  constexpr size_t kMiB = 1024 * 1024;
  const RequestLimits limits = {.max_args = kMiB, .max_bulk_bytes = kMiB, .max_inline_bytes = 2 * kMiB};
  const struct {
    std::string wire;
    Status last;
  } cases[] = {
      {Multibulk({"SET", "k", std::string(kMiB, 'x')}), Status::kRequest},
      {Multibulk(Args(150000, "x")), Status::kRequest},
      {"ECHO " + std::string(kMiB, 'x') + "\r\n", Status::kRequest},
      {"*" + std::string(kMiB, '1') + "\r\n", Status::kError},
      {"*1\r\n$" + std::string(kMiB, '1') + "\r\n", Status::kError},
  };
  for (const auto& [wire, last] : cases) {
    SCOPED_TRACE(wire.substr(0, 20));
    RequestParser parser(limits);
    const auto begin = std::chrono::steady_clock::now();
    size_t fed = 1;
    Status status = Status::kNeedMore;
    while (fed < wire.size() && status == Status::kNeedMore) {
      status = parser.Parse(std::string_view(wire).substr(0, fed++));
    }
    if (status == Status::kNeedMore) status = parser.Parse(wire);
    EXPECT_EQ(status, last);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  }
}

}  // namespace
}  // namespace sluice::protocol
