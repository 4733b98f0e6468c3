#include "protocol/reply_writer.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace sluice::protocol {
namespace {

// The longest is like "-2.2250738585072014e-308".
constexpr size_t kMaxDouble = 32;

std::string_view FormatDouble(double value, char (&buffer)[kMaxDouble]) {
  // A NaN's sign means nothing, but to_chars would write it.
  if (std::isnan(value)) return "nan";

  // Up to here every integer is a double. Beyond, the shortest form does not claim digits that nobody knows;
  // for round numbers below it is "1e+05", which few readers expect of a count.
  constexpr double kExactIntegers = 9007199254740992.0;
  const bool negative_zero = value == 0 && std::signbit(value);
  const bool exact_integer = std::fabs(value) <= kExactIntegers && std::trunc(value) == value;
  char* const limit = buffer + kMaxDouble;
  const std::to_chars_result written = exact_integer && !negative_zero
                                           ? std::to_chars(buffer, limit, static_cast<int64_t>(value))
                                           : std::to_chars(buffer, limit, value);
  return {buffer, static_cast<size_t>(written.ptr - buffer)};
}

}  // namespace

void ReplyWriter::Simple(std::string_view text) {
  out_.push_back('+');
  AppendOneLine(text);
}

void ReplyWriter::Error(std::string_view text) {
  if (text.empty() || text.front() != '-') out_.append("-ERR ");
  AppendOneLine(text);
}

void ReplyWriter::Integer(int64_t value) {
  if (value >= 0) return Line(':', static_cast<size_t>(value));
  char line[kMaxLine] = ":-";
  const size_t magnitude = size_t{0} - static_cast<size_t>(value);
  char* end = std::to_chars(line + 2, line + sizeof line - 2, magnitude).ptr;
  std::memcpy(end, "\r\n", 2);
  out_.append(line, end + 2);
}

void ReplyWriter::BulkInteger(int64_t value) {
  char digits[20];
  const char* end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  Bulk({digits, static_cast<size_t>(end - digits)});
}

void ReplyWriter::Map(size_t pairs) {
  if (resp3()) {
    Line('%', pairs);
  } else {
    Array(2 * pairs);
  }
}

void ReplyWriter::Double(double value) {
  char buffer[kMaxDouble];
  const std::string_view text = FormatDouble(value, buffer);
  if (!resp3()) return Bulk(text);
  out_.push_back(',');
  out_.append(text);
  out_.append("\r\n", 2);
}

void ReplyWriter::BigNumber(std::string_view digits) {
  if (!resp3()) return Bulk(digits);
  out_.push_back('(');
  AppendOneLine(digits);
}

void ReplyWriter::Boolean(bool value) {
  if (!resp3()) return Integer(value ? 1 : 0);
  out_.append(value ? "#t\r\n" : "#f\r\n");
}

void ReplyWriter::Verbatim(std::string_view format, std::string_view text) {
  assert(format.size() == 3);
  if (!resp3()) return Bulk(text);
  Line('=', format.size() + 1 + text.size());
  out_.append(format);
  out_.push_back(':');
  out_.append(text);
  out_.append("\r\n", 2);
}

void ReplyWriter::End(size_t begin, char type, size_t number) {
  char line[kMaxLine];
  const size_t expected_bytes = out_.find('\n', begin) + 1 - begin;
  out_.replace(begin, expected_bytes, std::string_view(line, WriteLine(line, type, number)));
}

// The rest of a line, and its end. A CR or LF inside would be taken for that end, so they become spaces.
void ReplyWriter::AppendOneLine(std::string_view text) {
  const size_t begin = out_.size();
  out_.append(text);
  std::replace_if(
      out_.begin() + static_cast<std::ptrdiff_t>(begin), out_.end(),
      [](char c) { return c == '\r' || c == '\n'; }, ' ');
  out_.append("\r\n", 2);
}

}  // namespace sluice::protocol
