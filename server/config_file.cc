// Conf files: their words, their lines, and the files that they include.

#include <glob.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <utility>

#include "server/config.h"
#include "server/option_kinds.h"
#include "server/redis_options.h"

namespace sluice {
namespace {

using namespace option_kinds;

std::optional<char> HexByte(std::string_view digits) {
  const std::optional<uint64_t> value = ToNumber(digits, 16);
  if (digits.size() != 2 || !value) return std::nullopt;
  return static_cast<char>(*value);
}

char Unescape(char letter) {
  switch (letter) {
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
      return letter;
  }
}

// Reads the quoted text that begins at line[at] into `word`; gives the position behind its closing quote.
std::optional<size_t> TakeQuoted(std::string_view line, size_t at, std::string& word) {
  const char quote = line[at++];
  while (at < line.size() && line[at] != quote) {
    if (quote == '"' && line[at] == '\\' && at + 1 < line.size()) {
      const std::optional<char> byte = line[at + 1] == 'x' ? HexByte(line.substr(at + 2, 2)) : std::nullopt;
      word += byte ? *byte : Unescape(line[at + 1]);
      at += byte ? 4 : 2;
    } else if (quote == '\'' && line.substr(at, 2) == "\\'") {
      word += '\'';
      at += 2;
    } else {
      word += line[at++];
    }
  }
  if (at == line.size()) return std::nullopt;
  ++at;
  if (at < line.size() && std::isspace(static_cast<unsigned char>(line[at])) == 0) return std::nullopt;
  return at;
}

// A file that includes itself, be it by detours, ends here.
constexpr size_t kMaxIncludeDepth = 16;
// And so do files of which each includes all others: without this they would be read 16 levels deep.
constexpr size_t kMaxIncludes = 1000;
// What a file of some other kind could fill a terminal with.
constexpr size_t kMaxErrors = 50;

// Reads one file after the other into a configuration, and goes on behind an error: an operator who brings a
// file of Redis's learns at once of everything that has to change.
class Reader {
 public:
  Reader(Config& config, std::vector<std::string>* without_effect)
      : config_(config), without_effect_(without_effect) {}

  void Text(std::string_view text, std::string_view file) {
    size_t number = 0;
    while (!text.empty()) {
      const size_t end = std::min(text.find('\n'), text.size());
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      where_ = std::string(file) + ":" + std::to_string(++number) + ": ";
      Line(line);
    }
  }

  void File(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    file.peek();  // a folder opens well, and is found out by the first read
    if (!file.is_open() || file.bad()) return Complain(where_ + path + ": cannot be read");
    std::ostringstream text;
    text << file.rdbuf();
    Text(text.str(), path);
  }

  // What was wrong, a line each.
  std::optional<std::string> Errors() const {
    if (errors_.empty()) return std::nullopt;
    return errors_;
  }

 private:
  void Line(std::string_view line) {
    const size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos || line[first] == '#') return;
    const std::optional<std::vector<std::string>> words = SplitWords(line);
    if (!words) return Complain(where_ + "unbalanced quotes");
    if (words->empty()) return;  // there are more kinds of blanks than those above
    const std::string& name = words->front();
    const Words values = Words(*words).subspan(1);
    if (SameName(name, "include")) return Include(values);
    if (const Option* option = FindOption(name)) {
      if (const MaybeError error = SetOption(*option, values, config_)) {
        Complain(where_ + BadValue(*option, values, *error));
      }
      return;
    }
    const RedisOption* known = FindRedisOption(name);
    if (known == nullptr) return Complain(where_ + "unknown option '" + name + "'");
    if (!MakesNoDifference(*known, values)) return Complain(where_ + Refusal(*known));
    if (without_effect_ != nullptr) without_effect_->emplace_back(known->name);
  }

  // As in Redis: a path, or a pattern of the shell's, of which it is no error that nothing matches.
  void Include(Words values) {
    if (values.size() != 1) return Complain(where_ + "include: wrong number of arguments");
    if (depth_ == kMaxIncludeDepth) return Complain(where_ + "include: files include each other too deep");
    std::vector<std::string> paths;
    if (values[0].find_first_of("*?[") == std::string::npos) {
      paths.push_back(values[0]);
    } else {
      glob_t found{};
      if (glob(values[0].c_str(), 0, nullptr, &found) == 0) {
        paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
      }
      globfree(&found);
    }
    const std::string here = where_;
    ++depth_;
    for (const std::string& path : paths) {
      where_ = here;
      if (++includes_ > kMaxIncludes) break;
      File(path);
    }
    --depth_;
    where_ = here;
    if (includes_ > kMaxIncludes && !std::exchange(too_many_, true)) {
      Complain(where_ + "include: more than " + std::to_string(kMaxIncludes) + " files");
    }
  }

  void Complain(const std::string& error) {
    if (++error_count_ > kMaxErrors) return;
    if (error_count_ > 1) errors_ += "\n";
    errors_ += error_count_ == kMaxErrors ? "(more errors follow)" : error;
  }

  Config& config_;
  std::vector<std::string>* without_effect_;
  std::string where_;  // "<file>:<line>: "
  size_t depth_ = 0;
  size_t includes_ = 0;
  bool too_many_ = false;  // said once
  size_t error_count_ = 0;
  std::string errors_;
};

}  // namespace

std::optional<std::vector<std::string>> SplitWords(std::string_view line) {
  std::vector<std::string> words;
  size_t at = 0;
  while ((at = line.find_first_not_of(" \t\r\n\f\v", at)) != std::string_view::npos) {
    std::string word;
    while (at < line.size() && std::isspace(static_cast<unsigned char>(line[at])) == 0) {
      if (line[at] == '"' || line[at] == '\'') {
        const std::optional<size_t> end = TakeQuoted(line, at, word);
        if (!end) return std::nullopt;
        at = *end;
        break;
      }
      word += line[at++];
    }
    words.push_back(std::move(word));
  }
  return words;
}

std::string Quoted(std::string_view word) {
  const auto plain = [](char letter) {
    return std::isgraph(static_cast<unsigned char>(letter)) != 0 && letter != '"' && letter != '\'' &&
           letter != '#';
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return std::string(word);
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string text = "\"";
  for (const char letter : word) {
    const auto byte = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\') {
      text += {'\\', letter};
    } else if (letter == '\n') {
      text += "\\n";
    } else if (letter == '\r') {
      text += "\\r";
    } else if (letter == '\t') {
      text += "\\t";
    } else if (std::isprint(byte) == 0) {
      text += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      text += letter;
    }
  }
  return text + '"';
}

std::optional<std::string> ParseConfigText(std::string_view text, std::string_view file, Config& config,
                                           std::vector<std::string>* without_effect) {
  Reader reader(config, without_effect);
  reader.Text(text, file);
  return reader.Errors();
}

std::optional<std::string> ReadConfigFile(const std::string& path, Config& config,
                                          std::vector<std::string>* without_effect) {
  Reader reader(config, without_effect);
  reader.File(path);
  return reader.Errors();
}

}  // namespace sluice
