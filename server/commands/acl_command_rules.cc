#include "server/commands/acl_command_rules.h"

#include <algorithm>
#include <utility>

#include "server/commands/acl_category.h"
#include "server/commands/arguments.h"
#include "server/commands/command_table.h"
#include "storage/check.h"

namespace sluice::commands::acl {
namespace {

constexpr std::string_view kUnknown = "Unknown command or category name in ACL";
constexpr size_t kMaxFirstArg = 1024;

// Whether what `rule` says is said anew by `later`, which names the same, or the container of what it names.
bool IsCovered(std::string_view rule, std::string_view later) {
  rule.remove_prefix(1);
  later.remove_prefix(1);
  return rule == later || (rule.starts_with(later) && rule[later.size()] == '|');
}

}  // namespace

CommandRules::CommandRules(bool all) : all_(all) {
  CHECK(CountOfCommands() <= kMaxCommands);
  if (all) effect_.allowed.set();
}

std::optional<std::string_view> CommandRules::Understand(std::string_view rule, Target& target) {
  const bool allow = rule[0] == '+';
  const std::string_view what = rule.substr(1);
  if (what.starts_with('@')) {
    const auto category = FindCategory(what.substr(1));
    if (!category) return kUnknown;
    target.commands = CommandsOf(*category);
    return std::nullopt;
  }
  const size_t bar = what.find('|');
  const Command* command = FindCommand(what.substr(0, bar));
  if (command == nullptr) return kUnknown;
  if (bar == std::string_view::npos) {
    target.commands.push_back(command);
    for (const Command& subcommand : command->subcommands) target.commands.push_back(&subcommand);
    return std::nullopt;
  }
  const std::string_view behind = what.substr(bar + 1);
  if (allow && behind.empty()) return "Syntax error";
  const size_t second_bar = behind.find('|');
  if (!command->subcommands.empty()) {
    const Command* subcommand = FindSubcommand(*command, behind.substr(0, second_bar));
    if (subcommand == nullptr) return kUnknown;
    if (second_bar != std::string_view::npos) {
      return allow ? std::string_view("Allowing first-arg of a subcommand is not supported") : kUnknown;
    }
    target.commands.push_back(subcommand);
    return std::nullopt;
  }
  if (!allow || second_bar != std::string_view::npos) return kUnknown;
  if (behind.size() > kMaxFirstArg || !FitsAWord(behind) || behind.find_first_of("()") != behind.npos) {
    return "Syntax error";
  }
  target.commands.push_back(command);
  target.first_arg = ToLower(behind);
  return std::nullopt;
}

bool CommandRules::Change(std::string_view rule, const Target& target, Effect& effect) {
  const bool allow = rule[0] == '+';
  bool changed = false;
  for (const Command* command : target.commands) {
    if (!target.first_arg.empty()) {
      if (effect.allowed[command->number]) continue;
      changed |= effect.first_args.emplace(command->number, target.first_arg).second;
      continue;
    }
    changed |= effect.allowed[command->number] != allow;
    effect.allowed[command->number] = allow;
    changed |= std::erase_if(effect.first_args,
                             [&](const auto& entry) { return entry.first == command->number; }) != 0;
  }
  return changed;
}

// Keeps the rules that change something in their place: what is told of them is taken as it is.
void CommandRules::DropIdleRules() {
  Effect effect = CommandRules(all_).effect_;
  std::vector<std::string> kept;
  for (std::string& rule : rules_) {
    Target target;
    CHECK(!Understand(rule, target));
    if (Change(rule, target, effect)) kept.push_back(std::move(rule));
  }
  CHECK(effect == effect_);
  rules_ = std::move(kept);
}

std::optional<std::string_view> CommandRules::Apply(std::string_view given) {
  const std::string rule = ToLower(given);
  if (rule == "+@all") return AllowAll(), std::nullopt;
  if (rule == "-@all") return AllowNone(), std::nullopt;
  Target target;
  if (const auto error = Understand(rule, target)) return error;
  if (rules_.size() >= kMaxRules) return "Too many command rules";
  Change(rule, target, effect_);
  // What it says anew no longer counts.
  std::erase_if(rules_, [&](const std::string& earlier) { return IsCovered(earlier, rule); });
  rules_.push_back(rule);
  DropIdleRules();
  return std::nullopt;
}

bool CommandRules::Allows(const Command& command, std::string_view first) const {
  if (effect_.allowed[command.number]) return true;
  if (effect_.first_args.empty()) return false;
  return effect_.first_args.contains({command.number, ToLower(first.substr(0, kMaxFirstArg + 1))});
}

std::string CommandRules::ToText() const {
  std::string text = all_ ? "+@all" : "-@all";
  for (const std::string& rule : rules_) text += " " + rule;
  return text;
}

}  // namespace sluice::commands::acl
