#include "server/commands/acl_selector.h"

#include <algorithm>

#include "server/commands/acl_channels.h"
#include "server/commands/arguments.h"
#include "server/commands/command_table.h"
#include "server/commands/glob.h"

namespace sluice::commands::acl {
namespace {

constexpr std::string_view kSyntax = "Syntax error";
constexpr std::string_view kTooMany = "Too many patterns";
constexpr size_t kMaxPatterns = 1024;
constexpr size_t kMaxPatternBytes = 4096;

// A pattern must survive a line of the ACL file, where blanks and parentheses mean something: parentheses
// only where a selector would begin or end, which is the rule's parser's to see.
bool IsPattern(std::string_view text) {
  return text.size() <= kMaxPatternBytes && FitsAWord(text);
}

// "R", "W", "RW" in any case and order, once each.
std::optional<std::pair<bool, bool>> ReadPermissions(std::string_view letters) {
  bool read = false;
  bool write = false;
  for (char letter : letters) {
    bool& which = (letter | 0x20) == 'r' ? read : write;
    if (((letter | 0x20) != 'r' && (letter | 0x20) != 'w') || which) return std::nullopt;
    which = true;
  }
  if (letters.empty()) return std::nullopt;
  return std::pair(read, write);
}

}  // namespace

std::optional<std::string_view> Selector::Apply(std::string_view rule) {
  if (IsWord(rule, "ALLCOMMANDS")) return commands_.AllowAll(), std::nullopt;
  if (IsWord(rule, "NOCOMMANDS")) return commands_.AllowNone(), std::nullopt;
  if (IsWord(rule, "ALLKEYS")) return AddKeyPattern("*", true, true);
  if (IsWord(rule, "ALLCHANNELS")) return AddChannel("*");
  if (IsWord(rule, "RESETKEYS")) {
    keys_.clear();
    all_keys_ = false;
    return std::nullopt;
  }
  if (IsWord(rule, "RESETCHANNELS")) {
    channels_.clear();
    all_channels_ = false;
    return std::nullopt;
  }
  switch (rule.empty() ? '\0' : rule[0]) {
    case '+':
    case '-':
      return commands_.Apply(rule);
    case '&':
      if (rule == "&*") return AddChannel("*");
      if (all_channels_) {
        return "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not "
               "have any effect. Try 'resetchannels' to start with an empty list of channels";
      }
      return IsPattern(rule) ? AddChannel(rule.substr(1)) : kSyntax;
    case '~':
    case '%':
      if (rule == "~*") return AddKeyPattern("*", true, true);
      if (all_keys_) {
        return "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have "
               "any effect. Try 'resetkeys' to start with an empty list of patterns";
      }
      return AddKeyRule(rule);
    default:
      return kSyntax;
  }
}

// ~pattern, or %, letters, ~pattern.
std::optional<std::string_view> Selector::AddKeyRule(std::string_view rule) {
  const size_t tilde = rule.find('~');
  if (tilde == std::string_view::npos || !IsPattern(rule)) return kSyntax;
  const auto permissions =
      tilde == 0 ? std::optional(std::pair(true, true)) : ReadPermissions(rule.substr(1, tilde - 1));
  if (!permissions) return kSyntax;
  return AddKeyPattern(rule.substr(tilde + 1), permissions->first, permissions->second);
}

std::optional<std::string_view> Selector::AddKeyPattern(std::string_view pattern, bool read, bool write) {
  if (all_keys_) return std::nullopt;
  auto found = std::find_if(keys_.begin(), keys_.end(),
                            [&](const KeyPattern& known) { return known.pattern == pattern; });
  if (found == keys_.end()) {
    if (keys_.size() >= kMaxPatterns) return kTooMany;
    found = keys_.insert(found, {std::string(pattern), false, false});
  }
  found->read |= read;
  found->write |= write;
  if (pattern == "*" && found->read && found->write) {
    keys_.clear();
    all_keys_ = true;
  }
  return std::nullopt;
}

std::optional<std::string_view> Selector::AddChannel(std::string_view pattern) {
  if (pattern == "*") {
    channels_.clear();
    all_channels_ = true;
  } else if (std::find(channels_.begin(), channels_.end(), pattern) == channels_.end()) {
    if (channels_.size() >= kMaxPatterns) return kTooMany;
    channels_.emplace_back(pattern);
  }
  return std::nullopt;
}

bool Selector::MayUseKey(std::string_view key, uint16_t access) const {
  const bool reads = (access & kAccess) != 0;
  const bool writes = (access & (kUpdate | kInsert | kDelete)) != 0;
  return all_keys_ || std::any_of(keys_.begin(), keys_.end(), [&](const KeyPattern& known) {
           return known.read >= reads && known.write >= writes && GlobMatches(known.pattern, key);
         });
}

bool Selector::MayUseChannel(std::string_view name, bool is_pattern) const {
  return all_channels_ || std::any_of(channels_.begin(), channels_.end(), [&](const std::string& pattern) {
           return is_pattern ? pattern == name : GlobMatches(pattern, name);
         });
}

Verdict Selector::Check(const Command& command, std::span<const std::string_view> args) const {
  Verdict verdict;
  if ((command.flags & kNoAuth) == 0 && !commands_.Allows(command, args.size() > 1 ? args[1] : "")) {
    return {Denied::kCommand, 0};
  }
  if (!all_keys_) {
    ForEachKey(command, args, [&](size_t at, uint16_t access) {
      if (verdict.allowed() && !MayUseKey(args[at], access)) verdict = {Denied::kKey, at};
    });
  }
  if (verdict.allowed() && !all_channels_) {
    const Channels channels = ChannelsOf(command);
    for (size_t at = channels.first; at < args.size() && at - channels.first < channels.count; ++at) {
      if (!MayUseChannel(args[at], channels.are_patterns)) return {Denied::kChannel, at};
    }
  }
  return verdict;
}

std::string Selector::KeysText() const {
  if (all_keys_) return "~*";
  std::string text;
  for (const KeyPattern& known : keys_) {
    if (!text.empty()) text += ' ';
    text += known.read && known.write ? "~" : known.read ? "%R~" : "%W~";
    text += known.pattern;
  }
  return text;
}

std::string Selector::ChannelsText() const {
  if (all_channels_) return "&*";
  std::string text;
  for (const std::string& pattern : channels_) text += (text.empty() ? "&" : " &") + pattern;
  return text;
}

std::string Selector::ToText() const {
  std::string text = KeysText();
  if (!text.empty()) text += ' ';
  if (!all_channels_) text += "resetchannels ";
  text += ChannelsText();
  if (text.back() != ' ') text += ' ';
  return text + CommandsText();
}

}  // namespace sluice::commands::acl
