// What the SECKILL commands tell: GET, STATS, ORDER, USER, BUYERS, LIST, AUDIT.
#include <algorithm>
#include <vector>

#include "server/commands/arguments.h"
#include "server/commands/handlers.h"
#include "server/commands/reply_fields.h"
#include "server/commands/seckill_code.h"
#include "server/commands/seckill_lookup.h"

namespace sluice::commands {
namespace {

using engine::Object;
using engine::Order;
using engine::OrderState;
using engine::StockItem;

constexpr size_t kLooksPerElement = 16;  // of a walk, for each element asked for, so that a call is bounded

void WriteCounters(protocol::ReplyWriter& reply, const StockItem& item) {
  WriteField(reply, "total", item.total());
  WriteField(reply, "available", item.available());
  WriteField(reply, "held", item.held());
  WriteField(reply, "sold", item.sold());
}

std::string_view PauseName(engine::Pause pause) {
  switch (pause) {
    case engine::Pause::kNone:
      return "no";
    case engine::Pause::kSales:
      return "sales";
    case engine::Pause::kSalesAndHolds:
      return "sales-and-holds";
  }
  return "";
}

std::string_view EventsName(engine::SaleEvents events) {
  switch (events) {
    case engine::SaleEvents::kFitting:
      return "default";
    case engine::SaleEvents::kOrders:
      return "orders";
    case engine::SaleEvents::kAll:
      return "all";
  }
  return "";
}

std::string_view StateName(OrderState state) {
  switch (state) {
    case OrderState::kForgotten:
      return "forgotten";
    case OrderState::kHeld:
      return "held";
    case OrderState::kSold:
      return "sold";
    case OrderState::kExpired:
      return "expired";
    case OrderState::kCancelled:
      return "cancelled";
  }
  return "";
}

// Unix time as the wall clock has it now.
uint64_t DeadlineOf(Context& ctx, const StockItem& item, const Order& order) {
  const int64_t left_ms = item.DeadlineOf(order) - item.TimeAt(ctx.now.steady_ms);
  return static_cast<uint64_t>(static_cast<int64_t>(ctx.now.unix_ms()) + left_ms);
}

// The item at argument 1, or nullptr: there is none (`missing` is the error; empty: the reply is nil) or it
// is of another type.
const Object* FindOrAnswer(Context& ctx, std::string_view missing) {
  const auto found = FindItem(ctx, ctx.arg(1));
  if (!found) return nullptr;
  if (*found == nullptr && missing.empty()) ctx.reply.Null();
  if (*found == nullptr && !missing.empty()) ctx.reply.Error(missing);
  return *found;
}

struct WalkOptions {
  size_t cursor = 0;
  size_t count = 10;
};
// cursor [COUNT n] from argument `i` on. nullopt: the error is replied.
std::optional<WalkOptions> ParseWalk(Context& ctx, size_t i) {
  const auto cursor = ParseInteger(ctx.arg(i));
  if (!cursor || *cursor < 0) return ctx.reply.Error("invalid cursor"), std::nullopt;
  WalkOptions options{.cursor = static_cast<size_t>(*cursor)};
  if (ctx.argc() == i + 1) return options;
  if (ctx.argc() != i + 3 || !IsWord(ctx.arg(i + 1), "COUNT"))
    return ctx.reply.Error(errors::kSyntax), std::nullopt;
  const auto count = ParseInteger(ctx.arg(i + 2));
  if (!count) return ctx.reply.Error(errors::kNotInteger), std::nullopt;
  if (*count < 1) return ctx.reply.Error(errors::kSyntax), std::nullopt;
  options.count = static_cast<size_t>(*count);
  return options;
}

// The orders against the counters, and the buyers against both.
struct Recount {
  uint64_t held = 0;
  uint64_t sold_remembered = 0;
  uint64_t kept_remembered = 0;
  uint64_t pieces_of_users = 0;
  uint64_t users = 0;
  bool deadlines_fit = true;
};

Recount CountAgain(const StockItem& item) {
  Recount recount;
  size_t open = 0;
  item.orders().ForEach([&](uint32_t, const Order& order) {
    if (order.open()) recount.held += order.quantity;
    open += order.open();
    if (order.state == OrderState::kSold) recount.sold_remembered += order.quantity;
    if (order.has(Order::kQuotaKept)) recount.kept_remembered += order.quantity;
  });
  recount.deadlines_fit = open == item.open_orders() && item.orders().size() - open == item.closed_orders();
  for (uint32_t i = 0; i < item.buyers().numbers(); ++i) {
    if (!item.buyers().Exists(i)) continue;
    recount.pieces_of_users += item.buyers().PiecesOf(i);
    recount.users += item.buyers().PiecesOf(i) != 0;
  }
  return recount;
}

// What is wrong; empty: nothing.
std::string_view Fault(const StockItem& item, const Recount& recount) {
  if (item.total() != item.available() + item.held() + item.sold())
    return "-AUDIT total differs from available + held + sold";
  if (recount.held != item.held()) return "-AUDIT the open orders' pieces differ from held";
  if (recount.sold_remembered > item.sold()) return "-AUDIT the sold orders' pieces are more than sold";
  if (recount.kept_remembered > item.kept()) return "-AUDIT the kept quotas are more than were kept";
  if (recount.pieces_of_users != item.held() + item.sold() + item.kept())
    return "-AUDIT the users' pieces differ from held + sold + kept";
  if (recount.users != item.buyers().holders()) return "-AUDIT the number of users differs";
  if (!recount.deadlines_fit) return "-AUDIT an order is not in its place";
  return {};
}

}  // namespace

void SeckillGet(Context& ctx) {
  const Object* object = FindOrAnswer(ctx, {});
  if (object == nullptr) return;
  const StockItem& item = object->item();
  const engine::SaleRules& rules = item.rules();
  protocol::ReplyWriter& reply = ctx.reply;
  reply.Map(21);
  WriteCounters(reply, item);
  WriteField(reply, "orders", item.orders_placed());
  WriteField(reply, "users", item.buyers().holders());
  WriteField(reply, "paused", PauseName(item.pause()));
  WriteField(reply, "start", rules.start_ms);
  WriteField(reply, "end", rules.end_ms);
  WriteField(reply, "limit", rules.limit);
  WriteField(reply, "maxqty", rules.max_quantity);
  WriteField(reply, "hold", rules.hold_ms);
  WriteField(reply, "rate", rules.rate);
  WriteField(reply, "per", rules.rate_ms);
  WriteField(reply, "maxbacklog", rules.max_backlog);
  WriteField(reply, "group", rules.backlog_group);
  WriteField(reply, "idem", rules.idem_ms);
  WriteField(reply, "keepquota", rules.keep_quota ? std::string_view("yes") : std::string_view("no"));
  WriteField(reply, "events", EventsName(rules.events));
  WriteField(reply, "stream", rules.stream);
  WriteField(reply, "eventstream", rules.event_stream);
}

void SeckillStats(Context& ctx) {
  const Object* object = FindOrAnswer(ctx, {});
  if (object == nullptr) return;
  const StockItem& item = object->item();
  const engine::SaleStatistics& statistics = item.statistics();
  protocol::ReplyWriter& reply = ctx.reply;
  reply.Map(8);
  reply.Bulk("tries");
  reply.Map(kTryNames.size() - 1);
  for (size_t code = 0; code < kTryNames.size(); ++code) {
    // A try without an item is nobody's to count.
    if (code == static_cast<size_t>(SaleCode::kNoItem)) continue;
    WriteField(reply, kTryNames[code], statistics.tries[code]);
  }
  WriteField(reply, "sold-out-at", statistics.sold_out_ms);
  WriteField(reply, "open-holds", item.open_orders());
  const Order* next = nullptr;
  item.ForEachOpen([&](uint32_t number) {
    next = &item.orders()[number];
    return false;
  });
  WriteField(reply, "next-deadline", next == nullptr ? 0 : DeadlineOf(ctx, item, *next));
  reply.Bulk("oldest-open-order");
  const Order* oldest = item.oldest_open();
  if (oldest == nullptr) {
    reply.Null();
  } else {
    reply.Bulk(engine::StreamIdText(oldest->id).view());
  }
  WriteField(reply, "closed-orders", item.closed_orders());
  WriteField(reply, "requests", item.requests().size());
  WriteField(reply, "memory", item.memory_bytes());
}

void SeckillOrder(Context& ctx) {
  size_t i = 2;
  const auto name = ParseOrderName(ctx, i);
  if (!name) return;
  if (i != ctx.argc()) return ctx.reply.Error(errors::kSyntax);
  const Object* object = FindOrAnswer(ctx, {});
  if (object == nullptr) return;
  const StockItem& item = object->item();
  const uint32_t number = FindOrder(item, *name, ctx.now);
  if (number == engine::OrderTable::kNone) return ctx.reply.Null();
  const Order& order = item.orders()[number];
  protocol::ReplyWriter& reply = ctx.reply;
  reply.Map(6);
  WriteField(reply, "order", engine::StreamIdText(order.id).view());
  WriteField(reply, "user", item.buyers().NameOf(order.buyer));
  WriteField(reply, "qty", order.quantity);
  WriteField(reply, "state", StateName(order.state));
  WriteField(reply, "deadline", order.open() ? DeadlineOf(ctx, item, order) : 0);
  reply.Bulk("reqid");
  if (order.request == engine::RequestTable::kNone) return reply.Null();
  reply.Bulk(item.requests().IdOf(order.request));
}

void SeckillUser(Context& ctx) {
  const Object* object = FindOrAnswer(ctx, {});
  if (object == nullptr) return;
  const StockItem& item = object->item();
  const engine::BuyerTable::Known known = item.buyers().Find(ctx.arg(2));
  ctx.reply.Array(2);
  ctx.reply.Integer(static_cast<int64_t>(known.pieces));
  std::vector<engine::StreamId> open;
  if (known.number != engine::BuyerTable::kNone) {
    item.ForEachOrderOf(known.number, [&](const Order& order) {
      if (order.open()) open.push_back(order.id);
    });
  }
  ctx.reply.Array(open.size());
  // The oldest first.
  for (size_t i = open.size(); i > 0; --i) WriteOrderId(ctx.reply, open[i - 1]);
}

// The cursor is a buyer's number: see BuyerTable.
void SeckillBuyers(Context& ctx) {
  const auto options = ParseWalk(ctx, 2);
  if (!options) return;
  const auto item_found = FindItem(ctx, ctx.arg(1));
  if (!item_found) return;
  std::vector<uint32_t> found;
  size_t next = 0;
  if (*item_found != nullptr) {
    const engine::BuyerTable& buyers = (*item_found)->item().buyers();
    const size_t end = buyers.numbers();
    size_t looks = options->count > end ? end : options->count * kLooksPerElement;
    next = options->cursor;
    for (; next < end && found.size() < options->count && looks > 0; ++next, --looks) {
      const auto number = static_cast<uint32_t>(next);
      if (buyers.Exists(number) && buyers.PiecesOf(number) != 0) found.push_back(number);
    }
    if (next >= end) next = 0;
  }
  ctx.reply.Array(2);
  ctx.reply.BulkInteger(static_cast<int64_t>(next));
  ctx.reply.Array(found.size() * 2);
  for (uint32_t number : found) {
    ctx.reply.Bulk((*item_found)->item().buyers().NameOf(number));
    ctx.reply.Integer(static_cast<int64_t>((*item_found)->item().buyers().PiecesOf(number)));
  }
}

// The cursor is a slot number: see Keyspace.
void SeckillList(Context& ctx) {
  const auto options = ParseWalk(ctx, 1);
  if (!options) return;
  const engine::Keyspace& keys = ctx.engine.keys();
  std::vector<std::string_view> found;
  size_t looks = options->count > keys.slots() ? keys.slots() : options->count * kLooksPerElement;
  size_t slot = options->cursor;
  for (; slot < keys.slots() && found.size() < options->count && looks > 0; ++slot, --looks) {
    const Object* object = keys.At(slot);
    const bool here = object != nullptr && object->db == keys.StoredAt(ctx.session.db) &&
                      object->type() == engine::ObjectType::kStockItem && !object->IsDue(ctx.now.unix_ms());
    if (here) found.push_back(object->key);
  }
  ctx.reply.Array(2);
  ctx.reply.BulkInteger(slot >= keys.slots() ? 0 : static_cast<int64_t>(slot));
  ctx.reply.Array(found.size());
  for (std::string_view key : found) ctx.reply.Bulk(key);
}

void SeckillAudit(Context& ctx) {
  const Object* object = FindOrAnswer(ctx, "no such item");
  if (object == nullptr) return;
  const StockItem& item = object->item();
  const Recount recount = CountAgain(item);
  if (const std::string_view fault = Fault(item, recount); !fault.empty()) return ctx.reply.Error(fault);
  protocol::ReplyWriter& reply = ctx.reply;
  reply.Map(10);
  WriteCounters(reply, item);
  WriteField(reply, "kept", item.kept());
  WriteField(reply, "orders", item.orders_placed());
  WriteField(reply, "open-orders", item.open_orders());
  WriteField(reply, "closed-orders", item.closed_orders());
  WriteField(reply, "users", recount.users);
  WriteField(reply, "pieces-of-users", recount.pieces_of_users);
}

}  // namespace sluice::commands
