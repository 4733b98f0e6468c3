// The happy path: "*<count>\r\n" says how many arguments come, then count times "$<length>\r\n", the bytes
// and
// "\r\n". Each argument's place is noted as it passes; when the last is there, the places become views.
//
// What else can happen:
//   the input ends      -> kNeedMore. position_, missing_ and bulk_length_ say where to go on; a line whose
//   end is
//                          not in sight is read again from its beginning, which its few digits keep cheap,
//                          and one that is no number is only searched for its end, from scanned_ on.
//   no '*' in front     -> an inline command: find the line's end, take its words.
//   a rule is broken    -> kError, as soon as the byte that breaks it is there.
#include "protocol/request_parser.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "protocol/inline_word.h"
#include "protocol/integer_line.h"
#include "protocol/reply_writer.h"

namespace sluice::protocol {
namespace {

// What a parser keeps between requests; what a larger one took is freed. Most connections are idle most of
// the time, and there are many of them.
constexpr size_t kKeptArgs = 1024;
constexpr size_t kKeptInlineBytes = size_t{16} * 1024;

// Whether `text`, for which ReadInteger() found none, may become the line of one with more bytes behind it.
bool MayBecomeInteger(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  // One digit too many is enough to know: a line of a million digits is asked about at each of them.
  const size_t most = std::min(text.size(), kMaxIntegerDigits + 1);
  size_t digits = 0;
  while (digits < most && text[digits] >= '0' && text[digits] <= '9') ++digits;
  return digits <= kMaxIntegerDigits && (digits == text.size() || text.substr(digits) == "\r");
}

// `c` in a form that may be printed in a reply and in a log.
std::string Printable(char c) {
  if (c >= ' ' && c <= '~') return {c};
  constexpr char kHex[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
}

}  // namespace

RequestParser::Status RequestParser::Parse(std::string_view input) {
  assert(input.size() >= position_);  // after kNeedMore the same bytes come again
  consumed_ = 0;
  if (position_ == 0) GiveBackMemory();
  if (input.empty()) return Status::kNeedMore;
  if (input.front() != '*') return ParseInline(input);
  if (missing_ == 0) {
    const Status status = ParseCount(input);
    if (missing_ == 0) return status;
  }
  return ParseArguments(input);
}

size_t RequestParser::bytes_needed() const {
  return bulk_length_ == kNoBulk ? 0 : position_ + bulk_length_ + 2;
}

// Either leaves missing_ > 0, or 0 and the status to return.
RequestParser::Status RequestParser::ParseCount(std::string_view input) {
  const Integer count = ReadInteger(input.data() + 1, input.data() + input.size());
  if (count.next == nullptr) {
    return NoInteger(input, "Protocol error: invalid multibulk length",
                     "Protocol error: too big mbulk count string");
  }
  const auto consumed = static_cast<size_t>(count.next - input.data());
  if (count.value <= 0) return Empty(consumed);
  if (static_cast<uint64_t>(count.value) > limits_.max_args) {
    return Fail("Protocol error: invalid multibulk length");
  }
  if (!authenticated_ && static_cast<uint64_t>(count.value) > kUnauthenticatedMaxArgs) {
    return Fail("Protocol error: unauthenticated multibulk length");
  }
  missing_ = static_cast<size_t>(count.value);
  position_ = consumed;
  return Status::kNeedMore;
}

RequestParser::Status RequestParser::ParseArguments(std::string_view input) {
  const char* const begin = input.data();
  const char* const end = begin + input.size();
  const char* p = begin + position_;
  size_t bulk_length = bulk_length_;
  size_t missing = missing_;
  const auto stop_at = [&](const char* where) {
    position_ = static_cast<size_t>(where - begin);
    bulk_length_ = bulk_length;
    missing_ = missing;
    return Status::kNeedMore;
  };
  for (;;) {
    if (bulk_length == kNoBulk) {
      if (p == end) return stop_at(p);
      if (*p != '$') return Fail("Protocol error: expected '$', got '" + Printable(*p) + "'");
      const Integer length = ReadInteger(p + 1, end);
      if (length.next == nullptr) {
        stop_at(p);
        return NoInteger(input, "Protocol error: invalid bulk length",
                         "Protocol error: too big bulk count string");
      }
      if (length.value < 0 || static_cast<uint64_t>(length.value) > limits_.max_bulk_bytes) {
        return Fail("Protocol error: invalid bulk length");
      }
      if (!authenticated_ && static_cast<uint64_t>(length.value) > kUnauthenticatedMaxBulkBytes) {
        return Fail("Protocol error: unauthenticated bulk length");
      }
      bulk_length = static_cast<size_t>(length.value);
      p = length.next;
    }

    const auto there = static_cast<size_t>(end - p);
    if (there < bulk_length || there - bulk_length < 2) return stop_at(p);
    const char* const tail = p + bulk_length;
    if (tail[0] != '\r' || tail[1] != '\n') return Fail("Protocol error: expected CRLF after bulk");
    places_.push_back({static_cast<size_t>(p - begin), bulk_length});
    p = tail + 2;
    bulk_length = kNoBulk;
    if (--missing == 0) return Finish(begin, static_cast<size_t>(p - begin));
  }
}

// ReadInteger() found none behind the marker at position_. Which error that is depends on whether the line
// ends within its limit, and that may take more bytes to tell.
RequestParser::Status RequestParser::NoInteger(std::string_view input, std::string_view malformed,
                                               std::string_view too_long) {
  if (MayBecomeInteger(input.substr(position_ + 1))) return Status::kNeedMore;
  if (FindInLine(input, '\r') != kNotFound) return Fail(malformed);
  return LineIsTooLong(input) ? Fail(too_long) : Status::kNeedMore;
}

RequestParser::Status RequestParser::ParseInline(std::string_view input) {
  const size_t end = FindInLine(input, '\n');
  if (end == kNotFound) {
    return LineIsTooLong(input) ? Fail("Protocol error: too big inline request") : Status::kNeedMore;
  }

  std::string_view line = input.substr(0, end);
  const size_t consumed = end + 1;
  inline_args_.clear();
  ReplyWriter bulks(inline_args_, Version::kResp2);
  for (;;) {
    switch (TakeInlineWord(line, word_)) {
      case InlineWord::kWord:
        break;
      case InlineWord::kEnd:
        return places_.empty() ? Empty(consumed) : Finish(inline_args_.data(), consumed);
      case InlineWord::kUnbalanced:
        return Fail("Protocol error: unbalanced quotes in request");
    }
    bulks.Bulk(word_);
    places_.push_back({inline_args_.size() - 2 - word_.size(), word_.size()});
  }
}

// Where `wanted` is in the line at position_, no further than a line may reach. What was searched once is not
// searched again.
size_t RequestParser::FindInLine(std::string_view input, char wanted) {
  const size_t from = std::max(position_, scanned_);
  const size_t to = LineIsTooLong(input) ? position_ + limits_.max_inline_bytes + 1 : input.size();
  if (from >= to) return kNotFound;
  const auto* found = static_cast<const char*>(std::memchr(input.data() + from, wanted, to - from));
  if (found != nullptr) return static_cast<size_t>(found - input.data());
  scanned_ = to;
  return kNotFound;
}

// Whether the line at position_, whose end was not found, can no longer end within its limit.
bool RequestParser::LineIsTooLong(std::string_view input) const {
  return input.size() - position_ > limits_.max_inline_bytes;
}

// All arguments are there; their places are offsets from `base`.
RequestParser::Status RequestParser::Finish(const char* base, size_t consumed) {
  const size_t count = places_.size();
  if (args_.size() < count) args_.resize(count);
  for (size_t i = 0; i < count; ++i) args_[i] = {base + places_[i].offset, places_[i].length};
  request_ = Request({args_.data(), count});
  consumed_ = consumed;
  StartOver();
  return Status::kRequest;
}

RequestParser::Status RequestParser::Empty(size_t consumed) {
  consumed_ = consumed;
  StartOver();
  return Status::kEmpty;
}

RequestParser::Status RequestParser::Fail(std::string_view text) {
  error_ = text;
  StartOver();
  return Status::kError;
}

void RequestParser::StartOver() {
  position_ = 0;
  scanned_ = 0;
  missing_ = 0;
  bulk_length_ = kNoBulk;
  places_.clear();
}

// The last request is over, so nobody looks at its views any more.
void RequestParser::GiveBackMemory() {
  if (args_.size() > kKeptArgs) {
    request_ = {};
    std::vector<std::string_view>().swap(args_);
  }
  if (places_.capacity() > 2 * kKeptArgs) std::vector<Place>().swap(places_);
  if (inline_args_.capacity() > kKeptInlineBytes) std::string().swap(inline_args_);
  if (word_.capacity() > kKeptInlineBytes) std::string().swap(word_);
}

}  // namespace sluice::protocol
