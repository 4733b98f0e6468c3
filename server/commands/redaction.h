// Which arguments are secrets: MONITOR and SLOWLOG show something else instead.
#pragma once

#include <span>
#include <string_view>

#include "server/commands/command.h"

namespace sluice::commands {

inline constexpr std::string_view kRedacted = "(redacted)";

// True where argument `i` of a request of `command` may be a password, or a rule that holds one.
bool IsSecret(const Command& command, std::span<const std::string_view> args, size_t i);

}  // namespace sluice::commands
