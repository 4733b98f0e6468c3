// What string commands look up, and how they store.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "server/commands/context.h"

namespace sluice::commands {

// The string at `key`, or nullptr where there is none. nullopt: another type, the error is replied.
std::optional<const engine::Object*> FindString(Context& ctx, std::string_view key);

// What becomes of a key's end when it gets a value.
struct NewExpiry {
  enum Kind : uint8_t { kNone, kKeep, kAt } kind = kNone;
  uint64_t unix_ms = 0;  // with kAt
};

// Gives `key` a value, whatever it held: `existing` is what it holds, of any type. A value whose end has come
// already is not stored; the key is removed. False: the error is replied.
[[nodiscard]] bool StoreString(Context& ctx, const engine::Object* existing, std::string_view key,
                               std::string_view value, NewExpiry expiry);

// Removes `object`. False: the error is replied.
[[nodiscard]] bool RemoveObject(Context& ctx, const engine::Object& object);

// Sets or unsets (0) the end of `object`; removes it where that has come already. False: the error is
// replied.
[[nodiscard]] bool StoreExpiry(Context& ctx, const engine::Object& object, uint64_t unix_ms);

}  // namespace sluice::commands
