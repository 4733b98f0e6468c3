// SECKILL.BUY and SECKILL.TRY: stock, user, order and message, as one record.
//
// The happy path: the item and the user are looked up (one hash each), the rules are asked in their order,
// and one record takes the pieces and appends the order's message; nothing is allocated on the way. What can
// turn it down: a rule (a code, nothing recorded), a request id that is known (the answer of its order), the
// log (an error).
#include <algorithm>

#include <absl/container/inlined_vector.h>

#include "protocol/wire.h"
#include "server/commands/arguments.h"
#include "server/commands/handlers.h"
#include "server/commands/seckill_check.h"
#include "server/commands/seckill_lookup.h"
#include "server/commands/seckill_message.h"
#include "server/commands/seckill_options.h"
#include "server/commands/seckill_replay.h"

namespace sluice::commands {
namespace {

using engine::Object;
using engine::StockItem;
using engine::StreamId;

struct BuyOutcome {
  SaleCode code = SaleCode::kOk;
  std::optional<StreamId> order{};
  uint64_t available = 0;
  uint64_t user_count = 0;
  bool replayed = false;
};

// What one buy records, put together on the stack: of a request, of closed orders, a stream, its message, the
// order.
using BuyRecord = absl::InlinedVector<engine::Event, 5>;

// The order is above every ID that the item or its stream ever gave.
std::optional<StreamId> NextOrder(Context& ctx, const StockItem& item, const engine::Stream* stream) {
  StreamId last = item.last_order();
  if (stream != nullptr) last = std::max(last, stream->last_id());
  const auto next = engine::Next(last);
  if (!next) {
    ctx.reply.Error("The stream has exhausted the last possible ID, unable to add more items");
    return std::nullopt;
  }
  return std::max(*next, StreamId{ctx.now.unix_ms(), 0});
}

void WritePlaced(Context& ctx, const engine::PlaceOrder& order, OrderMessage& message) {
  message.Field("event", "order").Field("item", ctx.arg(1)).BulkField("order", ctx.new_ids.Bulk(order.order));
  message.Field("user", order.user).Field("qty", order.quantity);
  message.Field("state", order.deadline_ms == 0 ? std::string_view("sold") : std::string_view("held"));
  if (order.deadline_ms != 0) message.Field("deadline", ctx.now.UnixOf(order.deadline_ms));
  if (!order.request.empty()) message.Field("reqid", order.request);
}

// Records the order that `order` describes. False: the error is replied.
bool Place(Context& ctx, const Object& object, const BuyOptions& options, const engine::PlaceOrder& order,
           const std::optional<SaleStream>& stream, const KnownRequest& request) {
  BuyRecord record;
  if (request.stale) record.emplace_back(ForgetStale(object.id, object.item(), request.number));
  if (order.deadline_ms == 0) {
    if (const auto room = MakeRoom(object, 1, ctx.host.settings().seckill_closed_orders))
      record.emplace_back(*room);
  }
  OrderMessage message;
  if (stream) {
    if (stream->stream == nullptr) {
      record.emplace_back(engine::CreateKey{stream->id, ctx.session.db, engine::ObjectType::kStream,
                                            object.item().rules().stream});
    }
    const bool own = options.pairs != 0;
    if (!own) WritePlaced(ctx, order, message);
    record.emplace_back(
        engine::AppendEntry{.body_offset = 0,
                            .stream = stream->id,
                            .id = order.order,
                            .pairs = own ? static_cast<uint32_t>(options.pairs) : message.pairs(),
                            .fields = own ? options.fields : message.fields()});
  }
  record.emplace_back(order);
  return ctx.Record(std::span(record.data(), record.size()));
}

// Decides and records one buy of `object`. nullopt: an error is replied.
std::optional<BuyOutcome> BuyFrom(Context& ctx, const Object& object, const BuyOptions& options) {
  const StockItem& item = object.item();
  const engine::BuyerTable::Known user = item.buyers().Find(ctx.arg(2));
  BuyOutcome outcome{.available = item.available(), .user_count = user.pieces};
  KnownRequest request;
  if (!options.request.empty()) request = FindRequest(item, options.request, ctx.now);
  if (request.number != engine::RequestTable::kNone && !request.stale) {
    const Replay replay = ReplayOf(item, request.number, user.number, options.quantity);
    outcome.code = replay.code;
    outcome.replayed = replay.order != StreamId{};
    if (outcome.replayed) outcome.order = replay.order;
    return outcome;
  }
  if (options.hold_ms && item.rules().hold_ms == 0) return ctx.reply.Error(kNoHoldToShorten), std::nullopt;
  outcome.code = CheckTry(ctx, object, user, options.quantity);
  if (outcome.code != SaleCode::kOk) return outcome;

  std::optional<SaleStream> stream;
  if (!item.rules().stream.empty()) {
    stream = FindSaleStream(ctx, item.rules().stream);
    if (!stream) return std::nullopt;
    if (IsBacklogged(item.rules(), stream->stream)) {
      outcome.code = SaleCode::kBusy;
      return outcome;
    }
  }
  const auto id = NextOrder(ctx, item, stream ? stream->stream : nullptr);
  if (!id) return std::nullopt;
  const uint64_t hold_ms = HoldOf(item.rules(), options.hold_ms);
  uint8_t flags = options.pairs != 0 ? engine::Order::kOwnFields : 0;
  if (hold_ms != 0) flags |= engine::Order::kWasHeld;
  const engine::PlaceOrder order{.item = object.id,
                                 .order = *id,
                                 .now_ms = ctx.now.steady_ms,
                                 .deadline_ms = hold_ms == 0 ? 0 : ctx.now.steady_ms + hold_ms,
                                 .quantity = static_cast<uint32_t>(options.quantity),
                                 .flags = flags,
                                 .user = ctx.arg(2),
                                 .request = options.request,
                                 .user_hash = user.hash};
  if (!Place(ctx, object, options, order, stream, request)) return std::nullopt;
  outcome.order = *id;
  if (outcome.available == options.quantity) ctx.StockChanged(object.id, outcome.available);
  outcome.available -= options.quantity;
  outcome.user_count += options.quantity;
  return outcome;
}

std::optional<BuyOutcome> Buy(Context& ctx) {
  const auto options = ParseBuyOptions(ctx, 3, false);
  if (!options) return std::nullopt;
  const auto found = FindItem(ctx, ctx.arg(1));
  if (!found) return std::nullopt;
  if (*found == nullptr) return BuyOutcome{.code = SaleCode::kNoItem};
  const auto outcome = BuyFrom(ctx, **found, *options);
  if (outcome)
    ctx.CountTry((*found)->id, outcome->replayed ? kReplayedTry : static_cast<size_t>(outcome->code));
  return outcome;
}

}  // namespace

void SeckillBuy(Context& ctx) {
  const auto outcome = Buy(ctx);
  if (!outcome) return;
  ctx.reply.InPlace(2 * protocol::kMaxLine, [&](char* out) {
    return protocol::WriteLine(protocol::WriteLine(out, '*', 5), ':', static_cast<size_t>(outcome->code));
  });
  outcome->order ? ctx.reply.Raw(ctx.new_ids.Bulk(*outcome->order)) : ctx.reply.Null();
  ctx.reply.InPlace(3 * protocol::kMaxLine, [&](char* out) {
    out = protocol::WriteLine(protocol::WriteLine(out, ':', outcome->available), ':', outcome->user_count);
    return protocol::WriteLine(out, ':', outcome->replayed);
  });
}

void SeckillTry(Context& ctx) {
  const auto outcome = Buy(ctx);
  if (outcome) ctx.reply.Integer(static_cast<int64_t>(outcome->code));
}

}  // namespace sluice::commands
