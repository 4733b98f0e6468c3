// Whatever the rules are, taking them must end, all or nothing, and what is told of a user must make the same
// user again. The input is lines: the first an ACL file's, each other one the rules of an ACL SETUSER and,
// behind a '?', a request to be checked.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "server/commands/acl_users.h"
#include "server/commands/command_table.h"

namespace {

using namespace sluice::commands;

void Require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", promise);
  std::abort();
}

std::string_view TakeUntil(std::string_view& text, char end) {
  const size_t at = std::min(text.find(end), text.size());
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return taken;
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> words;
  while (!text.empty()) words.push_back(TakeUntil(text, separator));
  return words;
}

acl::Verdict Check(const acl::User& user, const std::vector<std::string_view>& args) {
  if (args.empty()) return {};
  const Command* command = FindCommand(args[0]);
  if (command != nullptr && !command->subcommands.empty() && args.size() > 1) {
    command = FindSubcommand(*command, args[1]);
  }
  if (command == nullptr || !AritySuits(*command, args.size())) return {};
  const acl::Verdict verdict = user.Check(*command, args);
  Require(verdict.at < args.size(), "a refusal names an argument that is there");
  return verdict;
}

void CheckTold(const acl::Users& users, const std::vector<std::string_view>& request) {
  const std::string told = users.ToText();
  acl::Users again;
  const auto error = again.Load(acl::SplitUserLines(told, "told"), "");
  Require(!error, "what is told can be read");
  Require(again.ToText() == told, "what is told makes the same users");
  for (const auto& [name, user] : users.all()) {
    const auto other = again.Find(name);
    Require(other != nullptr, "each of them");
    Require(Check(*user, request).denied == Check(*other, request).denied, "who may do the same");
    Require(other->unrestricted() == user->unrestricted(), "without a check, too");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  acl::Users users;
  const std::string before = users.ToText();
  std::string file(TakeUntil(text, '\n'));
  for (char& c : file) c = c == '\x01' ? '\n' : c;
  if (users.Load(acl::SplitUserLines(file, "file"), "")) {
    Require(users.ToText() == before, "a file is taken as a whole or not at all");
  }
  while (!text.empty()) {
    std::string_view line = TakeUntil(text, '\n');
    const std::vector<std::string_view> rules = Split(TakeUntil(line, '?'), ' ');
    const std::vector<std::string_view> request = Split(line, ' ');
    const std::string earlier = users.ToText();
    if (users.Set("u", rules)) Require(users.ToText() == earlier, "rules are taken all or none");
    CheckTold(users, request);
  }
  return 0;
}
