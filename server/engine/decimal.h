// Numbers as decimal text, on the paths where each message takes two of them.
#pragma once

#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>

namespace sluice::engine {

// The text of a number has up to 20 digits; what is behind the digits is overwritten up to here.
inline constexpr size_t kDecimalRoom = 24;

// The 8 digits of a number below 10^8, the first in the lowest byte, without '0' added: halves, quarters and
// then digits are split side by side in one word.
constexpr uint64_t EightDigits(uint32_t value) {
  const uint64_t halves = value / 10000 | uint64_t{value % 10000} << 32;
  const uint64_t hundreds = ((halves * 10486) >> 20) & 0x0000007F0000007Full;
  const uint64_t quarters = hundreds | (halves - hundreds * 100) << 16;
  const uint64_t tens = ((quarters * 103) >> 10) & 0x000F000F000F000Full;
  return tens | (quarters - tens * 10) << 8;
}

// Writes at `out`, which has kDecimalRoom, and returns the end of the digits.
inline char* WriteDecimal(char* out, uint64_t value) {
  static_assert(std::endian::native == std::endian::little);
  constexpr uint64_t kZeros = 0x3030303030303030;
  constexpr uint32_t kEight = 100'000'000;
  const auto put = [&out](uint64_t digits, int skipped) {
    digits = (digits | kZeros) >> (8 * skipped);
    std::memcpy(out, &digits, sizeof digits);
    out += 8 - skipped;
  };
  if (value < 10) {
    *out = static_cast<char>('0' + value);
    return out + 1;
  }
  if (value < kEight) {
    const uint64_t digits = EightDigits(static_cast<uint32_t>(value));
    put(digits, std::countr_zero(digits) / 8);
    return out;
  }
  if (value < uint64_t{kEight} * kEight) {
    const uint64_t digits = EightDigits(static_cast<uint32_t>(value / kEight));
    put(digits, std::countr_zero(digits) / 8);
    put(EightDigits(static_cast<uint32_t>(value % kEight)), 0);
    return out;
  }
  return std::to_chars(out, out + kDecimalRoom, value).ptr;
}

}  // namespace sluice::engine
