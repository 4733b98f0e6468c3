#include "server/commands/acl_users.h"

#include <algorithm>

#include "server/commands/errors.h"
#include "storage/check.h"

namespace sluice::commands::acl {
namespace {

constexpr size_t kMaxUsers = 10'000;
constexpr size_t kMaxErrorsShown = 10;

std::shared_ptr<User> FirstUser() {
  auto user = std::make_shared<User>(kDefaultUser, true);
  constexpr std::string_view kRules[] = {"on", "nopass", "allkeys", "allcommands"};
  CHECK(!user->Apply(kRules));
  return user;
}

std::vector<std::string> SplitAtBlanks(std::string_view line) {
  std::vector<std::string> words;
  size_t at = 0;
  while ((at = line.find_first_not_of(kBlanks, at)) != line.npos) {
    const size_t end = std::min(line.find_first_of(kBlanks, at), line.size());
    words.emplace_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

// Files hold hashes, and by mistake passwords: neither belongs into a server's log.
std::string WithoutSecret(const RuleError& error) {
  const bool secret = error.rule.find_first_of("<>#!") != std::string::npos;
  return errors::Concat(
      {"Error in applying operation ", secret ? "(not shown)" : "'" + error.rule + "'", ": ", error.why});
}

}  // namespace

Users::Users() : default_(FirstUser()) {
  users_.emplace(kDefaultUser, default_);
}

std::shared_ptr<const User> Users::Find(std::string_view name) const {
  const auto found = users_.find(name);
  return found == users_.end() ? nullptr : found->second;
}

void Users::Greet(Session& session) const {
  session.user = default_;
  session.authenticated = open();
}

std::shared_ptr<const User> Users::Authenticate(std::string_view name, std::string_view password) const {
  const auto found = users_.find(name);
  const bool known = found != users_.end();
  const std::shared_ptr<User>& user = known ? found->second : default_;
  const bool accepted = user->Accepts(password);
  return known && accepted ? user : nullptr;
}

std::optional<RuleError> Users::Set(std::string_view name, std::span<const std::string_view> rules) {
  if (const auto found = users_.find(name); found != users_.end()) return found->second->Apply(rules);
  if (users_.size() >= kMaxUsers) return RuleError{std::string(name), "Too many users"};
  auto user = std::make_shared<User>(name, all_channels_);
  if (auto error = user->Apply(rules)) return error;
  users_.emplace(name, std::move(user));
  return std::nullopt;
}

bool Users::Delete(std::string_view name) {
  CHECK(name != kDefaultUser);
  const auto found = users_.find(name);
  if (found == users_.end()) return false;
  users_.erase(found);
  return true;
}

std::vector<UserLine> SplitUserLines(std::string_view text, std::string_view origin) {
  std::vector<UserLine> lines;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    UserLine line{errors::Concat({origin, ":", std::to_string(number)}), SplitAtBlanks(text.substr(0, end))};
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.words.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

std::optional<std::string> Users::LoadLine(std::span<const std::string> words, Map& users) const {
  if (words.size() < 2 || words[0] != "user")
    return "should start with user keyword followed by the username";
  if (!User::IsName(words[1])) return "Usernames can't contain spaces or null characters";
  if (users.size() >= kMaxUsers) return "Too many users";
  auto user = std::make_shared<User>(words[1], all_channels_);
  if (!users.emplace(words[1], user).second) return errors::Concat({"Duplicate user '", words[1], "' found"});
  const std::vector<std::string_view> rules(words.begin() + 2, words.end());
  if (const auto error = user->Apply(rules)) return WithoutSecret(*error);
  return std::nullopt;
}

std::optional<std::string> Users::Load(std::span<const UserLine> lines, std::string_view requirepass) {
  Map loaded;
  std::string errors;
  size_t count = 0;
  for (const UserLine& line : lines) {
    const auto error = LoadLine(line.words, loaded);
    if (!error || ++count > kMaxErrorsShown) continue;
    errors += errors::Concat({line.where, ": ", *error, ". "});
  }
  if (count != 0) return errors + "Nothing was changed";

  if (!loaded.contains(kDefaultUser)) {
    auto user = FirstUser();
    user->SetPassword(requirepass);
    loaded.emplace(kDefaultUser, std::move(user));
  }
  // Who stays, stays the same object: sessions hold it.
  for (auto& [name, user] : loaded) {
    if (const auto known = users_.find(name); known != users_.end()) {
      *known->second = std::move(*user);
      user = known->second;
    }
  }
  users_ = std::move(loaded);
  return std::nullopt;
}

std::string Users::ToText() const {
  std::string text;
  for (const auto& [name, user] : users_) text += user->ToText() + "\n";
  return text;
}

bool Users::Departed(const Session& session) const {
  const auto found = users_.find(session.user->name());
  return found == users_.end() || found->second != session.user;
}

}  // namespace sluice::commands::acl
