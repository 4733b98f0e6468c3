// The line of an integer: a count, a length.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::protocol {

// As many digits as fit into 64 bits whatever they are.
inline constexpr size_t kMaxIntegerDigits = 19;

struct Integer {
  const char* next;  // behind its line; nullptr if the line is not whole or not an integer
  int64_t value;
};

// ReadInteger() of any length.
__attribute__((noinline)) inline Integer ReadAnyInteger(const char* p, const char* end) {
  constexpr Integer kNone = {nullptr, 0};
  const bool negative = p != end && *p == '-';
  if (negative) ++p;
  const char* const digits = p;
  const char* const last = static_cast<size_t>(end - p) > kMaxIntegerDigits ? p + kMaxIntegerDigits : end;
  uint64_t magnitude = 0;
  for (; p != last; ++p) {
    const auto digit = static_cast<unsigned char>(*p - '0');
    if (digit > 9) break;
    magnitude = magnitude * 10 + digit;
  }
  if (end - p < 2 || p[0] != '\r' || p[1] != '\n') return kNone;
  if (p == digits || (*digits == '0' && (negative || p - digits > 1)) || magnitude > INT64_MAX) return kNone;
  return {p + 2, negative ? -static_cast<int64_t>(magnitude) : static_cast<int64_t>(magnitude)};
}

// Reads "<integer>\r\n" from the front of [p, end). Only the one way to write an integer is taken: these
// bytes may be stored, and equal requests should be equal bytes.
inline Integer ReadInteger(const char* p, const char* end) {
  // Most have one digit or two.
  if (end - p >= 4) {
    const auto first = static_cast<unsigned char>(p[0] - '0');
    if (first <= 9 && p[1] == '\r' && p[2] == '\n') return {p + 3, first};
    const auto second = static_cast<unsigned char>(p[1] - '0');
    if (first - 1u < 9 && second <= 9 && p[2] == '\r' && p[3] == '\n') return {p + 4, first * 10 + second};
  }
  return ReadAnyInteger(p, end);
}

}  // namespace sluice::protocol
