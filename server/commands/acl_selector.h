// A selector: some commands, with some keys, and some channels. A user may do what one of his selectors
// allows as a whole.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/commands/acl_command_rules.h"
#include "server/commands/command.h"

namespace sluice::commands::acl {

// Why a request is not allowed, in the order in which they are looked at.
enum class Denied : uint8_t { kNothing, kCommand, kKey, kChannel };

struct Verdict {
  Denied denied = Denied::kNothing;
  size_t at = 0;  // the argument that must not be there
  bool allowed() const { return denied == Denied::kNothing; }
};

class Selector {
 public:
  // Takes one rule: +get -get +@read allcommands nocommands, ~pattern %R~pattern %W~pattern %RW~pattern
  // allkeys resetkeys, &pattern allchannels resetchannels. What is wrong with it, in Redis's words, or
  // nothing; unchanged where it is wrong.
  [[nodiscard]] std::optional<std::string_view> Apply(std::string_view rule);

  // `command` is the row of `args`.
  Verdict Check(const Command& command, std::span<const std::string_view> args) const;
  // `access`: KeyFlags.
  bool MayUseKey(std::string_view key, uint16_t access) const;
  // A pattern to subscribe to is allowed only by the very same pattern: one cannot tell what it would match.
  bool MayUseChannel(std::string_view name, bool is_pattern) const;
  bool AllowsEverything() const { return commands_.AllowsAll() && all_keys_ && all_channels_; }

  // As GETUSER shows the parts: "-@all +get", "~a* %R~b*", "&ch*".
  std::string CommandsText() const { return commands_.ToText(); }
  std::string KeysText() const;
  std::string ChannelsText() const;
  // All as ACL LIST has it: "~a* resetchannels &ch* -@all +get".
  std::string ToText() const;

 private:
  struct KeyPattern {
    std::string pattern;
    bool read;
    bool write;
  };

  std::optional<std::string_view> AddKeyRule(std::string_view rule);
  std::optional<std::string_view> AddKeyPattern(std::string_view pattern, bool read, bool write);
  std::optional<std::string_view> AddChannel(std::string_view pattern);

  CommandRules commands_;
  std::vector<KeyPattern> keys_;
  std::vector<std::string> channels_;
  bool all_keys_ = false;
  bool all_channels_ = false;
};

}  // namespace sluice::commands::acl
