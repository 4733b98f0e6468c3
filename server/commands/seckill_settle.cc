// What becomes of an order: SECKILL.CONFIRM, SECKILL.CANCEL, SECKILL.EXTEND.
//
//   the order is                    CONFIRM                        CANCEL                  EXTEND
//   held                            0, now sold                    0, released             0
//   sold                            14                             13; FORCE: 0            13
//   expired, cancelled              10, 11; REACQUIRE: 0, 1, 2     14                      10, 11
//
// A bundle's parts are in the same state, and go on together in one record.
#include "server/commands/arguments.h"
#include "server/commands/handlers.h"
#include "server/commands/sale_plan.h"
#include "server/commands/seckill_check.h"
#include "server/commands/seckill_code.h"
#include "server/commands/seckill_options.h"
#include "server/commands/seckill_replay.h"

namespace sluice::commands {
namespace {

using engine::Object;
using engine::OrderState;

constexpr std::string_view kNoMessage =
    "the stream of the item's events holds another type, or no further ID";

void Answer(Context& ctx, SaleCode code) {
  ctx.reply.Integer(static_cast<int64_t>(code));
}

struct SettleOptions {
  std::optional<std::string_view> user;
  bool reacquire = false;  // CONFIRM's
  bool force = false;      // CANCEL's, and what follows
  bool no_restock = false;
  std::optional<std::string_view> reason;
};
enum class Verb : uint8_t { kConfirm, kCancel, kExtend };

// The options from argument `i` on. nullopt: the error is replied.
std::optional<SettleOptions> ParseSettleOptions(Context& ctx, size_t i, Verb verb) {
  SettleOptions options;
  for (; i < ctx.argc(); ++i) {
    const std::string_view word = ctx.arg(i);
    const bool more = i + 1 < ctx.argc();
    if (more && !options.user && IsWord(word, "USER")) {
      options.user = ctx.arg(++i);
    } else if (verb == Verb::kConfirm && !options.reacquire && IsWord(word, "REACQUIRE")) {
      options.reacquire = true;
    } else if (verb == Verb::kCancel && !options.force && IsWord(word, "FORCE")) {
      options.force = true;
    } else if (verb == Verb::kCancel && !options.no_restock && IsWord(word, "NORESTOCK")) {
      options.no_restock = true;
    } else if (verb == Verb::kCancel && more && !options.reason && IsWord(word, "REASON")) {
      options.reason = ctx.arg(++i);
    } else {
      return ctx.reply.Error(errors::kSyntax), std::nullopt;
    }
  }
  return options;
}

// The order that a call is about. nullopt: there is none (the code is replied), or the item is of another
// type.
std::optional<OrderPart> FindTarget(Context& ctx, const OrderName& name,
                                    const std::optional<std::string_view>& user) {
  const auto found = FindItem(ctx, ctx.arg(1));
  if (!found) return std::nullopt;
  if (*found == nullptr) return Answer(ctx, SaleCode::kNoItem), std::nullopt;
  const engine::StockItem& item = (*found)->item();
  const uint32_t number = FindOrder(item, name, ctx.now);
  const bool known = number != engine::OrderTable::kNone &&
                     (!user || item.buyers().NameOf(item.orders()[number].buyer) == *user);
  if (!known) return Answer(ctx, SaleCode::kNoOrder), std::nullopt;
  return OrderPart{*found, number};
}

// Records the plan and answers.
void Finish(Context& ctx, SalePlan& plan) {
  if (!ctx.Record(plan.events())) return;
  for (const auto& [item, available] : plan.touched()) ctx.StockChanged(item, available);
  Answer(ctx, SaleCode::kOk);
}

// Closes all parts of the order.
void Settle(Context& ctx, const OrderPart& target, OrderState state, uint8_t flags, std::string_view reason) {
  const OrderParts parts = PartsOf(ctx.engine, *target.object, target.number);
  SalePlan plan(ctx.engine, ctx.now);
  for (const OrderPart& part : parts) {
    if (!part.order().open()) continue;  // it counts as closed already
    if (const auto room = MakeRoom(*part.object, 1, ctx.host.settings().seckill_closed_orders))
      plan.Add(*room);
  }
  if (!plan.Settle(parts, state, flags, reason, SalePlan::Messages::kMust))
    return ctx.reply.Error(kNoMessage);
  Finish(ctx, plan);
}

// The first part that cannot be bought again. kNoOrder: one is forgotten, so the bundle is not what it was.
SaleCode CheckReacquire(const OrderPart& target, const OrderParts& parts) {
  const engine::Bundle* bundle = target.item().BundleOf(target.number);
  if (bundle != nullptr && bundle->items.size() != parts.size()) return SaleCode::kNoOrder;
  for (const OrderPart& part : parts) {
    const engine::Order& order = part.order();
    const uint64_t pieces = part.item().buyers().PiecesOf(order.buyer);
    const bool counts_already = order.has(engine::Order::kQuotaKept);
    if (!counts_already && !IsWithinLimit(part.item().rules(), pieces, order.quantity))
      return SaleCode::kLimit;
    if (part.item().available() < order.quantity) return SaleCode::kSoldOut;
  }
  return SaleCode::kOk;
}

void Reacquire(Context& ctx, const OrderPart& target) {
  const OrderParts parts = PartsOf(ctx.engine, *target.object, target.number);
  const SaleCode code = CheckReacquire(target, parts);
  if (code != SaleCode::kOk) return Answer(ctx, code);
  SalePlan plan(ctx.engine, ctx.now);
  if (!plan.Reacquire(parts)) return ctx.reply.Error(kNoMessage);
  Finish(ctx, plan);
}

}  // namespace

void SeckillConfirm(Context& ctx) {
  size_t i = 2;
  const auto name = ParseOrderName(ctx, i);
  if (!name) return;
  const auto options = ParseSettleOptions(ctx, i, Verb::kConfirm);
  if (!options) return;
  const auto target = FindTarget(ctx, *name, options->user);
  if (!target) return;
  switch (target->order().state) {
    case OrderState::kHeld:
      return Settle(ctx, *target, OrderState::kSold, 0, {});
    case OrderState::kSold:
    case OrderState::kForgotten:
      return Answer(ctx, SaleCode::kAlready);
    case OrderState::kExpired:
    case OrderState::kCancelled:
      if (options->reacquire) return Reacquire(ctx, *target);
      return Answer(ctx, StandingOf(target->order().state));
  }
}

void SeckillCancel(Context& ctx) {
  size_t i = 2;
  const auto name = ParseOrderName(ctx, i);
  if (!name) return;
  const auto options = ParseSettleOptions(ctx, i, Verb::kCancel);
  if (!options) return;
  const auto target = FindTarget(ctx, *name, options->user);
  if (!target) return;
  const OrderState state = target->order().state;
  if (state == OrderState::kSold && !options->force) return Answer(ctx, SaleCode::kConfirmed);
  if (state == OrderState::kExpired || state == OrderState::kCancelled)
    return Answer(ctx, SaleCode::kAlready);
  const uint8_t flags = options->no_restock ? engine::SettleOrders::kNoRestock : 0;
  Settle(ctx, *target, OrderState::kCancelled, flags, options->reason.value_or("cancelled"));
}

void SeckillExtend(Context& ctx) {
  size_t i = 2;
  const auto name = ParseOrderName(ctx, i);
  if (!name) return;
  if (i >= ctx.argc()) return ctx.reply.Error(errors::WrongArity("seckill.extend"));
  const auto ms = ParseInteger(ctx.arg(i));
  if (!ms) return ctx.reply.Error(errors::kNotInteger);
  if (*ms < 1 || *ms > static_cast<int64_t>(kMaxExtensionMs))
    return ctx.reply.Error("the extension must be between 1 and " + std::to_string(kMaxExtensionMs) + " ms");
  const auto options = ParseSettleOptions(ctx, i + 1, Verb::kExtend);
  if (!options) return;
  const auto target = FindTarget(ctx, *name, options->user);
  if (!target) return;
  const OrderState state = target->order().state;
  if (state == OrderState::kSold) return Answer(ctx, SaleCode::kConfirmed);
  if (state != OrderState::kHeld) return Answer(ctx, StandingOf(state));
  SalePlan plan(ctx.engine, ctx.now);
  for (const OrderPart& part : PartsOf(ctx.engine, *target->object, target->number)) {
    const int64_t deadline_ms = part.item().TimeAt(ctx.now.steady_ms) + *ms;
    plan.Add(engine::ExtendOrder{part.object->id, part.order().id, static_cast<uint64_t>(deadline_ms)});
  }
  Finish(ctx, plan);
}

}  // namespace sluice::commands
