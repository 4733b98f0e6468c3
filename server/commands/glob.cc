#include "server/commands/glob.h"

#include <cstddef>

namespace sluice::commands {
namespace {

unsigned char Fold(char c, bool ignore_case) {
  const auto byte = static_cast<unsigned char>(c);
  return ignore_case && byte >= 'A' && byte <= 'Z' ? static_cast<unsigned char>(byte - 'A' + 'a') : byte;
}

// Matches one byte against the pattern's element at `p`; moves `p` behind the element.
bool MatchesOne(std::string_view pattern, size_t& p, char byte, bool ignore_case) {
  const unsigned char c = Fold(byte, ignore_case);
  const char head = pattern[p++];
  if (head == '?') return true;
  if (head == '\\' && p < pattern.size()) return Fold(pattern[p++], ignore_case) == c;
  if (head != '[') return Fold(head, ignore_case) == c;

  const bool negated = p < pattern.size() && pattern[p] == '^';
  if (negated) ++p;
  bool found = false;
  for (; p < pattern.size() && pattern[p] != ']'; ++p) {
    if (pattern[p] == '\\' && p + 1 < pattern.size()) {
      ++p;
      found |= Fold(pattern[p], ignore_case) == c;
    } else if (p + 2 < pattern.size() && pattern[p + 1] == '-') {
      unsigned char low = Fold(pattern[p], ignore_case);
      unsigned char high = Fold(pattern[p + 2], ignore_case);
      if (low > high) {
        const unsigned char swapped = low;
        low = high;
        high = swapped;
      }
      found |= low <= c && c <= high;
      p += 2;
    } else {
      found |= Fold(pattern[p], ignore_case) == c;
    }
  }
  if (p < pattern.size()) ++p;  // a set without its end runs to the pattern's
  return found != negated;
}

}  // namespace

// Greedy with one point of return: when what follows the last `*` fails, that `*` takes one byte more.
// Earlier ones need no second try, since the last one can take whatever they could have left.
bool GlobMatches(std::string_view pattern, std::string_view text, bool ignore_case) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;  // the pattern behind the last `*`
  size_t star_text = 0;                  // where its run ends for now
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      star_text = t;
      continue;
    }
    if (p < pattern.size() && MatchesOne(pattern, p, text[t], ignore_case)) {
      ++t;
      continue;
    }
    if (star == std::string_view::npos) return false;
    p = star;
    t = ++star_text;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace sluice::commands
