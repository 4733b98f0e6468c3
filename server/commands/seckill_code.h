// What the SECKILL commands answer. The numbers are the protocol's.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sluice::commands {

enum class SaleCode : int64_t {
  kOk = 0,
  kSoldOut = 1,
  kLimit = 2,
  kNotStarted = 3,
  kEnded = 4,
  kNoItem = 5,
  kPaused = 6,
  kRate = 7,
  kBusy = 8,
  kRequestMismatch = 9,
  kExpired = 10,
  kCancelled = 11,
  kNoOrder = 12,
  kConfirmed = 13,
  kAlready = 14,
};

// Of the codes that a try can get, and of what comes after them in SaleStatistics: tries that were answered
// as an earlier one was.
inline constexpr std::array<std::string_view, 11> kTryNames = {
    "ok",     "sold-out", "limit", "not-started",    "ended",   "no-item",
    "paused", "rate",     "busy",  "reqid-mismatch", "replayed"};
inline constexpr size_t kReplayedTry = 10;

}  // namespace sluice::commands
