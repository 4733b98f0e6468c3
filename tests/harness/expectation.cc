#include "tests/harness/expectation.h"

#include <cctype>
#include <optional>
#include <string_view>

namespace sluice::tests {
namespace {

// "<kind>" or "<kind:name>".
struct Placeholder {
  std::string_view kind;
  std::string_view name;
  size_t size = 0;  // as written
};

std::optional<Placeholder> PlaceholderAt(std::string_view text) {
  for (const std::string_view kind : {"int", "id", "any"}) {
    if (!text.starts_with('<') || text.substr(1, kind.size()) != kind) continue;
    size_t end = 1 + kind.size();
    std::string_view name;
    if (end < text.size() && text[end] == ':') {
      const size_t begin = ++end;
      while (end < text.size() && std::isalnum(static_cast<unsigned char>(text[end])) != 0) ++end;
      if (end == begin) continue;
      name = text.substr(begin, end - begin);
    }
    if (end < text.size() && text[end] == '>') return Placeholder{kind, name, end + 1};
  }
  return std::nullopt;
}

bool AllDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool IsOfKind(std::string_view kind, std::string_view text) {
  if (kind == "any") return true;
  if (kind == "int") return AllDigits(text.starts_with('-') ? text.substr(1) : text);
  const size_t dash = text.find('-');
  return dash != std::string_view::npos && AllDigits(text.substr(0, dash)) && AllDigits(text.substr(dash + 1));
}

bool TextMatches(std::string_view expected, std::string_view actual, Captures& captures) {
  for (;;) {
    if (expected.empty()) return actual.empty();
    if (const std::optional<Placeholder> placeholder = PlaceholderAt(expected)) {
      // The longest text that will do, as a reader expects of a number.
      for (size_t size = actual.size() + 1; size-- > 0;) {
        if (!IsOfKind(placeholder->kind, actual.substr(0, size))) continue;
        Captures tried = captures;
        if (!placeholder->name.empty()) {
          // The same name twice in one reply means the same thing twice.
          const auto [known, added] = tried.try_emplace(std::string(placeholder->name), actual.substr(0, size));
          if (!added && known->second != actual.substr(0, size)) continue;
        }
        if (!TextMatches(expected.substr(placeholder->size), actual.substr(size), tried)) continue;
        captures = std::move(tried);
        return true;
      }
      return false;
    }
    if (actual.empty() || expected.front() != actual.front()) return false;
    expected.remove_prefix(1);
    actual.remove_prefix(1);
  }
}

bool LineMatches(const std::string& expected, const std::string& actual, Captures& captures) {
  return TextMatches(Substitute(expected, captures), actual, captures);
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
