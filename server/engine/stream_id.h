// The ID of a stream entry.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

#include "server/engine/decimal.h"

namespace sluice::engine {

// Milliseconds and sequence, ordered by milliseconds first; written "ms-seq". 0-0 is no entry's ID.
struct StreamId {
  uint64_t ms = 0;
  uint64_t seq = 0;

  friend constexpr auto operator<=>(const StreamId&, const StreamId&) = default;
};

inline constexpr StreamId kMinStreamId{0, 0};
inline constexpr StreamId kMaxStreamId{UINT64_MAX, UINT64_MAX};

// The next ID in order; nullopt after the last one.
constexpr std::optional<StreamId> Next(StreamId id) {
  if (id == kMaxStreamId) return std::nullopt;
  if (id.seq == UINT64_MAX) return StreamId{id.ms + 1, 0};
  return StreamId{id.ms, id.seq + 1};
}

// The ID before; nullopt before 0-0.
constexpr std::optional<StreamId> Previous(StreamId id) {
  if (id == kMinStreamId) return std::nullopt;
  if (id.seq == 0) return StreamId{id.ms - 1, UINT64_MAX};
  return StreamId{id.ms, id.seq - 1};
}

// "ms-seq" without an allocation: the text lives in this object.
class StreamIdText {
 public:
  explicit StreamIdText(StreamId id) {
    char* end = WriteDecimal(text_, id.ms);
    *end++ = '-';
    end = WriteDecimal(end, id.seq);
    size_ = static_cast<uint8_t>(end - text_);
  }
  std::string_view view() const {
    if (size_ > sizeof text_) __builtin_unreachable();  // or the compiler fears for those who copy it
    return {text_, size_};
  }

 private:
  char text_[20 + 1 + kDecimalRoom];  // "ms-seq"
  uint8_t size_;
};

}  // namespace sluice::engine
