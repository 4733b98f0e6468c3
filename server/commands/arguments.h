// Arguments as text -> values, as strictly as Redis reads them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/engine/stream_id.h"

namespace sluice::commands {

// A decimal integer of 64 bits: an optional '-', no '+', no space, no leading zero.
std::optional<int64_t> ParseInteger(std::string_view text);

// A finite or infinite decimal number, without spaces around it.
std::optional<double> ParseDouble(std::string_view text);

// True where `text` is `word` in any case; `word` is in upper case.
bool IsWord(std::string_view text, std::string_view word);

std::string ToLower(std::string_view text);

// "ms-seq", or "ms" alone, whose sequence is then `missing_seq`. Not "-", "+", "*", "$".
std::optional<engine::StreamId> ParseStreamId(std::string_view text, uint64_t missing_seq = 0);
// The same, and "-" and "+" for the least and the greatest ID.
std::optional<engine::StreamId> ParseLooseStreamId(std::string_view text, uint64_t missing_seq = 0);

// A bound of an interval: an ID, "-" or "+", or "(" and an ID that is excluded.
struct RangeBound {
  engine::StreamId id;
  bool exclusive = false;
};
std::optional<RangeBound> ParseRangeBound(std::string_view text, uint64_t missing_seq);

// The bulk string of one argument, appended to `out`.
void AppendBulk(std::string& out, std::string_view bytes);

}  // namespace sluice::commands
