// The SECKILL commands: limited stock, sold once.
#include <algorithm>
#include <charconv>

#include <absl/container/inlined_vector.h>

#include "server/commands/arguments.h"
#include "server/commands/handlers.h"

namespace sluice::commands {
namespace {

using engine::Object;
using engine::ObjectType;
using engine::StockItem;
using engine::StreamId;

// What a buy answers first. The numbers are the protocol's.
enum class Code : int64_t {
  kOk = 0,
  kSoldOut = 1,
  kLimit = 2,
  kNotStarted = 3,
  kEnded = 4,
  kNoItem = 5,
};

constexpr uint64_t kMaxStock = UINT32_MAX;  // pieces of an item; a larger figure is refused

// The item at `key`, or nullptr. nullopt: another type, the error is replied.
std::optional<const Object*> FindItem(Context& ctx, std::string_view key) {
  const Object* object = ctx.Find(key);
  if (object == nullptr || object->type() == ObjectType::kStockItem) return object;
  ctx.reply.Error(errors::kWrongType);
  return std::nullopt;
}

// Reads one option's number from `least` on, once. False: the error is replied.
bool ParseNumber(Context& ctx, size_t i, uint64_t least, std::optional<uint64_t>& into) {
  if (into) return ctx.reply.Error(errors::kSyntax), false;
  const auto number = ParseInteger(ctx.arg(i + 1));
  if (!number) return ctx.reply.Error(errors::kNotInteger), false;
  if (*number < 0 || static_cast<uint64_t>(*number) < least) {
    std::string name(ctx.arg(i));
    for (char& c : name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    ctx.reply.Error(errors::Concat({name, least == 0 ? " must not be negative" : " must be at least 1"}));
    return false;
  }
  into = static_cast<uint64_t>(*number);
  return true;
}

struct CreateOptions {
  std::optional<uint64_t> stock, start, end, limit, max_quantity;
  std::optional<std::string_view> stream;
};

std::optional<CreateOptions> ParseCreateOptions(Context& ctx) {
  CreateOptions options;
  for (size_t i = 2; i < ctx.argc(); i += 2) {
    const std::string_view word = ctx.arg(i);
    bool sound = i + 1 < ctx.argc();
    if (!sound) return ctx.reply.Error(errors::kSyntax), std::nullopt;
    if (IsWord(word, "STOCK")) {
      sound = ParseNumber(ctx, i, 1, options.stock);
    } else if (IsWord(word, "START")) {
      sound = ParseNumber(ctx, i, 0, options.start);
    } else if (IsWord(word, "END")) {
      sound = ParseNumber(ctx, i, 0, options.end);
    } else if (IsWord(word, "LIMIT")) {
      sound = ParseNumber(ctx, i, 0, options.limit);
    } else if (IsWord(word, "MAXQTY")) {
      sound = ParseNumber(ctx, i, 0, options.max_quantity);
    } else if (IsWord(word, "STREAM") && !options.stream) {
      options.stream = ctx.arg(i + 1);
    } else {
      return ctx.reply.Error(errors::kSyntax), std::nullopt;
    }
    if (!sound) return std::nullopt;
  }
  if (!options.stock) return ctx.reply.Error(errors::kSyntax), std::nullopt;
  if (*options.stock > kMaxStock) return ctx.reply.Error("STOCK must be at most 4294967295"), std::nullopt;
  if (options.start.value_or(0) != 0 && options.end.value_or(0) != 0 && *options.start >= *options.end) {
    return ctx.reply.Error("START must be before END"), std::nullopt;
  }
  return options;
}

struct BuyOptions {
  uint64_t quantity = 1;
  uint64_t pairs = 0;
  std::string_view fields;  // wire bytes; of FIELDS
};

std::optional<BuyOptions> ParseBuyOptions(Context& ctx) {
  BuyOptions options;
  std::optional<uint64_t> quantity;
  for (size_t i = 3; i < ctx.argc(); i += 2) {
    if (i + 1 >= ctx.argc()) return ctx.reply.Error(errors::kSyntax), std::nullopt;
    if (IsWord(ctx.arg(i), "QTY")) {
      if (!ParseNumber(ctx, i, 1, quantity)) return std::nullopt;
    } else if (IsWord(ctx.arg(i), "FIELDS") && options.pairs == 0) {
      const auto pairs = ParseInteger(ctx.arg(i + 1));
      if (!pairs) return ctx.reply.Error(errors::kNotInteger), std::nullopt;
      const size_t left = ctx.argc() - (i + 2);
      if (*pairs < 1 || static_cast<uint64_t>(*pairs) > left / 2)
        return ctx.reply.Error(errors::kSyntax), std::nullopt;
      options.pairs = static_cast<uint64_t>(*pairs);
      options.fields = ctx.request.Raw(i + 2, i + 2 + options.pairs * 2);
      i += options.pairs * 2;
    } else {
      return ctx.reply.Error(errors::kSyntax), std::nullopt;
    }
  }
  options.quantity = quantity.value_or(1);
  return options;
}

// The order message's fields as RESP bulk strings, on the stack as long as names are short.
class OrderMessage {
 public:
  OrderMessage& Field(std::string_view name, std::string_view value) {
    Bulk(name);
    Bulk(value);
    ++pairs_;
    return *this;
  }
  OrderMessage& Field(std::string_view name, uint64_t value) {
    char text[24];
    const char* end = std::to_chars(text, text + sizeof text, value).ptr;
    return Field(name, std::string_view(text, static_cast<size_t>(end - text)));
  }
  std::string_view fields() const { return {bytes_.data(), bytes_.size()}; }
  uint32_t pairs() const { return pairs_; }

 private:
  void Bulk(std::string_view bytes) {
    char header[24] = "$";
    char* end = std::to_chars(header + 1, header + sizeof header, bytes.size()).ptr;
    *end++ = '\r';
    *end++ = '\n';
    bytes_.insert(bytes_.end(), header, end);
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    bytes_.push_back('\r');
    bytes_.push_back('\n');
  }

  absl::InlinedVector<char, 480> bytes_;
  uint32_t pairs_ = 0;
};

struct Outcome {
  Code code = Code::kOk;
  StreamId order{};  // with kOk
  uint64_t available = 0;
  uint64_t user_count = 0;
};

// The first rule that refuses `quantity` more for a user who has `count`.
Code Check(const StockItem& item, uint64_t now_ms, uint64_t count, uint64_t quantity) {
  const engine::SaleRules& rules = item.rules();
  if (rules.start_ms != 0 && now_ms < rules.start_ms) return Code::kNotStarted;
  if (rules.end_ms != 0 && now_ms >= rules.end_ms) return Code::kEnded;
  // As differences, since a quantity may be as large as a number can be.
  if (rules.max_quantity != 0 && quantity > rules.max_quantity) return Code::kLimit;
  if (rules.limit != 0 && (count >= rules.limit || quantity > rules.limit - count)) return Code::kLimit;
  if (item.available() < quantity) return Code::kSoldOut;
  return Code::kOk;
}

// Decides and records one buy. nullopt: an error is replied.
std::optional<Outcome> Buy(Context& ctx) {
  const auto options = ParseBuyOptions(ctx);
  if (!options) return std::nullopt;
  const std::string_view user = ctx.arg(2);
  const auto found = FindItem(ctx, ctx.arg(1));
  if (!found) return std::nullopt;
  if (*found == nullptr) return Outcome{.code = Code::kNoItem};
  const StockItem& item = (*found)->item();

  Outcome outcome{.available = item.available(), .user_count = item.buyers().CountOf(user)};
  outcome.code = Check(item, ctx.now.unix_ms(), outcome.user_count, options->quantity);
  if (outcome.code != Code::kOk) return outcome;

  // The order is above every ID that the item or its stream ever gave.
  const std::string& stream_key = item.rules().stream;
  const Object* stream = stream_key.empty() ? nullptr : ctx.Find(stream_key);
  if (stream != nullptr && stream->type() != ObjectType::kStream)
    return ctx.reply.Error(errors::kWrongType), std::nullopt;
  StreamId last = item.last_order();
  if (stream != nullptr) last = std::max(last, stream->stream().last_id());
  const auto next = engine::Next(last);
  if (!next) {
    ctx.reply.Error("The stream has exhausted the last possible ID, unable to add more items");
    return std::nullopt;
  }
  outcome.order = std::max(*next, StreamId{ctx.now.unix_ms(), 0});

  engine::Event events[3];
  size_t count = 0;
  OrderMessage message;
  if (!stream_key.empty()) {
    const engine::ObjectId id = stream != nullptr ? stream->id : ctx.engine.keys().NextId();
    if (stream == nullptr)
      events[count++] = engine::CreateKey{id, ctx.session.db, ObjectType::kStream, stream_key};
    if (options->pairs == 0) {
      message.Field("event", "order")
          .Field("item", ctx.arg(1))
          .Field("order", engine::StreamIdText(outcome.order).view());
      message.Field("user", user).Field("qty", options->quantity).Field("state", "sold");
    }
    const bool own = options->pairs != 0;
    events[count++] =
        engine::AppendEntry{.body_offset = 0,
                            .stream = id,
                            .id = outcome.order,
                            .pairs = own ? static_cast<uint32_t>(options->pairs) : message.pairs(),
                            .fields = own ? options->fields : message.fields()};
  }
  events[count++] = engine::Sell{(*found)->id, outcome.order, options->quantity, user};
  if (!ctx.Record(std::span(events, count))) return std::nullopt;
  outcome.available -= options->quantity;
  outcome.user_count += options->quantity;
  return outcome;
}

void WriteField(protocol::ReplyWriter& reply, std::string_view name, uint64_t value) {
  reply.Bulk(name);
  reply.Integer(static_cast<int64_t>(value));
}

void WriteCounters(protocol::ReplyWriter& reply, const StockItem& item) {
  WriteField(reply, "total", item.total());
  WriteField(reply, "available", item.available());
  WriteField(reply, "held", item.held());
  WriteField(reply, "sold", item.sold());
}

}  // namespace

void SeckillCreate(Context& ctx) {
  const auto options = ParseCreateOptions(ctx);
  if (!options) return;
  const auto found = FindItem(ctx, ctx.arg(1));
  if (!found) return;
  if (*found != nullptr) return ctx.reply.Null();
  const engine::ObjectId id = ctx.engine.keys().NextId();
  const engine::ConfigureItem rules{
      .item = id,
      .stock = *options->stock,
      .start_ms = options->start.value_or(0),
      .end_ms = options->end.value_or(0),
      .limit = options->limit.value_or(1),
      .max_quantity = options->max_quantity.value_or(options->limit.value_or(1)),
      .stream = options->stream.value_or(std::string_view()),
  };
  if (!ctx.Record({engine::CreateKey{id, ctx.session.db, ObjectType::kStockItem, ctx.arg(1)}, rules})) return;
  ctx.reply.Ok();
}

void SeckillBuy(Context& ctx) {
  const auto outcome = Buy(ctx);
  if (!outcome) return;
  ctx.reply.Array(5);
  ctx.reply.Integer(static_cast<int64_t>(outcome->code));
  if (outcome->code == Code::kOk) {
    ctx.reply.Bulk(engine::StreamIdText(outcome->order).view());
  } else {
    ctx.reply.Null();
  }
  ctx.reply.Integer(static_cast<int64_t>(outcome->available));
  ctx.reply.Integer(static_cast<int64_t>(outcome->user_count));
  ctx.reply.Integer(0);
}

void SeckillTry(Context& ctx) {
  const auto outcome = Buy(ctx);
  if (outcome) ctx.reply.Integer(static_cast<int64_t>(outcome->code));
}

void SeckillGet(Context& ctx) {
  const auto found = FindItem(ctx, ctx.arg(1));
  if (!found) return;
  if (*found == nullptr) return ctx.reply.Null();
  const StockItem& item = (*found)->item();
  const engine::SaleRules& rules = item.rules();
  ctx.reply.Map(11);
  WriteCounters(ctx.reply, item);
  WriteField(ctx.reply, "orders", item.orders());
  WriteField(ctx.reply, "users", item.buyers().size());
  WriteField(ctx.reply, "start", rules.start_ms);
  WriteField(ctx.reply, "end", rules.end_ms);
  WriteField(ctx.reply, "limit", rules.limit);
  WriteField(ctx.reply, "maxqty", rules.max_quantity);
  ctx.reply.Bulk("stream");
  ctx.reply.Bulk(rules.stream);
}

void SeckillAddstock(Context& ctx) {
  if (ctx.argc() > 3) return ctx.reply.Error(errors::kSyntax);
  const auto delta = ParseInteger(ctx.arg(2));
  if (!delta) return ctx.reply.Error(errors::kNotInteger);
  const auto found = FindItem(ctx, ctx.arg(1));
  if (!found) return;
  if (*found == nullptr) return ctx.reply.Error("no such item");
  const StockItem& item = (*found)->item();
  const auto stock = static_cast<int64_t>(item.available());
  if (*delta < -stock) return ctx.reply.Error("not that many pieces are available");
  if (*delta > static_cast<int64_t>(kMaxStock - item.total()))
    return ctx.reply.Error("STOCK must be at most 4294967295");
  if (*delta != 0 && !ctx.Record({engine::AddStock{(*found)->id, *delta}})) return;
  ctx.reply.Array(2);
  ctx.reply.Integer(static_cast<int64_t>(item.total()));
  ctx.reply.Integer(static_cast<int64_t>(item.available()));
}

void SeckillAudit(Context& ctx) {
  const auto found = FindItem(ctx, ctx.arg(1));
  if (!found) return;
  if (*found == nullptr) return ctx.reply.Error("no such item");
  const StockItem& item = (*found)->item();
  uint64_t counted = 0;
  for (size_t i = 0; i < item.buyers().size(); ++i) counted += item.buyers().CountAt(i);
  if (item.total() != item.available() + item.held() + item.sold()) {
    return ctx.reply.Error("-AUDIT total differs from available + held + sold");
  }
  if (counted != item.held() + item.sold()) {
    return ctx.reply.Error("-AUDIT the users' pieces differ from held + sold");
  }
  ctx.reply.Map(7);
  WriteCounters(ctx.reply, item);
  WriteField(ctx.reply, "orders", item.orders());
  WriteField(ctx.reply, "users", item.buyers().size());
  WriteField(ctx.reply, "pieces-of-users", counted);
}

}  // namespace sluice::commands
