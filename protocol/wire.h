// Pieces of a reply or a request, written where there is room for them: several of them become one append.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace sluice::protocol {

// What "<type><number>\r\n" takes at most, and a bulk string beside its bytes.
inline constexpr size_t kMaxLine = 1 + 20 + 2;
inline constexpr size_t kBulkFrame = kMaxLine + 2;

// "<type><number>\r\n" at `out`, which has kMaxLine; returns its end.
inline char* WriteLine(char* out, char type, size_t number) {
  // Most lengths and counts have one digit or two: no need to ask how many.
  *out++ = type;
  if (number < 10) {
    *out++ = static_cast<char>('0' + number);
  } else if (number < 100) {
    *out++ = static_cast<char>('0' + number / 10);
    *out++ = static_cast<char>('0' + number % 10);
  } else {
    out = std::to_chars(out, out + 20, number).ptr;
  }
  std::memcpy(out, "\r\n", 2);
  return out + 2;
}

// Bytes of which one is another: what differs in a digit from what was written before. It is changed where
// the bytes are copied to, for a processor that copies what it has just changed waits until the change is in
// its cache, behind all that it stored before.
struct AlteredBytes {
  std::string_view bytes;
  size_t at = 0;
  char byte = 0;

  size_t size() const { return bytes.size(); }
  // At `out`, which has room for them; returns their end.
  char* WriteTo(char* out) const {
    std::memcpy(out, bytes.data(), bytes.size());
    out[at] = byte;
    return out + bytes.size();
  }
};

// A bulk string at `out`, which has kBulkFrame + bytes.size(); returns its end.
inline char* WriteBulk(char* out, std::string_view bytes) {
  out = WriteLine(out, '$', bytes.size());
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  out += bytes.size();
  std::memcpy(out, "\r\n", 2);
  return out + 2;
}

}  // namespace sluice::protocol
