// The options of SECKILL.CREATE and SECKILL.CONFIG, and those of a buy.
#pragma once

#include <optional>
#include <string_view>

#include "server/commands/context.h"
#include "server/engine/sale_rules.h"

namespace sluice::commands {

inline constexpr uint64_t kMaxStock = UINT32_MAX;  // pieces of an item; a larger figure is refused
inline constexpr uint64_t kMaxSpanMs = 365ull * 24 * 3600 * 1000;  // of HOLD, PER and IDEM
inline constexpr uint64_t kMaxRate = 1000000;
inline constexpr uint64_t kMaxExtensionMs = 24ull * 3600 * 1000;  // of EXTEND
inline constexpr uint64_t kDefaultIdemMs = 24ull * 3600 * 1000;

// Reads the number behind the word at `i`, which may be given once and lies between `least` and `most`.
// False: the error, which names the word, is replied.
bool ParseSaleNumber(Context& ctx, size_t i, uint64_t least, uint64_t most, std::optional<uint64_t>& into);

// What CREATE or CONFIG says of a sale, from argument 2 on.
struct RuleOptions {
  std::optional<uint64_t> stock;  // CREATE only
  std::optional<uint64_t> start_ms, end_ms, limit, max_quantity, hold_ms, rate, rate_ms, max_backlog, idem_ms;
  std::optional<bool> keep_quota;
  std::optional<engine::SaleEvents> events;
  std::optional<std::string_view> stream, event_stream, backlog_group;
};
// nullopt: the error is replied. `config`: 0 takes an option back, and there is no STOCK.
std::optional<RuleOptions> ParseRuleOptions(Context& ctx, bool config);
// `rules` with what the options say. nullopt: they contradict each other, the error is replied. The event's
// views are those of `rules` and of the request.
std::optional<engine::SetSaleRules> WithOptions(Context& ctx, engine::ObjectId item,
                                                const engine::SaleRules& rules, const RuleOptions& options);

// What follows the user in BUY and TRY, or the items in MBUY.
struct BuyOptions {
  uint64_t quantity = 1;
  std::string_view request;                // REQID; empty: none
  std::optional<uint64_t> hold_ms;         // HOLD
  uint64_t pairs = 0;                      // of FIELDS
  std::string_view fields;                 // as RESP bulk strings
  std::optional<std::string_view> stream;  // MBUY's
};
// From argument `first` on. nullopt: the error is replied. `bundle`: STREAM instead of QTY.
std::optional<BuyOptions> ParseBuyOptions(Context& ctx, size_t first, bool bundle);

// The REQID at argument `i`. Empty: the error is replied.
std::string_view ParseRequestId(Context& ctx, size_t i);

}  // namespace sluice::commands
