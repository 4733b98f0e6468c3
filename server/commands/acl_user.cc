#include "server/commands/acl_user.h"

#include <algorithm>
#include <tl/expected.hpp>

#include "server/commands/arguments.h"

namespace sluice::commands::acl {
namespace {

constexpr size_t kMaxNameBytes = 256;
constexpr size_t kMaxPasswords = 64;
constexpr size_t kMaxSelectors = 128;

Selector NewSelector(bool all_channels) {
  Selector selector;
  if (all_channels) static_cast<void>(selector.Apply("allchannels"));
  return selector;
}

constexpr size_t kMaxShown = 256;

RuleError ErrorOf(std::string_view rule, std::string_view why) {
  return {std::string(rule.substr(0, kMaxShown)), why};
}

// The rules, each selector as one.
tl::expected<std::vector<std::string>, RuleError> MergeSelectors(std::span<const std::string_view> rules) {
  std::vector<std::string> whole;
  for (size_t i = 0; i < rules.size(); ++i) {
    const size_t begin = i;
    std::string& rule = whole.emplace_back(rules[i]);
    if (!rule.starts_with('(')) continue;
    while (!rule.ends_with(')')) {
      if (++i == rules.size()) return tl::unexpected(ErrorOf(rules[begin], kUnmatchedParenthesis));
      rule.append(" ").append(rules[i]);
    }
  }
  return whole;
}

}  // namespace

User::User(std::string_view name, bool all_channels)
    : name_(name), all_channels_(all_channels), root_(NewSelector(all_channels)) {}

bool User::IsName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes && FitsAWord(name);
}

std::optional<RuleError> User::Apply(std::span<const std::string_view> rules) {
  const auto whole = MergeSelectors(rules);
  if (!whole) return whole.error();
  User changed = *this;
  for (const std::string& rule : *whole) {
    if (const auto why = changed.ApplyOne(rule)) return ErrorOf(rule, *why);
  }
  changed.unrestricted_ = changed.root_.AllowsEverything() ||
                          std::any_of(changed.selectors_.begin(), changed.selectors_.end(),
                                      [](const Selector& selector) { return selector.AllowsEverything(); });
  *this = std::move(changed);
  return std::nullopt;
}

void User::Reset() {
  *this = User(name_, all_channels_);
  sanitize_ = Sanitize::kYes;
}

std::optional<std::string_view> User::ApplyOne(std::string_view rule) {
  if (rule.empty()) return std::nullopt;
  if (IsWord(rule, "ON")) return enabled_ = true, std::nullopt;
  if (IsWord(rule, "OFF")) return enabled_ = false, std::nullopt;
  if (IsWord(rule, "RESET")) return Reset(), std::nullopt;
  if (IsWord(rule, "CLEARSELECTORS")) return selectors_.clear(), std::nullopt;
  if (IsWord(rule, "SANITIZE-PAYLOAD")) return sanitize_ = Sanitize::kYes, std::nullopt;
  if (IsWord(rule, "SKIP-SANITIZE-PAYLOAD")) return sanitize_ = Sanitize::kNo, std::nullopt;
  if (IsWord(rule, "NOPASS") || IsWord(rule, "RESETPASS")) {
    passwords_.clear();
    nopass_ = IsWord(rule, "NOPASS");
    return std::nullopt;
  }
  if (std::string_view("><#!").find(rule[0]) != std::string_view::npos) return ApplyPassword(rule);
  if (rule[0] == '(') return AddSelector(rule.substr(1, rule.size() - 2));
  return root_.Apply(rule);
}

std::optional<std::string_view> User::ApplyPassword(std::string_view rule) {
  const bool hashed = rule[0] == '#' || rule[0] == '!';
  const std::optional<Secret> secret = hashed ? Secret::FromHex(rule.substr(1)) : Secret::Of(rule.substr(1));
  if (!secret) {
    return "The password hash must be exactly 64 characters and contain only lowercase hexadecimal "
           "characters";
  }
  const auto known = std::find(passwords_.begin(), passwords_.end(), *secret);
  if (rule[0] == '<' || rule[0] == '!') {
    if (known == passwords_.end())
      return "The password you are trying to remove from the user does not exist";
    passwords_.erase(known);
    return std::nullopt;
  }
  nopass_ = false;
  if (known != passwords_.end()) return std::nullopt;
  if (passwords_.size() >= kMaxPasswords) return "Too many passwords";
  passwords_.push_back(*secret);
  return std::nullopt;
}

std::optional<std::string_view> User::AddSelector(std::string_view rules) {
  if (selectors_.size() >= kMaxSelectors) return "Too many selectors";
  Selector selector = NewSelector(all_channels_);
  while (!rules.empty()) {
    const size_t end = std::min(rules.find_first_of(kBlanks), rules.size());
    const std::string_view rule = rules.substr(0, end);
    rules.remove_prefix(std::min(end + 1, rules.size()));
    if (rule.empty()) continue;
    // At the end of a word it would end the selector, when the ACL file is read.
    if (rule.ends_with(')')) return "Syntax error";
    if (const auto why = selector.Apply(rule)) return why;
  }
  selectors_.push_back(std::move(selector));
  return std::nullopt;
}

void User::SetPassword(std::string_view password) {
  passwords_.clear();
  nopass_ = password.empty();
  if (!nopass_) passwords_.push_back(Secret::Of(password));
}

bool User::Accepts(std::string_view password) const {
  const Secret given = Secret::Of(password);
  bool known = false;
  for (const Secret& secret : passwords_) known |= secret == given;
  return enabled_ && (nopass_ || known);
}

// Of several refusals the one that came furthest tells most.
Verdict User::Check(const Command& command, std::span<const std::string_view> args) const {
  if (unrestricted_) return {};
  Verdict verdict = root_.Check(command, args);
  for (const Selector& selector : selectors_) {
    if (verdict.allowed()) break;
    const Verdict other = selector.Check(command, args);
    const bool further =
        other.denied > verdict.denied || (other.denied == verdict.denied && other.at > verdict.at);
    if (other.allowed() || further) verdict = other;
  }
  return verdict;
}

bool User::MayUseChannel(std::string_view name, bool is_pattern) const {
  return root_.MayUseChannel(name, is_pattern) ||
         std::any_of(selectors_.begin(), selectors_.end(),
                     [&](const Selector& selector) { return selector.MayUseChannel(name, is_pattern); });
}

bool User::MayUseKey(std::string_view key, uint16_t access) const {
  return root_.MayUseKey(key, access) ||
         std::any_of(selectors_.begin(), selectors_.end(),
                     [&](const Selector& selector) { return selector.MayUseKey(key, access); });
}

std::vector<std::string_view> User::FlagNames() const {
  std::vector<std::string_view> names = {enabled_ ? "on" : "off"};
  if (nopass_) names.push_back("nopass");
  if (sanitize_ == Sanitize::kYes) names.push_back("sanitize-payload");
  if (sanitize_ == Sanitize::kNo) names.push_back("skip-sanitize-payload");
  return names;
}

std::string User::ToText() const {
  std::string text = "user " + name_;
  for (std::string_view flag : FlagNames()) text.append(" ").append(flag);
  for (const Secret& secret : passwords_) text += " #" + secret.ToHex();
  text += " " + root_.ToText();
  for (const Selector& selector : selectors_) text += " (" + selector.ToText() + ")";
  return text;
}

}  // namespace sluice::commands::acl
