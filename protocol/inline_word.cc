#include "protocol/inline_word.h"

#include <cstddef>

namespace sluice::protocol {
namespace {

// What separates words. Inside a plain word \v and \f do not, as in Redis.
bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

bool EndsPlainWord(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// The value of a hexadecimal digit, or -1.
int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char Unescape(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return c;
  }
}

// Both take what stands behind an opening quote and return the bytes used, the closing quote included; 0 when
// it is missing.
size_t DecodeDoubleQuoted(std::string_view text, std::string& word) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') return i + 1;
    if (text[i] != '\\' || i + 1 == text.size()) {
      word.push_back(text[i]);
      continue;
    }
    const int high = i + 3 < text.size() && text[i + 1] == 'x' ? HexValue(text[i + 2]) : -1;
    const int low = high >= 0 ? HexValue(text[i + 3]) : -1;
    if (low >= 0) {
      word.push_back(static_cast<char>(high * 16 + low));
      i += 3;
    } else {
      word.push_back(Unescape(text[i + 1]));
      i += 1;
    }
  }
  return 0;
}

size_t DecodeSingleQuoted(std::string_view text, std::string& word) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\'') return i + 1;
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '\'') ++i;
    word.push_back(text[i]);
  }
  return 0;
}

}  // namespace

InlineWord TakeInlineWord(std::string_view& line, std::string& word) {
  size_t at = 0;
  while (at < line.size() && IsSpace(line[at])) ++at;
  line.remove_prefix(at);
  if (line.empty()) return InlineWord::kEnd;

  word.clear();
  for (at = 0; at < line.size() && !EndsPlainWord(line[at]); ++at) {
    const char c = line[at];
    if (c != '"' && c != '\'') {
      word.push_back(c);
      continue;
    }
    const std::string_view quoted = line.substr(at + 1);
    const size_t used = c == '"' ? DecodeDoubleQuoted(quoted, word) : DecodeSingleQuoted(quoted, word);
    if (used == 0) return InlineWord::kUnbalanced;
    line = quoted.substr(used);
    return line.empty() || IsSpace(line.front()) ? InlineWord::kWord : InlineWord::kUnbalanced;
  }
  line.remove_prefix(at);
  return InlineWord::kWord;
}

}  // namespace sluice::protocol
