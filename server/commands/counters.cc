// Strings that are numbers.
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "server/commands/arguments.h"
#include "server/commands/expiry_time.h"
#include "server/commands/handlers.h"
#include "server/commands/string_lookup.h"

namespace sluice::commands {
namespace {

using engine::Object;

constexpr NewExpiry kKeepExpiry{NewExpiry::kKeep, 0};

// The text of an integer, without an allocation.
class IntegerText {
 public:
  explicit IntegerText(int64_t value) { end_ = std::to_chars(text_, text_ + sizeof text_, value).ptr; }
  std::string_view view() const { return {text_, static_cast<size_t>(end_ - text_)}; }

 private:
  char text_[24];
  char* end_;
};

// A long double as Redis reads one: the whole text, finite.
std::optional<long double> ParseFloat(std::string_view text) {
  const std::string terminated(text);
  if (terminated.empty() || terminated.size() != text.size() ||
      std::isspace(static_cast<unsigned char>(text[0]))) {
    return std::nullopt;
  }
  char* end = nullptr;
  const long double value = std::strtold(terminated.c_str(), &end);
  if (end != terminated.c_str() + terminated.size() || std::isnan(value)) return std::nullopt;
  return value;
}

// 17 digits behind the point, and no zeros at the end of them.
std::string FormatFloat(long double value) {
  char text[6000];
  const int size = std::snprintf(text, sizeof text, "%.17Lf", value);
  std::string_view view(text, static_cast<size_t>(size));
  while (view.ends_with('0')) view.remove_suffix(1);
  if (view.ends_with('.')) view.remove_suffix(1);
  return view == "-0" ? "0" : std::string(view);
}

// A counter's present value, 0 where there is none. nullopt: not an integer, the error is replied.
std::optional<int64_t> IntegerOf(Context& ctx, const Object* object) {
  if (object == nullptr) return 0;
  const auto value = ParseInteger(object->string());
  if (!value) ctx.reply.Error(errors::kNotInteger);
  return value;
}

std::optional<long double> FloatOf(Context& ctx, const Object* object) {
  if (object == nullptr) return 0;
  const auto value = ParseFloat(object->string());
  if (!value) ctx.reply.Error("value is not a valid float");
  return value;
}

void Add(Context& ctx, int64_t delta) {
  const auto found = FindString(ctx, ctx.arg(1));
  if (!found) return;
  const auto value = IntegerOf(ctx, *found);
  if (!value) return;
  int64_t sum;
  if (__builtin_add_overflow(*value, delta, &sum)) return ctx.reply.Error(errors::kOverflow);
  if (!StoreString(ctx, *found, ctx.arg(1), IntegerText(sum).view(), kKeepExpiry)) return;
  ctx.reply.Integer(sum);
}

struct BoundedIncrement {
  bool floating = false;
  int64_t integer = 1;
  long double number = 1;
  std::optional<std::string_view> lower;
  std::optional<std::string_view> upper;
  bool saturate = false;
  bool only_without_expiry = false;  // ENX
  bool persist = false;
  std::optional<uint64_t> unix_ms;
};

std::optional<BoundedIncrement> ParseIncrex(Context& ctx) {
  BoundedIncrement options;
  bool increment_given = false;
  for (size_t i = 2; i < ctx.argc(); ++i) {
    const std::string_view word = ctx.arg(i);
    const bool more = i + 1 < ctx.argc();
    if (more && !increment_given && IsWord(word, "BYINT")) {
      const auto number = ParseInteger(ctx.arg(++i));
      if (!number) return ctx.reply.Error(errors::kNotInteger), std::nullopt;
      options.integer = *number;
      increment_given = true;
    } else if (more && !increment_given && IsWord(word, "BYFLOAT")) {
      const auto number = ParseFloat(ctx.arg(++i));
      if (!number || std::isinf(*number)) return ctx.reply.Error("value is not a valid float"), std::nullopt;
      options.number = *number;
      options.floating = increment_given = true;
    } else if (more && !options.lower && IsWord(word, "LBOUND")) {
      options.lower = ctx.arg(++i);
    } else if (more && !options.upper && IsWord(word, "UBOUND")) {
      options.upper = ctx.arg(++i);
    } else if (!options.saturate && IsWord(word, "SATURATE")) {
      options.saturate = true;
    } else if (!options.only_without_expiry && IsWord(word, "ENX")) {
      options.only_without_expiry = true;
    } else if (!options.persist && !options.unix_ms && IsWord(word, "PERSIST")) {
      options.persist = true;
    } else {
      const ExpiryOption expiry =
          options.persist ? ExpiryOption{} : ParseExpiryOption(ctx, i, options.unix_ms);
      if (expiry.bad) return std::nullopt;
      if (!expiry.taken) return ctx.reply.Error(errors::kSyntax), std::nullopt;
    }
  }
  if (options.only_without_expiry && !options.unix_ms) return ctx.reply.Error(errors::kSyntax), std::nullopt;
  return options;
}

NewExpiry ExpiryAfter(const BoundedIncrement& options, const Object* existing) {
  if (options.persist) return {};
  const bool has_one = existing != nullptr && existing->expire_ms != 0;
  if (!options.unix_ms || (options.only_without_expiry && has_one)) return kKeepExpiry;
  return {NewExpiry::kAt, *options.unix_ms};
}

// The bounds as numbers. False: one is none, or they contradict each other; the error is replied.
template <typename Number, typename Parse>
bool ParseBounds(Context& ctx, const BoundedIncrement& options, Parse parse, std::string_view error,
                 Number& lower, Number& upper) {
  for (const auto& [text, into] : {std::pair{options.lower, &lower}, std::pair{options.upper, &upper}}) {
    if (!text) continue;
    const auto bound = parse(*text);
    if (!bound) return ctx.reply.Error(error), false;
    *into = *bound;
  }
  if (lower > upper) return ctx.reply.Error("LBOUND must not be above UBOUND"), false;
  return true;
}

void WriteFloat(Context& ctx, long double value) {
  if (ctx.reply.version() == protocol::Version::kResp3) return ctx.reply.Double(static_cast<double>(value));
  ctx.reply.Bulk(FormatFloat(value));
}

void IncrexByInteger(Context& ctx, const BoundedIncrement& options, const Object* object) {
  int64_t lower = std::numeric_limits<int64_t>::min();
  int64_t upper = std::numeric_limits<int64_t>::max();
  if (!ParseBounds(ctx, options, ParseInteger, errors::kNotInteger, lower, upper)) return;
  const auto value = IntegerOf(ctx, object);
  if (!value) return;
  int64_t sum;
  const bool overflow = __builtin_add_overflow(*value, options.integer, &sum);
  if (overflow)
    sum = options.integer > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
  const bool outside = overflow || sum < lower || sum > upper;
  int64_t applied = options.integer;
  if (outside) {
    sum = options.saturate ? std::min(std::max(sum, lower), upper) : *value;
    if (__builtin_sub_overflow(sum, *value, &applied)) return ctx.reply.Error(errors::kOverflow);
  }
  const bool stays = outside && !options.saturate;
  if (!stays && !StoreString(ctx, object, ctx.arg(1), IntegerText(sum).view(), ExpiryAfter(options, object)))
    return;
  ctx.reply.Array(2);
  ctx.reply.Integer(sum);
  ctx.reply.Integer(applied);
}

void IncrexByFloat(Context& ctx, const BoundedIncrement& options, const Object* object) {
  long double lower = -std::numeric_limits<long double>::infinity();
  long double upper = std::numeric_limits<long double>::infinity();
  if (!ParseBounds(ctx, options, ParseFloat, "value is not a valid float", lower, upper)) return;
  const auto value = FloatOf(ctx, object);
  if (!value) return;
  long double sum = *value + options.number;
  const bool outside = !std::isfinite(sum) || sum < lower || sum > upper;
  if (outside) sum = options.saturate ? std::min(std::max(sum, lower), upper) : *value;
  if (!std::isfinite(sum)) return ctx.reply.Error("increment would produce NaN or Infinity");
  const bool stays = outside && !options.saturate;
  if (!stays && !StoreString(ctx, object, ctx.arg(1), FormatFloat(sum), ExpiryAfter(options, object))) return;
  ctx.reply.Array(2);
  WriteFloat(ctx, sum);
  WriteFloat(ctx, outside ? sum - *value : options.number);
}

}  // namespace

void Incr(Context& ctx) {
  Add(ctx, 1);
}
void Decr(Context& ctx) {
  Add(ctx, -1);
}

void Incrby(Context& ctx) {
  const auto delta = ParseInteger(ctx.arg(2));
  if (!delta) return ctx.reply.Error(errors::kNotInteger);
  Add(ctx, *delta);
}

void Decrby(Context& ctx) {
  const auto delta = ParseInteger(ctx.arg(2));
  if (!delta) return ctx.reply.Error(errors::kNotInteger);
  if (*delta == std::numeric_limits<int64_t>::min()) return ctx.reply.Error("decrement would overflow");
  Add(ctx, -*delta);
}

void Incrbyfloat(Context& ctx) {
  const auto found = FindString(ctx, ctx.arg(1));
  if (!found) return;
  const auto value = FloatOf(ctx, *found);
  if (!value) return;
  const auto delta = ParseFloat(ctx.arg(2));
  if (!delta) return ctx.reply.Error("value is not a valid float");
  const long double sum = *value + *delta;
  if (!std::isfinite(sum)) return ctx.reply.Error("increment would produce NaN or Infinity");
  const std::string text = FormatFloat(sum);
  if (StoreString(ctx, *found, ctx.arg(1), text, kKeepExpiry)) ctx.reply.Bulk(text);
}

void Increx(Context& ctx) {
  const auto options = ParseIncrex(ctx);
  if (!options) return;
  const auto found = FindString(ctx, ctx.arg(1));
  if (!found) return;
  if (options->floating) {
    IncrexByFloat(ctx, *options, *found);
  } else {
    IncrexByInteger(ctx, *options, *found);
  }
}

}  // namespace sluice::commands
