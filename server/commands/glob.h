// Patterns as KEYS, SCAN and CONFIG GET take them.
#pragma once

#include <string_view>

namespace sluice::commands {

// `*` any run of bytes, `?` one byte, `[abc]`, `[a-z]`, `[^a]` one of (or one not of) a set, `\x` the byte x.
// Matches the whole text. Time O(pattern x text) at worst and constant space, whatever the pattern.
bool GlobMatches(std::string_view pattern, std::string_view text, bool ignore_case = false);

}  // namespace sluice::commands
