// SECKILL.MBUY: several items, one order, one record.
#include <algorithm>

#include <absl/container/inlined_vector.h>

#include "server/commands/arguments.h"
#include "server/commands/handlers.h"
#include "server/commands/sale_plan.h"
#include "server/commands/seckill_check.h"
#include "server/commands/seckill_options.h"
#include "server/commands/seckill_replay.h"

namespace sluice::commands {
namespace {

using engine::Object;
using engine::OrderTable;
using engine::RequestTable;
using engine::StreamId;

constexpr int64_t kMaxItems = 64;  // of a bundle, each of which remembers all of them

// An item of the bundle, with what it is wanted for and found to be.
struct Part {
  std::string_view key;
  uint64_t quantity = 0;
  int64_t index = 0;  // where it was named first
  const Object* object = nullptr;
  engine::BuyerTable::Known user{};
  KnownRequest request{};
};
using Parts = absl::InlinedVector<Part, 8>;

struct BundleOutcome {
  SaleCode code = SaleCode::kOk;
  int64_t failing = -1;
  StreamId order{};
  bool replayed = false;
};

// ITEMS n item qty [item qty ...]. An item that is named twice adds up. nullopt: the error is replied.
std::optional<Parts> ParseItems(Context& ctx) {
  if (!IsWord(ctx.arg(2), "ITEMS")) return ctx.reply.Error(errors::kSyntax), std::nullopt;
  const auto count = ParseInteger(ctx.arg(3));
  if (!count) return ctx.reply.Error(errors::kNotInteger), std::nullopt;
  if (*count < 1 || *count > kMaxItems)
    return ctx.reply.Error("ITEMS must be between 1 and " + std::to_string(kMaxItems)), std::nullopt;
  if (ctx.argc() < 4 + 2 * static_cast<size_t>(*count)) return ctx.reply.Error(errors::kSyntax), std::nullopt;
  Parts parts;
  for (int64_t n = 0; n < *count; ++n) {
    const size_t at = 4 + 2 * static_cast<size_t>(n);
    const auto quantity = ParseInteger(ctx.arg(at + 1));
    if (!quantity) return ctx.reply.Error(errors::kNotInteger), std::nullopt;
    if (*quantity < 1) return ctx.reply.Error("a quantity must be at least 1"), std::nullopt;
    const auto same =
        std::find_if(parts.begin(), parts.end(), [&](const Part& part) { return part.key == ctx.arg(at); });
    // More than there can be is refused like any other excess, so the sum need not go beyond.
    const uint64_t pieces = std::min(static_cast<uint64_t>(*quantity), kMaxStock + 1);
    if (same == parts.end()) {
      parts.push_back({.key = ctx.arg(at), .quantity = pieces, .index = n});
    } else {
      same->quantity += pieces;
    }
  }
  return parts;
}

// Whether the order behind a known request is the very bundle that is asked for.
bool IsSameBundle(const engine::Order& order, const engine::Bundle* bundle, const Parts& parts) {
  if (order.buyer != parts[0].user.number) return false;
  if (bundle == nullptr) return parts.size() == 1 && order.quantity == parts[0].quantity;
  if (bundle->items.size() != parts.size()) return false;
  return std::all_of(parts.begin(), parts.end(), [&](const Part& part) {
    const bool member = part.object != nullptr && std::find(bundle->items.begin(), bundle->items.end(),
                                                            part.object->id) != bundle->items.end();
    if (!member) return false;
    const uint32_t number = part.object->item().orders().Find(order.id);
    return number == OrderTable::kNone || part.object->item().orders()[number].quantity == part.quantity;
  });
}

// A request that the first item knows is this one again, or another one's.
BundleOutcome ReplayBundle(const Parts& parts) {
  const engine::StockItem& item = parts[0].object->item();
  const uint32_t number = item.requests()[parts[0].request.number].order;
  if (number == OrderTable::kNone) return {.code = SaleCode::kRequestMismatch, .failing = 0};
  const engine::Order& order = item.orders()[number];
  if (!IsSameBundle(order, item.BundleOf(number), parts))
    return {.code = SaleCode::kRequestMismatch, .failing = 0};
  return {.code = StandingOf(order.state), .order = order.id, .replayed = true};
}

// Asks the rules of each item in turn. nullopt: an error is replied.
std::optional<BundleOutcome> Check(Context& ctx, Parts& parts, const BuyOptions& options) {
  for (Part& part : parts) {
    const auto refuse = [&](SaleCode code) { return BundleOutcome{.code = code, .failing = part.index}; };
    if (part.object == nullptr) return refuse(SaleCode::kNoItem);
    const engine::StockItem& item = part.object->item();
    part.user = item.buyers().Find(ctx.arg(1));
    if (!options.request.empty()) part.request = FindRequest(item, options.request, ctx.now);
    if (part.request.number != RequestTable::kNone && !part.request.stale)
      return part.index == 0 ? ReplayBundle(parts) : refuse(SaleCode::kRequestMismatch);
    const SaleCode code = CheckTry(ctx, *part.object, part.user, part.quantity);
    if (code != SaleCode::kOk) return refuse(code);
    const std::string_view key = options.stream.value_or(item.rules().stream);
    const Object* stream = key.empty() ? nullptr : ctx.Find(key);
    if (stream != nullptr && stream->type() != engine::ObjectType::kStream)
      return ctx.reply.Error(errors::kWrongType), std::nullopt;
    if (IsBacklogged(item.rules(), stream == nullptr ? nullptr : &stream->stream()))
      return refuse(SaleCode::kBusy);
  }
  return BundleOutcome{};
}

// The bundle's hold: the shortest of the items that have one. 0: it is sold at once. nullopt: the error is
// replied.
std::optional<uint64_t> HoldOfAll(Context& ctx, const Parts& parts, const BuyOptions& options) {
  uint64_t shortest_ms = 0;
  for (const Part& part : parts) {
    const uint64_t hold_ms = HoldOf(part.object->item().rules(), options.hold_ms);
    if (hold_ms != 0 && (shortest_ms == 0 || hold_ms < shortest_ms)) shortest_ms = hold_ms;
  }
  if (options.hold_ms && shortest_ms == 0) return ctx.reply.Error(kNoHoldToShorten), std::nullopt;
  return shortest_ms;
}

// The key of the order's stream; empty: none. nullopt: the items differ, the error is replied.
std::optional<std::string_view> CommonStream(Context& ctx, const Parts& parts, const BuyOptions& options) {
  if (options.stream) return options.stream;
  const std::string_view first = parts[0].object->item().rules().stream;
  for (const Part& part : parts) {
    if (part.object->item().rules().stream == first) continue;
    ctx.reply.Error("the items have different streams: name one with STREAM");
    return std::nullopt;
  }
  return first;
}

void WritePlaced(Context& ctx, const Parts& parts, StreamId order, uint64_t deadline_ms,
                 std::string_view request, OrderMessage& message) {
  message.Field("event", "order").Field("order", order).Field("user", ctx.arg(1));
  message.Field("items", parts.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    message.MadeField("item" + number, parts[i].key)
        .MadeField("qty" + number, std::to_string(parts[i].quantity));
  }
  message.Field("state", deadline_ms == 0 ? std::string_view("sold") : std::string_view("held"));
  if (deadline_ms != 0) message.Field("deadline", ctx.now.UnixOf(deadline_ms));
  if (!request.empty()) message.Field("reqid", request);
}

// Records the order. nullopt: an error is replied.
std::optional<StreamId> PlaceAll(Context& ctx, const Parts& parts, const BuyOptions& options) {
  const auto hold_ms = HoldOfAll(ctx, parts, options);
  if (!hold_ms) return std::nullopt;
  const auto key = CommonStream(ctx, parts, options);
  if (!key) return std::nullopt;
  std::optional<SaleStream> stream;
  if (!key->empty() && !(stream = FindSaleStream(ctx, *key))) return std::nullopt;

  StreamId last = stream && stream->stream != nullptr ? stream->stream->last_id() : StreamId{};
  for (const Part& part : parts) last = std::max(last, part.object->item().last_order());
  const auto next = engine::Next(last);
  if (!next) {
    ctx.reply.Error("The stream has exhausted the last possible ID, unable to add more items");
    return std::nullopt;
  }
  const StreamId id = std::max(*next, StreamId{ctx.now.unix_ms(), 0});
  const uint64_t deadline_ms = *hold_ms == 0 ? 0 : ctx.now.steady_ms + *hold_ms;

  SalePlan plan(ctx.engine, ctx.now);
  OrderMessage message;
  if (stream) {
    const bool own = options.pairs != 0;
    if (!own) WritePlaced(ctx, parts, id, deadline_ms, options.request, message);
    // The type was looked at, and the ID is a new one.
    const bool appended =
        plan.Append(ctx.session.db, *key, own ? static_cast<uint32_t>(options.pairs) : message.pairs(),
                    own ? options.fields : message.fields(), &id);
    if (!appended) return ctx.reply.Error(errors::kWrongType), std::nullopt;
  }
  uint8_t flags = options.pairs != 0 ? engine::Order::kOwnFields : 0;
  if (deadline_ms != 0) flags |= engine::Order::kWasHeld;
  std::vector<engine::ObjectId> items;
  for (const Part& part : parts) {
    const engine::ObjectId item = part.object->id;
    items.push_back(item);
    if (part.request.stale) plan.Add(ForgetStale(item, part.object->item(), part.request.number));
    if (deadline_ms == 0) {
      if (const auto room = MakeRoom(*part.object, 1, ctx.host.settings().seckill_closed_orders))
        plan.Add(*room);
    }
    plan.Touch(*part.object);
    plan.Add(engine::PlaceOrder{.item = item,
                                .order = id,
                                .now_ms = ctx.now.steady_ms,
                                .deadline_ms = deadline_ms,
                                .quantity = static_cast<uint32_t>(part.quantity),
                                .flags = flags,
                                .user = ctx.arg(1),
                                .request = options.request,
                                .user_hash = part.user.hash});
  }
  if (items.size() > 1) plan.Add(engine::BindOrders{items[0], id, items, *key});
  if (!ctx.Record(plan.events())) return std::nullopt;
  for (const auto& [item, available] : plan.touched()) ctx.StockChanged(item, available);
  return id;
}

std::optional<BundleOutcome> BuyAll(Context& ctx) {
  auto parts = ParseItems(ctx);
  if (!parts) return std::nullopt;
  const auto count = static_cast<size_t>(*ParseInteger(ctx.arg(3)));
  const auto options = ParseBuyOptions(ctx, 4 + 2 * count, true);
  if (!options) return std::nullopt;
  for (Part& part : *parts) {
    const auto found = FindItem(ctx, part.key);
    if (!found) return std::nullopt;
    part.object = *found;
  }
  auto outcome = Check(ctx, *parts, *options);
  if (!outcome) return std::nullopt;
  if (outcome->code == SaleCode::kOk && !outcome->replayed) {
    const auto id = PlaceAll(ctx, *parts, *options);
    if (!id) return std::nullopt;
    outcome->order = *id;
  }
  // A refusal is the failing item's; what is bought or replayed is every item's.
  const size_t code = outcome->replayed ? kReplayedTry : static_cast<size_t>(outcome->code);
  for (const Part& part : *parts) {
    const bool counts = outcome->failing < 0 || part.index == outcome->failing;
    if (counts && part.object != nullptr) ctx.CountTry(part.object->id, code);
  }
  return outcome;
}

}  // namespace

void SeckillMbuy(Context& ctx) {
  const auto outcome = BuyAll(ctx);
  if (!outcome) return;
  ctx.reply.Array(4);
  ctx.reply.Integer(static_cast<int64_t>(outcome->code));
  ctx.reply.Integer(outcome->failing);
  WriteOrderId(ctx.reply, outcome->order);
  ctx.reply.Integer(outcome->replayed);
}

}  // namespace sluice::commands
