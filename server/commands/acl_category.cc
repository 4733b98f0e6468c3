#include "server/commands/acl_category.h"

#include <array>

#include "server/commands/arguments.h"
#include "server/commands/command_table.h"

namespace sluice::commands::acl {
namespace {

constexpr std::array<std::string_view, 22> kAtNames = {
    "@keyspace", "@read",        "@write",      "@set",         "@sortedset", "@list",   "@hash", "@string",
    "@bitmap",   "@hyperloglog", "@geo",        "@stream",      "@pubsub",    "@admin",  "@fast", "@slow",
    "@blocking", "@dangerous",   "@connection", "@transaction", "@scripting", "@seckill"};
constexpr auto kNames = [] {
  std::array<std::string_view, kAtNames.size()> names;
  for (size_t i = 0; i < names.size(); ++i) names[i] = kAtNames[i].substr(1);
  return names;
}();
static_assert(kNames.size() == static_cast<size_t>(Category::kSeckill) + 1);

// What a group does not tell: commands that stand in another chapter of the documentation than of the
// categories, and those that can harm a server without being an administrator's alone.
struct Exception {
  std::string_view name;
  CategoryMask more;
};
constexpr Exception kExceptions[] = {
    {"command", Bit(Category::kConnection)},
    {"command|count", Bit(Category::kConnection)},
    {"command|docs", Bit(Category::kConnection)},
    {"command|getkeys", Bit(Category::kConnection)},
    {"command|getkeysandflags", Bit(Category::kConnection)},
    {"command|help", Bit(Category::kConnection)},
    {"command|info", Bit(Category::kConnection)},
    {"command|list", Bit(Category::kConnection)},
    {"dbsize", Bit(Category::kKeyspace)},
    {"flushall", Bit(Category::kKeyspace) | Bit(Category::kDangerous)},
    {"flushdb", Bit(Category::kKeyspace) | Bit(Category::kDangerous)},
    {"info", Bit(Category::kDangerous)},
    {"keys", Bit(Category::kDangerous)},
    {"lastsave", Bit(Category::kAdmin) | Bit(Category::kDangerous)},
    {"role", Bit(Category::kAdmin) | Bit(Category::kDangerous)},
    {"swapdb", Bit(Category::kKeyspace) | Bit(Category::kDangerous)},
    {"wait", Bit(Category::kConnection)},
    {"waitaof", Bit(Category::kConnection)},
};

CategoryMask OfGroup(Group group) {
  switch (group) {
    case Group::kGeneric:
      return Bit(Category::kKeyspace);
    case Group::kString:
      return Bit(Category::kString);
    case Group::kStream:
      return Bit(Category::kStream);
    case Group::kSeckill:
      return Bit(Category::kSeckill);
    case Group::kTransactions:
      return Bit(Category::kTransaction);
    case Group::kPubsub:
      return Bit(Category::kPubsub);
    case Group::kConnection:
      return Bit(Category::kConnection);
    case Group::kServer:
      return 0;
  }
  return 0;
}

}  // namespace

std::span<const std::string_view> CategoryNames() {
  return kNames;
}

std::optional<Category> FindCategory(std::string_view name) {
  const std::string lower = ToLower(name.substr(0, 32));
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (lower == kNames[i] && name.size() == lower.size()) return static_cast<Category>(i);
  }
  return std::nullopt;
}

CategoryMask CategoriesOf(const Command& command) {
  CategoryMask mask = 0;
  const auto add = [&](bool holds, Category category) {
    if (holds) mask |= Bit(category);
  };
  // A container alone does nothing; what its subcommands are, each says itself.
  if (command.handler != nullptr) mask |= OfGroup(command.group);
  add((command.flags & kReadOnly) != 0, Category::kRead);
  add((command.flags & kWrite) != 0, Category::kWrite);
  add((command.flags & kAdmin) != 0, Category::kAdmin);
  add((command.flags & kAdmin) != 0, Category::kDangerous);
  add((command.flags & kFast) != 0, Category::kFast);
  add((command.flags & kFast) == 0, Category::kSlow);
  add((command.flags & kBlocking) != 0, Category::kBlocking);
  for (const Exception& exception : kExceptions) {
    if (command.name == exception.name) mask |= exception.more;
  }
  return mask;
}

std::vector<const Command*> CommandsOf(Category category) {
  std::vector<const Command*> commands;
  for (const Command& command : CommandTable()) {
    if ((CategoriesOf(command) & Bit(category)) != 0) commands.push_back(&command);
    for (const Command& subcommand : command.subcommands) {
      if ((CategoriesOf(subcommand) & Bit(category)) != 0) commands.push_back(&subcommand);
    }
  }
  return commands;
}

}  // namespace sluice::commands::acl

namespace sluice::commands {

std::vector<std::string_view> CategoryNames(const Command& command) {
  const acl::CategoryMask mask = acl::CategoriesOf(command);
  std::vector<std::string_view> names;
  for (size_t i = 0; i < acl::kAtNames.size(); ++i) {
    if ((mask & acl::Bit(static_cast<acl::Category>(i))) != 0) names.push_back(acl::kAtNames[i]);
  }
  return names;
}

}  // namespace sluice::commands
