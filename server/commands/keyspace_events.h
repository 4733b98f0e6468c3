// Keyspace notifications: what happens to keys, published to channels.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/commands/command.h"
#include "server/engine/engine.h"
#include "server/engine/event.h"

namespace sluice::commands {

// What notify-keyspace-events is made of. Redis's classes for types that do not exist here (lists, hashes
// ...) are taken and mean nothing; `d` is what Redis keeps for modules' types, here stock items.
namespace notify {
inline constexpr uint64_t kKeyspace = 1 << 0;  // K: to __keyspace@<db>__:<key>
inline constexpr uint64_t kKeyevent = 1 << 1;  // E: to __keyevent@<db>__:<event>
inline constexpr uint64_t kGeneric = 1 << 2;   // g
inline constexpr uint64_t kString = 1 << 3;    // $
inline constexpr uint64_t kStream = 1 << 8;    // t
inline constexpr uint64_t kItem = 1 << 9;      // d
inline constexpr uint64_t kExpired = 1 << 10;  // x
inline constexpr uint64_t kMiss = 1 << 12;     // m: not part of A
inline constexpr uint64_t kNew = 1 << 13;      // n: not part of A

// The classes of a text such as "KEA"; nullopt: a letter that is none.
std::optional<uint64_t> Parse(std::string_view text);
// The text of them, as CONFIG GET writes it.
std::string Format(uint64_t classes);
// True where something may be published at all: a class, and a channel to send it to.
constexpr bool Publishes(uint64_t classes) {
  return (classes & (kKeyspace | kKeyevent)) != 0 && (classes & ~(kKeyspace | kKeyevent)) != 0;
}
}  // namespace notify

struct KeyspaceEvent {
  uint64_t event_class;
  uint8_t db;
  std::string_view event;
  std::string key;
};

// What `events`, one record that is about to be applied, does to keys, as Redis names it. Some of them mean
// different things by different commands; `command` is nullptr where none caused them, but time.
std::vector<KeyspaceEvent> KeyspaceEventsOf(std::span<const engine::Event> events,
                                            const engine::Keyspace& keys, const Command* command);

}  // namespace sluice::commands
