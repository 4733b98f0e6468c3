// "IDS numids id ...", as the newer stream commands have their IDs.
#pragma once

#include <optional>
#include <string_view>

#include "server/commands/arguments.h"
#include "server/commands/context.h"

namespace sluice::commands {

// The arguments [first, end) are the IDs. first == 0: there are none.
struct IdList {
  size_t first = 0;
  size_t end = 0;
};

struct IdListErrors {
  std::string_view not_positive;
  std::string_view not_as_many;  // fewer IDs than announced
};

// Reads the list whose word IDS is argument `i`; there is at least one argument behind it. nullopt: the error
// is replied.
inline std::optional<IdList> FindIds(Context& ctx, size_t i, const IdListErrors& texts) {
  const auto count = ParseInteger(ctx.arg(i + 1));
  if (!count || *count < 1) return ctx.reply.Error(texts.not_positive), std::nullopt;
  const size_t first = i + 2;
  if (static_cast<uint64_t>(*count) > ctx.argc() - first)
    return ctx.reply.Error(texts.not_as_many), std::nullopt;
  return IdList{first, first + static_cast<size_t>(*count)};
}

}  // namespace sluice::commands
