// The plain string commands, save the counters.
#include <algorithm>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "server/commands/arguments.h"
#include "server/commands/expiry_time.h"
#include "server/commands/handlers.h"
#include "server/commands/string_lookup.h"

namespace sluice::commands {
namespace {

using engine::Event;
using engine::Object;
using engine::ObjectType;

struct SetOptions {
  bool only_new = false;       // NX
  bool only_existing = false;  // XX
  bool get = false;
  std::optional<std::string_view> if_equal;      // IFEQ: only where the value is this
  std::optional<std::string_view> if_not_equal;  // IFNE: only where it is not
  NewExpiry expiry;
};

std::optional<SetOptions> ParseSetOptions(Context& ctx) {
  SetOptions options;
  std::optional<uint64_t> unix_ms;
  bool keep = false;
  for (size_t i = 3; i < ctx.argc(); ++i) {
    const std::string_view word = ctx.arg(i);
    const bool conditional =
        options.only_new || options.only_existing || options.if_equal || options.if_not_equal;
    if (IsWord(word, "NX") && !conditional) {
      options.only_new = true;
    } else if (IsWord(word, "XX") && !conditional) {
      options.only_existing = true;
    } else if (IsWord(word, "IFEQ") && !conditional && i + 1 < ctx.argc()) {
      options.if_equal = ctx.arg(++i);
    } else if (IsWord(word, "IFNE") && !conditional && i + 1 < ctx.argc()) {
      options.if_not_equal = ctx.arg(++i);
    } else if (IsWord(word, "GET")) {
      options.get = true;
    } else if (IsWord(word, "KEEPTTL") && !keep && !unix_ms) {
      keep = true;
    } else {
      const ExpiryOption expiry = keep ? ExpiryOption{} : ParseExpiryOption(ctx, i, unix_ms);
      if (expiry.bad) return std::nullopt;
      if (!expiry.taken) return ctx.reply.Error(errors::kSyntax), std::nullopt;
    }
  }
  if (keep) options.expiry.kind = NewExpiry::kKeep;
  if (unix_ms) options.expiry = {NewExpiry::kAt, *unix_ms};
  return options;
}

void WriteValue(Context& ctx, const Object* object) {
  if (object == nullptr || object->type() != ObjectType::kString) return ctx.reply.Null();
  ctx.reply.Bulk(object->string());
}

// SETEX and PSETEX.
void SetWithExpiry(Context& ctx, ExpiryUnit unit) {
  const auto given = ParseInteger(ctx.arg(2));
  const auto unix_ms = ParseExpiry(ctx, ctx.arg(2), unit, true);
  if (!unix_ms) return;
  if (*given <= 0) {
    const bool seconds = unit == ExpiryUnit::kSeconds;
    return ctx.reply.Error(
        errors::Concat({"invalid expire time in '", seconds ? "setex" : "psetex", "' command"}));
  }
  const NewExpiry expiry{NewExpiry::kAt, static_cast<uint64_t>(*unix_ms)};
  if (StoreString(ctx, ctx.Find(ctx.arg(1)), ctx.arg(1), ctx.arg(3), expiry)) ctx.reply.Ok();
}

// MSET and MSETNX: every pair, as one record. A key named twice gets the last value.
bool SetAll(Context& ctx) {
  std::vector<Event> events;
  absl::flat_hash_map<std::string, engine::ObjectId> fresh;  // created by this call
  for (size_t i = 1; i + 1 < ctx.argc(); i += 2) {
    const std::string_view key = ctx.arg(i);
    const std::string_view value = ctx.arg(i + 1);
    if (const auto it = fresh.find(std::string(key)); it != fresh.end()) {
      events.push_back(engine::SetString{it->second, value});
      continue;
    }
    const Object* existing = ctx.Find(key);
    if (existing != nullptr && existing->type() == ObjectType::kString) {
      events.push_back(engine::SetString{existing->id, value});
      if (existing->expire_ms != 0) events.push_back(engine::SetExpiry{existing->id, 0});
      continue;
    }
    // Another type's object goes and its slot with it: which identity comes next is then no longer a matter
    // of counting ahead, so such keys are set one record at a time below.
    if (existing != nullptr) return false;
    const engine::ObjectId id = ctx.engine.keys().NextId(fresh.size());
    fresh[std::string(key)] = id;
    events.push_back(engine::CreateKey{id, ctx.session.db, ObjectType::kString, key});
    events.push_back(engine::SetString{id, value});
  }
  if (ctx.Record(events)) ctx.reply.Ok();
  return true;
}

// The slice [start, end] of `size` bytes, where negative positions count from the end; empty where it is.
std::pair<size_t, size_t> Slice(int64_t start, int64_t end, size_t size) {
  const auto bytes = static_cast<int64_t>(size);
  if (start < 0 && end < 0 && start > end) return {0, 0};
  if (start < 0) start = std::max<int64_t>(start + bytes, 0);
  if (end < 0) end = std::max<int64_t>(end + bytes, 0);
  end = std::min(end, bytes - 1);
  if (bytes == 0 || start > end) return {0, 0};
  return {static_cast<size_t>(start), static_cast<size_t>(end - start + 1)};
}

// Writes `bytes` into the string at argument 1, from `offset` on; the reply is its new length.
void Overwrite(Context& ctx, const Object* existing, uint64_t offset, std::string_view bytes) {
  const uint64_t size = existing == nullptr ? 0 : existing->string().size();
  if (bytes.empty()) return ctx.reply.Integer(static_cast<int64_t>(size));
  if (offset > ctx.host.settings().max_bulk_bytes ||
      offset + bytes.size() > ctx.host.settings().max_bulk_bytes) {
    return ctx.reply.Error("string exceeds maximum allowed size (proto-max-bulk-len)");
  }
  Event events[2];
  size_t count = 0;
  const engine::ObjectId id = existing != nullptr ? existing->id : ctx.engine.keys().NextId();
  if (existing == nullptr)
    events[count++] = engine::CreateKey{id, ctx.session.db, ObjectType::kString, ctx.arg(1)};
  events[count++] = engine::WriteString{id, offset, bytes};
  if (!ctx.Record(std::span(events, count))) return;
  ctx.reply.Integer(static_cast<int64_t>(std::max<uint64_t>(size, offset + bytes.size())));
}

}  // namespace

void Set(Context& ctx) {
  const auto options = ParseSetOptions(ctx);
  if (!options) return;
  const Object* existing = ctx.Find(ctx.arg(1));
  const bool is_string = existing != nullptr && existing->type() == ObjectType::kString;
  const bool needs_string = options->get || options->if_equal || options->if_not_equal;
  if (needs_string && existing != nullptr && !is_string) return ctx.reply.Error(errors::kWrongType);
  bool wanted =
      !(options->only_new && existing != nullptr) && !(options->only_existing && existing == nullptr);
  if (options->if_equal) wanted = is_string && existing->string() == *options->if_equal;
  if (options->if_not_equal) wanted = !is_string || existing->string() != *options->if_not_equal;
  if (options->get) WriteValue(ctx, existing);
  if (wanted && !StoreString(ctx, existing, ctx.arg(1), ctx.arg(2), options->expiry)) return;
  if (options->get) return;
  if (wanted) return ctx.reply.Ok();
  ctx.reply.Null();
}

void Get(Context& ctx) {
  const auto found = FindString(ctx, ctx.arg(1));
  if (found) WriteValue(ctx, *found);
}

void Setnx(Context& ctx) {
  if (ctx.Find(ctx.arg(1)) != nullptr) return ctx.reply.Integer(0);
  if (StoreString(ctx, nullptr, ctx.arg(1), ctx.arg(2), {})) ctx.reply.Integer(1);
}

void Setex(Context& ctx) {
  SetWithExpiry(ctx, ExpiryUnit::kSeconds);
}
void Psetex(Context& ctx) {
  SetWithExpiry(ctx, ExpiryUnit::kMilliseconds);
}

void Getset(Context& ctx) {
  const auto found = FindString(ctx, ctx.arg(1));
  if (!found) return;
  WriteValue(ctx, *found);
  static_cast<void>(StoreString(ctx, *found, ctx.arg(1), ctx.arg(2), {}));
}

void Getdel(Context& ctx) {
  const auto found = FindString(ctx, ctx.arg(1));
  if (!found) return;
  WriteValue(ctx, *found);
  if (*found != nullptr) static_cast<void>(RemoveObject(ctx, **found));
}

void Getex(Context& ctx) {
  std::optional<uint64_t> unix_ms;
  bool persist = false;
  for (size_t i = 2; i < ctx.argc(); ++i) {
    if (IsWord(ctx.arg(i), "PERSIST") && !persist && !unix_ms) {
      persist = true;
      continue;
    }
    const ExpiryOption expiry = persist ? ExpiryOption{} : ParseExpiryOption(ctx, i, unix_ms);
    if (expiry.bad) return;
    if (!expiry.taken) return ctx.reply.Error(errors::kSyntax);
  }
  const auto found = FindString(ctx, ctx.arg(1));
  if (!found) return;
  WriteValue(ctx, *found);
  if (*found != nullptr && (persist || unix_ms))
    static_cast<void>(StoreExpiry(ctx, **found, unix_ms.value_or(0)));
}

void Mget(Context& ctx) {
  ctx.reply.Array(ctx.argc() - 1);
  for (size_t i = 1; i < ctx.argc(); ++i) WriteValue(ctx, ctx.Find(ctx.arg(i)));
}

void Mset(Context& ctx) {
  if (ctx.argc() % 2 == 0) return ctx.reply.Error(errors::WrongArity("mset"));
  if (SetAll(ctx)) return;
  // Some key holds another type. What is removed first is a record of its own: a crash between the two leaves
  // the key absent, as if the removal had been asked for alone.
  std::vector<Event> removals;
  for (size_t i = 1; i < ctx.argc(); i += 2) {
    const Object* existing = ctx.Find(ctx.arg(i));
    if (existing == nullptr || existing->type() == ObjectType::kString) continue;
    const auto same = [&](const Event& event) {
      return std::get<engine::RemoveKey>(event).object == existing->id;
    };
    if (std::none_of(removals.begin(), removals.end(), same))
      removals.push_back(engine::RemoveKey{existing->id});
  }
  if (ctx.Record(removals)) SetAll(ctx);
}

void Msetnx(Context& ctx) {
  if (ctx.argc() % 2 == 0) return ctx.reply.Error(errors::WrongArity("msetnx"));
  for (size_t i = 1; i < ctx.argc(); i += 2) {
    if (ctx.Find(ctx.arg(i)) != nullptr) return ctx.reply.Integer(0);
  }
  const size_t mark = ctx.reply.Mark();
  SetAll(ctx);
  if (ctx.reply.Since(mark) != "+OK\r\n") return;
  ctx.reply.Truncate(mark);
  ctx.reply.Integer(1);
}

void Strlen(Context& ctx) {
  const auto found = FindString(ctx, ctx.arg(1));
  if (found) ctx.reply.Integer(*found == nullptr ? 0 : static_cast<int64_t>((*found)->string().size()));
}

void Append(Context& ctx) {
  const auto found = FindString(ctx, ctx.arg(1));
  if (!found) return;
  if (*found == nullptr && ctx.arg(2).empty()) {
    if (StoreString(ctx, nullptr, ctx.arg(1), {}, {})) ctx.reply.Integer(0);
    return;
  }
  Overwrite(ctx, *found, *found == nullptr ? 0 : (*found)->string().size(), ctx.arg(2));
}

void Setrange(Context& ctx) {
  const auto offset = ParseInteger(ctx.arg(2));
  if (!offset) return ctx.reply.Error(errors::kNotInteger);
  if (*offset < 0) return ctx.reply.Error("offset is out of range");
  const auto found = FindString(ctx, ctx.arg(1));
  if (found) Overwrite(ctx, *found, static_cast<uint64_t>(*offset), ctx.arg(3));
}

void Getrange(Context& ctx) {
  const auto start = ParseInteger(ctx.arg(2));
  const auto end = ParseInteger(ctx.arg(3));
  if (!start || !end) return ctx.reply.Error(errors::kNotInteger);
  const auto found = FindString(ctx, ctx.arg(1));
  if (!found) return;
  if (*found == nullptr) return ctx.reply.Bulk({});
  const std::string_view value = (*found)->string();
  const auto [from, count] = Slice(*start, *end, value.size());
  ctx.reply.Bulk(value.substr(from, count));
}

}  // namespace sluice::commands
