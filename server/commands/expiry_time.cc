#include "server/commands/expiry_time.h"

#include "server/commands/arguments.h"
#include "server/commands/command.h"

namespace sluice::commands {
namespace {

void Refuse(Context& ctx) {
  ctx.reply.Error(errors::Concat({"invalid expire time in '", ctx.command.name, "' command"}));
}

}  // namespace

std::optional<int64_t> ParseExpiry(Context& ctx, std::string_view text, ExpiryUnit unit, bool from_now) {
  const auto number = ParseInteger(text);
  if (!number) return ctx.reply.Error(errors::kNotInteger), std::nullopt;
  int64_t ms = *number;
  const bool sound = (unit == ExpiryUnit::kMilliseconds || !__builtin_mul_overflow(ms, 1000, &ms)) &&
                     (!from_now || !__builtin_add_overflow(ms, static_cast<int64_t>(ctx.now.unix_ms()), &ms));
  if (!sound) return Refuse(ctx), std::nullopt;
  return ms;
}

ExpiryOption ParseExpiryOption(Context& ctx, size_t& i, std::optional<uint64_t>& unix_ms) {
  struct Word {
    std::string_view name;
    ExpiryUnit unit;
    bool from_now;
  };
  constexpr Word kWords[] = {
      {"EX", ExpiryUnit::kSeconds, true},
      {"PX", ExpiryUnit::kMilliseconds, true},
      {"EXAT", ExpiryUnit::kSeconds, false},
      {"PXAT", ExpiryUnit::kMilliseconds, false},
  };
  for (const Word& word : kWords) {
    if (!IsWord(ctx.arg(i), word.name) || i + 1 >= ctx.argc() || unix_ms) continue;
    const std::string_view text = ctx.arg(++i);
    const auto given = ParseInteger(text);
    if (given && *given <= 0) return Refuse(ctx), ExpiryOption{true, true};
    const auto parsed = ParseExpiry(ctx, text, word.unit, word.from_now);
    if (!parsed) return {true, true};
    unix_ms = static_cast<uint64_t>(*parsed);
    return {true, false};
  }
  return {};
}

}  // namespace sluice::commands
