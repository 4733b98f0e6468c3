// A user: what he is asked for, and what he may do.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/commands/acl_secret.h"
#include "server/commands/acl_selector.h"

namespace sluice::commands::acl {

// A rule that cannot be taken.
struct RuleError {
  std::string rule;      // its beginning
  std::string_view why;  // in Redis's words
};
inline constexpr std::string_view kUnmatchedParenthesis = "Unmatched parenthesis in selector definition";

// Rules are SETUSER's: on off nopass resetpass reset clearselectors sanitize-payload skip-sanitize-payload,
// >password <password #hash !hash, (a selector's rules), and those of Selector for the root, which has no
// parentheses.
class User {
 public:
  // Off, without password, allowed nothing but, where `all_channels`, every channel.
  User(std::string_view name, bool all_channels);

  const std::string& name() const { return name_; }
  bool enabled() const { return enabled_; }
  bool nopass() const { return nopass_; }
  const std::vector<Secret>& passwords() const { return passwords_; }
  const Selector& root() const { return root_; }
  const std::vector<Selector>& selectors() const { return selectors_; }

  // Takes all of `rules` in turn, or none. A selector may be spread over several: "(+get", "~a)".
  [[nodiscard]] std::optional<RuleError> Apply(std::span<const std::string_view> rules);
  // As Apply({"resetpass", ">password"}), or nopass where it is empty.
  void SetPassword(std::string_view password);

  bool Accepts(std::string_view password) const;

  // May do whatever a server can do: what a request costs such a user is this one look.
  bool unrestricted() const { return unrestricted_; }
  Verdict Check(const Command& command, std::span<const std::string_view> args) const;
  bool MayUseChannel(std::string_view name, bool is_pattern) const;
  // KeyFlags.
  bool MayUseKey(std::string_view key, uint16_t access) const;

  // "on", "nopass", ...: as ACL GETUSER lists them.
  std::vector<std::string_view> FlagNames() const;
  // The line of ACL LIST and of the ACL file: "user alice on #... ~a* resetchannels -@all +get". Its rules,
  // applied to a reset user, make the same one.
  std::string ToText() const;

  static bool IsName(std::string_view name);

 private:
  // Whether payloads of RESTORE are checked. There is no RESTORE: kept so that the words survive ACL SAVE.
  enum class Sanitize : uint8_t { kUnsaid, kYes, kNo };

  std::optional<std::string_view> ApplyOne(std::string_view rule);
  std::optional<std::string_view> ApplyPassword(std::string_view rule);
  std::optional<std::string_view> AddSelector(std::string_view rules);
  void Reset();

  std::string name_;
  bool all_channels_;  // what a selector begins with
  bool enabled_ = false;
  bool nopass_ = false;
  Sanitize sanitize_ = Sanitize::kUnsaid;
  std::vector<Secret> passwords_;
  Selector root_;
  std::vector<Selector> selectors_;
  bool unrestricted_ = false;
};

}  // namespace sluice::commands::acl
