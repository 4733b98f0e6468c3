// What the server told the crowd and the workers: what it has to answer for.
#pragma once

#include <charconv>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::flash_sale {

struct OrderId {
  uint64_t ms = 0;
  uint64_t sequence = 0;

  auto operator<=>(const OrderId&) const = default;
  std::string text() const { return std::to_string(ms) + "-" + std::to_string(sequence); }
};

inline std::optional<OrderId> ParseOrderId(std::string_view text) {
  OrderId id;
  const char* end = text.data() + text.size();
  const auto ms = std::from_chars(text.data(), end, id.ms);
  if (ms.ec != std::errc() || ms.ptr == end || *ms.ptr != '-') return std::nullopt;
  const auto sequence = std::from_chars(ms.ptr + 1, end, id.sequence);
  if (sequence.ec != std::errc() || sequence.ptr != end) return std::nullopt;
  return id;
}

// Codes of the SECKILL commands (docs/seckill.md) that a sale meets.
namespace code {
constexpr int64_t kOk = 0, kSoldOut = 1, kLimit = 2, kExpired = 10, kCancelled = 11, kAlready = 14;
constexpr size_t kCount = 15;
constexpr const char* kNames[kCount] = {"OK",      "SOLD_OUT",  "LIMIT",    "NOT_STARTED", "ENDED",
                                        "NO_ITEM", "PAUSED",    "RATE",     "BUSY",        "REQID_MISMATCH",
                                        "EXPIRED", "CANCELLED", "NO_ORDER", "CONFIRMED",   "ALREADY"};
}  // namespace code

struct Told {
  OrderId order;
  uint32_t attempt;
};

struct Evidence {
  static constexpr uint8_t kUnanswered = 255;

  std::vector<uint8_t> outcomes;   // by attempt: a code; a success outweighs a refusal
  std::vector<Told> told;          // orders, as often as they were told
  std::vector<uint32_t> lost;      // attempts that got no answer at least once
  std::vector<OrderId> confirmed;  // that a worker was told are sold
};

}  // namespace sluice::flash_sale
