// A position in the log.
#pragma once

#include <cstdint>

namespace sluice::storage {

// Log sequence number: a byte position in the whole log, from 0 at the first byte of its first segment.
enum class Lsn : uint64_t {};

constexpr uint64_t Value(Lsn lsn) {
  return static_cast<uint64_t>(lsn);
}
constexpr Lsn operator+(Lsn lsn, uint64_t bytes) {
  return Lsn{Value(lsn) + bytes};
}
constexpr uint64_t operator-(Lsn a, Lsn b) {
  return Value(a) - Value(b);
}

}  // namespace sluice::storage
