#include "server/commands/seckill_options.h"

#include "server/commands/arguments.h"

namespace sluice::commands {
namespace {

std::string UpperCase(std::string_view word) {
  std::string upper(word);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return upper;
}

bool ParseText(Context& ctx, size_t i, std::optional<std::string_view>& into) {
  if (into) return ctx.reply.Error(errors::kSyntax), false;
  into = ctx.arg(i + 1);
  return true;
}

bool ParseKeepQuota(Context& ctx, size_t i, bool config, RuleOptions& options) {
  const std::string_view value = ctx.arg(i + 1);
  const bool yes = IsWord(value, "YES");
  const bool no = IsWord(value, "NO") || (config && value == "0");
  if (options.keep_quota || (!yes && !no)) return ctx.reply.Error(errors::kSyntax), false;
  options.keep_quota = yes;
  return true;
}

bool ParseEvents(Context& ctx, size_t i, bool config, RuleOptions& options) {
  const std::string_view value = ctx.arg(i + 1);
  if (options.events) return ctx.reply.Error(errors::kSyntax), false;
  if (IsWord(value, "ALL")) {
    options.events = engine::SaleEvents::kAll;
  } else if (IsWord(value, "ORDERS")) {
    options.events = engine::SaleEvents::kOrders;
  } else if (config && value == "0") {
    options.events = engine::SaleEvents::kFitting;
  } else {
    return ctx.reply.Error(errors::kSyntax), false;
  }
  return true;
}

// RATE n PER ms; in CONFIG, RATE 0 needs no PER. `i` moves to the last word read.
bool ParseRate(Context& ctx, size_t& i, bool config, RuleOptions& options) {
  if (!ParseSaleNumber(ctx, i, config ? 0 : 1, kMaxRate, options.rate)) return false;
  ++i;
  if (i + 2 < ctx.argc() && IsWord(ctx.arg(i + 1), "PER")) {
    if (!ParseSaleNumber(ctx, i + 1, *options.rate == 0 ? 0 : 1, kMaxSpanMs, options.rate_ms)) return false;
    i += 2;
  } else if (*options.rate != 0) {
    return ctx.reply.Error(errors::kSyntax), false;
  }
  if (*options.rate == 0) options.rate_ms = 0;
  return true;
}

bool ParseBacklog(Context& ctx, size_t& i, RuleOptions& options) {
  if (!ParseSaleNumber(ctx, i, 0, INT64_MAX, options.max_backlog)) return false;
  ++i;
  if (i + 2 < ctx.argc() && IsWord(ctx.arg(i + 1), "GROUP")) {
    options.backlog_group = ctx.arg(i + 2);
    i += 2;
  } else {
    options.backlog_group = std::string_view();
  }
  return true;
}

// One option, at `i`; `i` moves to its last word. False: the error is replied.
bool ParseRule(Context& ctx, size_t& i, bool config, RuleOptions& options) {
  const std::string_view word = ctx.arg(i);
  if (i + 1 >= ctx.argc()) return ctx.reply.Error(errors::kSyntax), false;
  if (IsWord(word, "RATE")) return ParseRate(ctx, i, config, options);
  if (IsWord(word, "MAXBACKLOG")) return ParseBacklog(ctx, i, options);
  const size_t at = i++;
  if (!config && IsWord(word, "STOCK")) return ParseSaleNumber(ctx, at, 1, kMaxStock, options.stock);
  if (IsWord(word, "START")) return ParseSaleNumber(ctx, at, 0, INT64_MAX, options.start_ms);
  if (IsWord(word, "END")) return ParseSaleNumber(ctx, at, 0, INT64_MAX, options.end_ms);
  if (IsWord(word, "LIMIT")) return ParseSaleNumber(ctx, at, 0, INT64_MAX, options.limit);
  if (IsWord(word, "MAXQTY")) return ParseSaleNumber(ctx, at, 0, INT64_MAX, options.max_quantity);
  if (IsWord(word, "HOLD")) return ParseSaleNumber(ctx, at, config ? 0 : 1, kMaxSpanMs, options.hold_ms);
  if (IsWord(word, "IDEM")) return ParseSaleNumber(ctx, at, 0, kMaxSpanMs, options.idem_ms);
  if (IsWord(word, "KEEPQUOTA")) return ParseKeepQuota(ctx, at, config, options);
  if (IsWord(word, "EVENTS")) return ParseEvents(ctx, at, config, options);
  if (IsWord(word, "STREAM")) return ParseText(ctx, at, options.stream);
  if (IsWord(word, "EVENTSTREAM")) return ParseText(ctx, at, options.event_stream);
  return ctx.reply.Error(errors::kSyntax), false;
}

bool ParseFields(Context& ctx, size_t& i, BuyOptions& options) {
  if (options.pairs != 0) return ctx.reply.Error(errors::kSyntax), false;
  const auto pairs = ParseInteger(ctx.arg(i + 1));
  if (!pairs) return ctx.reply.Error(errors::kNotInteger), false;
  const size_t left = ctx.argc() - (i + 2);
  if (*pairs < 1 || static_cast<uint64_t>(*pairs) > left / 2) return ctx.reply.Error(errors::kSyntax), false;
  options.pairs = static_cast<uint64_t>(*pairs);
  options.fields = ctx.request.Raw(i + 2, i + 2 + options.pairs * 2);
  i += options.pairs * 2;
  return true;
}

}  // namespace

bool ParseSaleNumber(Context& ctx, size_t i, uint64_t least, uint64_t most, std::optional<uint64_t>& into) {
  if (into) return ctx.reply.Error(errors::kSyntax), false;
  const auto number = ParseInteger(ctx.arg(i + 1));
  if (!number) return ctx.reply.Error(errors::kNotInteger), false;
  const auto refuse = [&](std::string_view how, uint64_t bound) {
    ctx.reply.Error(errors::Concat({UpperCase(ctx.arg(i)), how, bound == 0 ? "" : std::to_string(bound)}));
    return false;
  };
  if (*number < 0 && least == 0) return refuse(" must not be negative", 0);
  if (*number < static_cast<int64_t>(least)) return refuse(" must be at least ", least);
  if (static_cast<uint64_t>(*number) > most) return refuse(" must be at most ", most);
  into = static_cast<uint64_t>(*number);
  return true;
}

std::optional<RuleOptions> ParseRuleOptions(Context& ctx, bool config) {
  RuleOptions options;
  for (size_t i = 2; i < ctx.argc(); ++i) {
    if (!ParseRule(ctx, i, config, options)) return std::nullopt;
  }
  if (!config && !options.stock) return ctx.reply.Error(errors::kSyntax), std::nullopt;
  return options;
}

std::optional<engine::SetSaleRules> WithOptions(Context& ctx, engine::ObjectId item,
                                                const engine::SaleRules& rules, const RuleOptions& options) {
  const engine::SetSaleRules changed{
      .item = item,
      .start_ms = options.start_ms.value_or(rules.start_ms),
      .end_ms = options.end_ms.value_or(rules.end_ms),
      .limit = options.limit.value_or(rules.limit),
      .max_quantity = options.max_quantity.value_or(rules.max_quantity),
      .hold_ms = options.hold_ms.value_or(rules.hold_ms),
      .rate = options.rate.value_or(rules.rate),
      .rate_ms = options.rate_ms.value_or(rules.rate_ms),
      .max_backlog = options.max_backlog.value_or(rules.max_backlog),
      .idem_ms = options.idem_ms.value_or(rules.idem_ms),
      .keep_quota = options.keep_quota.value_or(rules.keep_quota),
      .events = options.events.value_or(rules.events),
      .stream = options.stream.value_or(rules.stream),
      .event_stream = options.event_stream.value_or(rules.event_stream),
      .backlog_group = options.backlog_group.value_or(rules.backlog_group),
  };
  if (changed.start_ms != 0 && changed.end_ms != 0 && changed.start_ms >= changed.end_ms)
    return ctx.reply.Error("START must be before END"), std::nullopt;
  return changed;
}

std::string_view ParseRequestId(Context& ctx, size_t i) {
  if (ctx.arg(i).empty()) ctx.reply.Error("REQID must not be empty");
  return ctx.arg(i);
}

std::optional<BuyOptions> ParseBuyOptions(Context& ctx, size_t first, bool bundle) {
  BuyOptions options;
  std::optional<uint64_t> quantity;
  for (size_t i = first; i < ctx.argc(); i += 2) {
    const std::string_view word = ctx.arg(i);
    bool sound = i + 1 < ctx.argc();
    if (!sound) {
      ctx.reply.Error(errors::kSyntax);
    } else if (!bundle && IsWord(word, "QTY")) {
      sound = ParseSaleNumber(ctx, i, 1, INT64_MAX, quantity);
    } else if (IsWord(word, "REQID") && options.request.empty()) {
      options.request = ParseRequestId(ctx, i + 1);
      sound = !options.request.empty();
    } else if (IsWord(word, "HOLD")) {
      sound = ParseSaleNumber(ctx, i, 1, kMaxSpanMs, options.hold_ms);
    } else if (bundle && IsWord(word, "STREAM")) {
      sound = ParseText(ctx, i, options.stream);
    } else if (IsWord(word, "FIELDS")) {
      sound = ParseFields(ctx, i, options);
    } else {
      ctx.reply.Error(errors::kSyntax);
      sound = false;
    }
    if (!sound) return std::nullopt;
  }
  options.quantity = quantity.value_or(1);
  return options;
}

}  // namespace sluice::commands
