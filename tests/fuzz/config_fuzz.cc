// Whatever stands in a conf file, reading it ends; CONFIG SET takes all or nothing; and what CONFIG REWRITE
// makes of the file means what holds. The input is a conf file and, behind a zero byte, lines of names and
// values to be set.
#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/commands/acl_users.h"
#include "server/config.h"
#include "server/config_rewrite.h"
#include "server/config_users.h"

namespace {

using namespace sluice;

constexpr const char* kFile = "fuzzed.conf";

void Require(bool holds, const char* promise, std::string_view about = {}) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s: %.*s\n", promise, static_cast<int>(about.size()), about.data());
  std::abort();
}

std::vector<std::string_view> LinesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// Files of the machine are none of the fuzzer's business.
bool Includes(std::string_view text) {
  const std::vector<std::string_view> lines = LinesOf(text);
  return std::any_of(lines.begin(), lines.end(), [](std::string_view line) {
    const auto words = SplitWords(line);
    if (!words || words->empty()) return false;
    std::string name = words->front();
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    return name == "include";
  });
}

Config Read(std::string_view text) {
  Config config = DefaultConfig();
  if (const auto errors = ParseConfigText(text, kFile, config))
    Require(!errors->empty(), "errors have a text");
  return config;
}

// All that a configuration says, as one text; for its users, who they are.
std::string Meaning(const Config& config) {
  std::string all;
  for (const Option& option : Options()) {
    all += std::string(option.name) + " " + option.kind.get(config) + "\n";
  }
  if (config.users.empty()) return all;
  commands::acl::Users users;
  users.set_all_channels(config.acl_pubsub_default == PubsubDefault::kAllChannels);
  const auto error = users.Load(UserLinesOf(config), config.requirepass);
  return all + (error ? *error : users.ToText());
}

// Each line is one CONFIG SET.
void Set(std::string_view text, Config& config) {
  for (const std::string_view line : LinesOf(text)) {
    const auto words = SplitWords(line);
    if (!words || words->empty()) continue;
    const std::string before = Meaning(config);
    const std::vector<std::string_view> pairs(words->begin(), words->end());
    if (pairs.size() % 2 != 0) continue;
    if (SetOptions(pairs, config))
      Require(Meaning(config) == before, "what is refused changes nothing", line);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(input.find('\0'), size);
  const std::string_view file = input.substr(0, end);
  if (Includes(file)) return 0;
  Config config = Read(file);
  Set(input.substr(std::min(end + 1, size)), config);

  const std::string rewritten = RewriteConfigText(file, kFile, config);
  Require(Meaning(Read(rewritten)) == Meaning(config), "a file that was rewritten means what holds",
          rewritten);
  Require(RewriteConfigText(rewritten, kFile, config) == rewritten, "and stays as it is then", rewritten);
  return 0;
}
