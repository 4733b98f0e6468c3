#include "tests/harness/expectation.h"

#include <algorithm>
#include <cctype>
#include <regex>

namespace sluice::tests {
namespace {

const std::regex kPlaceholder("<(int|id|any)(:([a-z][a-z0-9]*))?>");

std::string PatternOf(const std::string& kind) {
  if (kind == "int") return "(-?[0-9]+)";
  if (kind == "id") return "([0-9]+-[0-9]+)";
  return "(.*)";
}

std::string Escaped(const std::string& literal) {
  std::string out;
  for (const char c : literal) {
    if (std::ispunct(static_cast<unsigned char>(c)) != 0) out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

bool LineMatches(const std::string& expected_as_written, const std::string& actual, Captures& captures) {
  const std::string expected = Substitute(expected_as_written, captures);
  if (expected == actual) return true;
  std::string pattern;
  std::vector<std::string> names;
  size_t literal = 0;
  for (std::sregex_iterator it(expected.begin(), expected.end(), kPlaceholder), end; it != end; ++it) {
    pattern += Escaped(expected.substr(literal, static_cast<size_t>(it->position()) - literal));
    pattern += PatternOf(it->str(1));
    names.push_back(it->str(3));
    literal = static_cast<size_t>(it->position() + it->length());
  }
  if (names.empty()) return false;
  pattern += Escaped(expected.substr(literal));
  std::smatch match;
  if (!std::regex_match(actual, match, std::regex(pattern))) return false;
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) continue;
    // The same name twice in one reply means the same thing twice.
    const auto [known, added] = captures.try_emplace(names[i], match.str(i + 1));
    if (!added && known->second != match.str(i + 1)) return false;
  }
  return true;
}

bool IsEllipsis(const std::string& line) {
  const size_t first = line.find_first_not_of(' ');
  return first != std::string::npos && line.substr(first) == "...";
}

bool MatchFrom(const std::vector<std::string>& expected, size_t e, const std::vector<std::string>& actual, size_t a,
               Captures& captures) {
  for (; e < expected.size(); ++e, ++a) {
    if (IsEllipsis(expected[e])) {
      for (; a <= actual.size(); ++a) {
        Captures tried = captures;
        if (MatchFrom(expected, e + 1, actual, a, tried)) {
          captures = std::move(tried);
          return true;
        }
      }
      return false;
    }
    if (a >= actual.size() || !LineMatches(expected[e], actual[a], captures)) return false;
  }
  return a == actual.size();
}

}  // namespace

std::string Substitute(const std::string& text, const Captures& captures) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    size_t length = 0;
    if (text[at] == '$') {
      // The longest known name that stands here.
      for (const auto& [name, value] : captures) {
        if (name.size() > length && text.compare(at + 1, name.size(), name) == 0) length = name.size();
      }
    }
    if (length == 0) {
      out.push_back(text[at++]);
    } else {
      out += captures.at(text.substr(at + 1, length));
      at += length + 1;
    }
  }
  return out;
}

bool Matches(const std::vector<std::string>& expected, const std::vector<std::string>& actual, Captures& captures) {
  Captures tried = captures;
  if (!MatchFrom(expected, 0, actual, 0, tried)) return false;
  captures = std::move(tried);
  return true;
}

}  // namespace sluice::tests
