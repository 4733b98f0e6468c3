// When a key ends, as clients say it: EX seconds, PX milliseconds, EXAT and PXAT for points in time.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "server/commands/context.h"

namespace sluice::commands {

enum class ExpiryUnit : uint8_t { kSeconds, kMilliseconds };

// The unix time in milliseconds that `text` means, from now on or since the epoch. nullopt: not a number, or
// no time that a clock could show; the error, which names the command, is replied.
std::optional<int64_t> ParseExpiry(Context& ctx, std::string_view text, ExpiryUnit unit, bool from_now);

// The same for the options of SET and its like, where a time below 1 is an error too. `i` is where the word
// stands; where it is EX, PX, EXAT or PXAT and a number follows, `i` moves to the number and `unix_ms` is
// set. `bad`: the error is replied.
struct ExpiryOption {
  bool taken = false;
  bool bad = false;
};
ExpiryOption ParseExpiryOption(Context& ctx, size_t& i, std::optional<uint64_t>& unix_ms);

}  // namespace sluice::commands
