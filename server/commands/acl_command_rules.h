// Which commands a selector allows: +get -set +@read +config|get +select|0, the later rule over the earlier.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/commands/command.h"

namespace sluice::commands::acl {

// What stands between the words of an ACL file. Whatever is written into one must not hold any of them.
inline constexpr std::string_view kBlanks = " \t\n\v\f\r";
inline bool FitsAWord(std::string_view text) {
  return text.find_first_of(kBlanks) == text.npos && text.find('\0') == text.npos;
}

// The rules that still matter, as written, and what they come to: a bit a command, so that a check is one
// look.
class CommandRules {
 public:
  // `rule` begins with '+' or '-'. What is wrong with it, in Redis's words, or nothing; unchanged where it is
  // wrong.
  [[nodiscard]] std::optional<std::string_view> Apply(std::string_view rule);

  void AllowAll() { *this = CommandRules(true); }
  void AllowNone() { *this = CommandRules(false); }

  // `first` is the argument behind the command's name, where it has one.
  bool Allows(const Command& command, std::string_view first) const;
  bool AllowsAll() const { return all_ && rules_.empty(); }

  // "-@all +get +@read": rules that come to the same when applied to nothing.
  std::string ToText() const;

  bool operator==(const CommandRules& other) const { return effect_ == other.effect_; }

  CommandRules() : CommandRules(false) {}

 private:
  // Above the number of commands there are; checked where the table is at hand.
  static constexpr size_t kMaxCommands = 512;
  static constexpr size_t kMaxRules = 1024;

  struct Effect {
    std::bitset<kMaxCommands> allowed;
    std::set<std::pair<uint16_t, std::string>> first_args;  // of commands that are not allowed without
    bool operator==(const Effect&) const = default;
  };
  // What one rule is about, once understood.
  struct Target {
    std::vector<const Command*> commands;  // with their subcommands
    std::string first_arg;                 // in lower case; empty: any
  };

  explicit CommandRules(bool all);
  static std::optional<std::string_view> Understand(std::string_view rule, Target& target);
  // False where that changes nothing.
  static bool Change(std::string_view rule, const Target& target, Effect& effect);
  void DropIdleRules();

  bool all_;  // what stands before the rules: +@all or -@all
  std::vector<std::string> rules_;
  Effect effect_;
};

}  // namespace sluice::commands::acl
