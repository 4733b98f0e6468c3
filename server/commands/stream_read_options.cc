#include "server/commands/stream_read_options.h"

#include "server/commands/arguments.h"
#include "server/commands/command.h"

namespace sluice::commands {
namespace {

// nullopt: the error is replied.
std::optional<uint64_t> ParseTimeout(Context& ctx, std::string_view text) {
  const auto timeout = ParseInteger(text);
  if (!timeout) return ctx.reply.Error("timeout is not an integer or out of range"), std::nullopt;
  if (*timeout < 0) return ctx.reply.Error("timeout is negative"), std::nullopt;
  if (static_cast<uint64_t>(*timeout) > INT64_MAX - ctx.now.unix_ms()) {
    return ctx.reply.Error("timeout is out of range"), std::nullopt;
  }
  return static_cast<uint64_t>(*timeout);
}

// A number above 0. nullopt: the error is replied.
std::optional<size_t> ParseLimit(Context& ctx, std::string_view option, std::string_view text) {
  const auto limit = ParseInteger(text);
  if (limit && *limit > 0) return static_cast<size_t>(*limit);
  ctx.reply.Error(errors::Concat({option, " must be a positive integer"}));
  return std::nullopt;
}

// CLAIM's idleness. nullopt: the error is replied.
std::optional<uint64_t> ParseClaimIdle(Context& ctx, std::string_view text) {
  const auto idle = ParseInteger(text);
  if (!idle) return ctx.reply.Error("min-idle-time is not an integer or out of range"), std::nullopt;
  if (*idle < 0) return ctx.reply.Error("min-idle-time must be a positive integer"), std::nullopt;
  return static_cast<uint64_t>(*idle);
}

}  // namespace

std::optional<ReadOptions> ParseReadOptions(Context& ctx, bool grouped) {
  auto refuse = [&](std::string_view option) {
    ctx.reply.Error(errors::Concat(
        {"The ", option, " option is only supported by XREADGROUP. You called XREAD instead."}));
    return std::nullopt;
  };
  ReadOptions options;
  bool count_given = false;
  for (size_t i = 1; i < ctx.argc(); ++i) {
    const std::string_view word = ctx.arg(i);
    const size_t more = ctx.argc() - 1 - i;
    if (more >= 1 && IsWord(word, "BLOCK")) {
      const auto timeout = ParseTimeout(ctx, ctx.arg(++i));
      if (!timeout) return std::nullopt;
      options.block = true;
      options.timeout_ms = *timeout;
    } else if (more >= 1 && IsWord(word, "COUNT")) {
      const auto count = ParseInteger(ctx.arg(++i));
      if (!count) return ctx.reply.Error(errors::kNotInteger), std::nullopt;
      options.count = *count > 0 ? static_cast<size_t>(*count) : SIZE_MAX;
      count_given = *count > 0;
    } else if (more >= 1 && IsWord(word, "MAXCOUNT")) {
      const auto limit = ParseLimit(ctx, "MAXCOUNT", ctx.arg(++i));
      if (!limit) return std::nullopt;
      options.max_count = *limit;
    } else if (more >= 1 && IsWord(word, "MAXSIZE")) {
      const auto limit = ParseLimit(ctx, "MAXSIZE", ctx.arg(++i));
      if (!limit) return std::nullopt;
      options.max_bytes = *limit;
    } else if (more >= 1 && IsWord(word, "CLAIM")) {
      if (!grouped) return refuse("CLAIM");
      options.claim_idle_ms = ParseClaimIdle(ctx, ctx.arg(++i));
      if (!options.claim_idle_ms) return std::nullopt;
    } else if (more >= 1 && IsWord(word, "STREAMS")) {
      options.keys_at = i + 1;
      if (more % 2 != 0) {
        ctx.reply.Error(
            errors::Concat({"Unbalanced '", ctx.command.name, "' list of streams: for each stream key an ID",
                            grouped ? " or '>'" : ", '+', or '$'", " must be specified."}));
        return std::nullopt;
      }
      options.streams = more / 2;
      break;
    } else if (more >= 2 && IsWord(word, "GROUP")) {
      if (!grouped) return refuse("GROUP");
      options.group_given = true;
      options.group = ctx.arg(i + 1);
      options.consumer = ctx.arg(i + 2);
      i += 2;
    } else if (IsWord(word, "NOACK")) {
      if (!grouped) return refuse("NOACK");
      options.no_ack = true;
    } else {
      return ctx.reply.Error(errors::kSyntax), std::nullopt;
    }
  }
  if (options.keys_at == 0) return ctx.reply.Error(errors::kSyntax), std::nullopt;
  if (count_given && options.max_count < options.count) {
    ctx.reply.Error("MAXCOUNT must be greater than or equal to COUNT");
    return std::nullopt;
  }
  if (grouped && !options.group_given)
    return ctx.reply.Error("Missing GROUP option for XREADGROUP"), std::nullopt;
  return options;
}

void BlockOnStreams(Context& ctx, const ReadOptions& options, std::span<const std::string_view> args,
                    std::optional<uint64_t> retry_at_ms) {
  ctx.Block({.keys = args.subspan(options.keys_at, options.streams),
             .group = options.group,
             .claims = options.claim_idle_ms.has_value(),
             .retry_at_ms = retry_at_ms,
             .timeout_ms = options.timeout_ms,
             .args = args});
}

}  // namespace sluice::commands
