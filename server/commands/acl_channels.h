// Which arguments of a command are channels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "server/commands/command.h"

namespace sluice::commands::acl {

struct Channels {
  size_t first = 0;
  size_t count = 0;  // at most; 0: none
  bool are_patterns = false;
};

// By the command's name. Who leaves a channel needs no leave.
inline Channels ChannelsOf(const Command& command) {
  if (command.name == "publish" || command.name == "spublish") return {.first = 1, .count = 1};
  if (command.name == "subscribe" || command.name == "ssubscribe") return {.first = 1, .count = SIZE_MAX};
  if (command.name == "psubscribe") return {.first = 1, .count = SIZE_MAX, .are_patterns = true};
  return {};
}

}  // namespace sluice::commands::acl
