// Items as their owner sees them: SECKILL.CREATE, CONFIG, ADDSTOCK, PAUSE, RESUME.
#include "server/commands/arguments.h"
#include "server/commands/handlers.h"
#include "server/commands/seckill_lookup.h"
#include "server/commands/seckill_options.h"

namespace sluice::commands {
namespace {

using engine::Object;
using engine::Pause;
using engine::StockItem;

constexpr std::string_view kNoItem = "no such item";

// The item at argument 1. nullptr: there is none, the error is replied.
const Object* FindExisting(Context& ctx) {
  const auto found = FindItem(ctx, ctx.arg(1));
  if (!found) return nullptr;
  if (*found == nullptr) ctx.reply.Error(kNoItem);
  return *found;
}

void WriteStock(Context& ctx, const StockItem& item) {
  ctx.reply.Array(2);
  ctx.reply.Integer(static_cast<int64_t>(item.total()));
  ctx.reply.Integer(static_cast<int64_t>(item.available()));
}

// Whether the stock may change so. False: the error is replied.
bool MayChange(Context& ctx, const StockItem& item, int64_t delta) {
  if (delta < -static_cast<int64_t>(item.available())) {
    ctx.reply.Error("not that many pieces are available");
    return false;
  }
  if (delta > static_cast<int64_t>(kMaxStock - item.total())) {
    ctx.reply.Error("STOCK must be at most 4294967295");
    return false;
  }
  return true;
}

void SetPause(Context& ctx, const Object& object, Pause pause) {
  const bool changes = object.item().pause() != pause;
  if (changes && !ctx.Record({engine::PauseSale{object.id, pause, ctx.now.steady_ms}})) return;
  ctx.reply.Ok();
}

}  // namespace

void SeckillCreate(Context& ctx) {
  const auto options = ParseRuleOptions(ctx, false);
  if (!options) return;
  engine::SaleRules rules;
  rules.idem_ms = kDefaultIdemMs;
  // Who may have more than one may have them in one order.
  rules.max_quantity = options->limit.value_or(rules.max_quantity);
  const engine::ObjectId id = ctx.engine.keys().NextId();
  const auto chosen = WithOptions(ctx, id, rules, *options);
  if (!chosen) return;
  const auto found = FindItem(ctx, ctx.arg(1));
  if (!found) return;
  if (*found != nullptr) return ctx.reply.Null();
  const engine::CreateKey creation{id, ctx.session.db, engine::ObjectType::kStockItem, ctx.arg(1)};
  const engine::AddStock stock{id, static_cast<int64_t>(*options->stock)};
  if (ctx.Record({creation, *chosen, stock})) ctx.reply.Ok();
}

void SeckillConfig(Context& ctx) {
  const auto options = ParseRuleOptions(ctx, true);
  if (!options) return;
  const Object* object = FindExisting(ctx);
  if (object == nullptr) return;
  const auto chosen = WithOptions(ctx, object->id, object->item().rules(), *options);
  if (!chosen) return;
  if (ctx.Record({*chosen})) ctx.reply.Ok();
}

void SeckillAddstock(Context& ctx) {
  if (ctx.argc() != 3 && (ctx.argc() != 5 || !IsWord(ctx.arg(3), "REQID")))
    return ctx.reply.Error(errors::kSyntax);
  const auto delta = ParseInteger(ctx.arg(2));
  if (!delta) return ctx.reply.Error(errors::kNotInteger);
  const std::string_view request = ctx.argc() == 5 ? ParseRequestId(ctx, 4) : std::string_view();
  if (ctx.argc() == 5 && request.empty()) return;
  const Object* object = FindExisting(ctx);
  if (object == nullptr) return;
  const StockItem& item = object->item();
  const uint64_t before = item.available();

  if (request.empty()) {
    if (!MayChange(ctx, item, *delta)) return;
    if (*delta != 0 && !ctx.Record({engine::AddStock{object->id, *delta}})) return;
  } else {
    const KnownRequest known = FindRequest(item, request, ctx.now);
    const bool fresh = known.number == engine::RequestTable::kNone || known.stale;
    if (!fresh) {
      const engine::RequestTable::Request& first = item.requests()[known.number];
      if (first.order != engine::OrderTable::kNone || first.delta != *delta)
        return ctx.reply.Error("that REQID stands for something else");
      return WriteStock(ctx, item);
    }
    if (!MayChange(ctx, item, *delta)) return;
    engine::Event events[2];
    size_t count = 0;
    if (known.stale) events[count++] = ForgetStale(object->id, item, known.number);
    events[count++] = engine::AddStockOnce{object->id, *delta, ctx.now.steady_ms, request};
    if (!ctx.Record(std::span(events, count))) return;
  }
  ctx.StockChanged(object->id, before);
  WriteStock(ctx, item);
}

void SeckillPause(Context& ctx) {
  const bool holds = ctx.argc() == 3 && IsWord(ctx.arg(2), "HOLDS");
  if (ctx.argc() > 2 && !holds) return ctx.reply.Error(errors::kSyntax);
  const Object* object = FindExisting(ctx);
  if (object == nullptr) return;
  // Holds that stand still go on with RESUME only.
  const bool stay = object->item().pause() == Pause::kSalesAndHolds;
  SetPause(ctx, *object, holds || stay ? Pause::kSalesAndHolds : Pause::kSales);
}

void SeckillResume(Context& ctx) {
  const Object* object = FindExisting(ctx);
  if (object != nullptr) SetPause(ctx, *object, Pause::kNone);
}

}  // namespace sluice::commands
