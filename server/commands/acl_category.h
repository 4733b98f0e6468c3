// ACL categories: names for sets of commands.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "server/commands/command.h"

namespace sluice::commands::acl {

// Redis's categories, also those of types that do not live here, so that rules written for Redis are
// understood; then our own. In the order in which ACL CAT and COMMAND INFO name them.
enum class Category : uint8_t {
  kKeyspace,
  kRead,
  kWrite,
  kSet,
  kSortedSet,
  kList,
  kHash,
  kString,
  kBitmap,
  kHyperLogLog,
  kGeo,
  kStream,
  kPubsub,
  kAdmin,
  kFast,
  kSlow,
  kBlocking,
  kDangerous,
  kConnection,
  kTransaction,
  kScripting,
  kSeckill,
};

using CategoryMask = uint32_t;
constexpr CategoryMask Bit(Category category) {
  return CategoryMask{1} << static_cast<unsigned>(category);
}

// Their names, without "@", by the enumeration's values.
std::span<const std::string_view> CategoryNames();
// In any case; nullopt: there is none of that name.
std::optional<Category> FindCategory(std::string_view name);

// Follows from the row alone.
CategoryMask CategoriesOf(const Command& command);

// Every command and subcommand of a category, by name.
std::vector<const Command*> CommandsOf(Category category);

}  // namespace sluice::commands::acl

namespace sluice::commands {

// A command's categories as COMMAND shows them: "@write".
std::vector<std::string_view> CategoryNames(const Command& command);

}  // namespace sluice::commands
