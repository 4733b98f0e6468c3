// What works on keys of every type.
#include <algorithm>
#include <vector>

#include <absl/container/flat_hash_set.h>

#include "server/commands/arguments.h"
#include "server/commands/glob.h"
#include "server/commands/handlers.h"

namespace sluice::commands {
namespace {

using engine::Event;
using engine::Object;

struct ScanOptions {
  std::string_view match = "*";
  size_t count = 10;
  std::string type;  // empty: any
};

std::optional<ScanOptions> ParseScanOptions(Context& ctx) {
  ScanOptions options;
  for (size_t i = 2; i < ctx.argc(); i += 2) {
    const bool more = i + 1 < ctx.argc();
    if (more && IsWord(ctx.arg(i), "MATCH")) {
      options.match = ctx.arg(i + 1);
    } else if (more && IsWord(ctx.arg(i), "COUNT")) {
      const auto count = ParseInteger(ctx.arg(i + 1));
      if (!count) return ctx.reply.Error(errors::kNotInteger), std::nullopt;
      if (*count < 1) return ctx.reply.Error(errors::kSyntax), std::nullopt;
      options.count = static_cast<size_t>(*count);
    } else if (more && IsWord(ctx.arg(i), "TYPE")) {
      options.type = ToLower(ctx.arg(i + 1));
    } else {
      return ctx.reply.Error(errors::kSyntax), std::nullopt;
    }
  }
  return options;
}

// A walk's object, where it is one of the session's database and lives.
bool IsHere(Context& ctx, const Object* object) {
  return object != nullptr && object->db == ctx.engine.keys().StoredAt(ctx.session.db) &&
         !object->IsDue(ctx.now.unix_ms());
}

void Flush(Context& ctx, uint8_t db, bool any) {
  if (ctx.argc() > 2 || (ctx.argc() == 2 && !IsWord(ctx.arg(1), "ASYNC") && !IsWord(ctx.arg(1), "SYNC"))) {
    return ctx.reply.Error(errors::kSyntax);
  }
  if (any && !ctx.Record({engine::FlushKeys{db}})) return;
  ctx.reply.Ok();
}

// Gives `from` the name `key` in `db`, in the place of `to`, which may be nullptr.
bool Rehome(Context& ctx, const Object& from, const Object* to, uint8_t db, std::string_view key) {
  Event events[2];
  size_t count = 0;
  if (to != nullptr) events[count++] = engine::RemoveKey{to->id};
  events[count++] = engine::RenameKey{from.id, db, key};
  return ctx.Record(std::span(events, count));
}

// A database by its number. nullopt: `error` is replied, or that it is out of range.
std::optional<uint8_t> ParseDatabase(Context& ctx, std::string_view text, std::string_view error) {
  const auto db = ParseInteger(text);
  if (!db) return ctx.reply.Error(error), std::nullopt;
  if (*db < 0 || static_cast<uint64_t>(*db) >= ctx.host.settings().databases) {
    return ctx.reply.Error("DB index is out of range"), std::nullopt;
  }
  return static_cast<uint8_t>(*db);
}

}  // namespace

void Del(Context& ctx) {
  std::vector<Event> events;
  absl::flat_hash_set<const Object*> seen;  // a key named twice goes once
  for (size_t i = 1; i < ctx.argc(); ++i) {
    const Object* object = ctx.Find(ctx.arg(i));
    if (object == nullptr || (ctx.argc() > 2 && !seen.insert(object).second)) continue;
    events.push_back(engine::RemoveKey{object->id});
  }
  if (!events.empty() && !ctx.Record(events)) return;
  ctx.reply.Integer(static_cast<int64_t>(events.size()));
}

void Exists(Context& ctx) {
  int64_t count = 0;
  for (size_t i = 1; i < ctx.argc(); ++i) count += ctx.Find(ctx.arg(i)) != nullptr;
  ctx.reply.Integer(count);
}

void Type(Context& ctx) {
  const Object* object = ctx.Find(ctx.arg(1));
  ctx.reply.Simple(object == nullptr ? "none" : engine::TypeName(object->type()));
}

void Keys_(Context& ctx) {
  const size_t array = ctx.reply.BeginArray();
  size_t written = 0;
  const engine::Keyspace& keys = ctx.engine.keys();
  for (size_t slot = 0; slot < keys.slots(); ++slot) {
    const Object* object = keys.At(slot);
    if (!IsHere(ctx, object) || !GlobMatches(ctx.arg(1), object->key)) continue;
    ctx.reply.Bulk(object->key);
    ++written;
  }
  ctx.reply.EndArray(array, written);
}

// The cursor is a slot number: see Keyspace.
void Scan(Context& ctx) {
  constexpr size_t kSlotsPerKey = 16;  // looked at for each key asked for, so that a call is bounded
  const auto cursor = ParseInteger(ctx.arg(1));
  if (!cursor || *cursor < 0) return ctx.reply.Error("invalid cursor");
  const auto options = ParseScanOptions(ctx);
  if (!options) return;
  const engine::Keyspace& keys = ctx.engine.keys();
  size_t slot = static_cast<size_t>(*cursor);
  std::vector<std::string_view> found;
  size_t seen = 0;
  size_t looks = options->count > keys.slots() ? keys.slots() : options->count * kSlotsPerKey;
  for (; slot < keys.slots() && seen < options->count && looks > 0; ++slot, --looks) {
    const Object* object = keys.At(slot);
    if (!IsHere(ctx, object)) continue;
    ++seen;
    if (!options->type.empty() && options->type != engine::TypeName(object->type())) continue;
    if (GlobMatches(options->match, object->key)) found.push_back(object->key);
  }
  ctx.reply.Array(2);
  ctx.reply.BulkInteger(slot >= keys.slots() ? 0 : static_cast<int64_t>(slot));
  ctx.reply.Array(found.size());
  for (std::string_view key : found) ctx.reply.Bulk(key);
}

void Rename(Context& ctx) {
  const Object* from = ctx.Find(ctx.arg(1));
  if (from == nullptr) return ctx.reply.Error(errors::kNoSuchKey);
  const Object* to = ctx.Find(ctx.arg(2));
  if (from != to && !Rehome(ctx, *from, to, ctx.session.db, ctx.arg(2))) return;
  ctx.reply.Ok();
}

void Renamenx(Context& ctx) {
  const Object* from = ctx.Find(ctx.arg(1));
  if (from == nullptr) return ctx.reply.Error(errors::kNoSuchKey);
  if (ctx.Find(ctx.arg(2)) != nullptr) return ctx.reply.Integer(0);
  if (!Rehome(ctx, *from, nullptr, ctx.session.db, ctx.arg(2))) return;
  ctx.reply.Integer(1);
}

void Move(Context& ctx) {
  const auto db = ParseDatabase(ctx, ctx.arg(2), errors::kNotInteger);
  if (!db) return;
  if (*db == ctx.session.db) return ctx.reply.Error("source and destination objects are the same");
  const Object* from = ctx.Find(ctx.arg(1));
  if (from == nullptr || ctx.Find(*db, ctx.arg(1)) != nullptr) return ctx.reply.Integer(0);
  // A key that is due there is in the way as long as nobody has removed it.
  if (!Rehome(ctx, *from, ctx.engine.Find(*db, ctx.arg(1)), *db, ctx.arg(1))) return;
  ctx.reply.Integer(1);
}

void Swapdb(Context& ctx) {
  const auto first = ParseDatabase(ctx, ctx.arg(1), "invalid first DB index");
  if (!first) return;
  const auto second = ParseDatabase(ctx, ctx.arg(2), "invalid second DB index");
  if (!second) return;
  if (*first != *second && !ctx.Record({engine::SwapDatabases{*first, *second}})) return;
  ctx.reply.Ok();
}

// Begins anywhere and takes the next key: as good as any where nobody prefers one.
void Randomkey(Context& ctx) {
  const engine::Keyspace& keys = ctx.engine.keys();
  if (keys.size(ctx.session.db) == 0) return ctx.reply.Null();
  const size_t start = static_cast<size_t>(ctx.now.unix_us * 0x9E3779B97F4A7C15ull >> 20) % keys.slots();
  for (size_t i = 0; i < keys.slots(); ++i) {
    const Object* object = keys.At((start + i) % keys.slots());
    if (IsHere(ctx, object)) return ctx.reply.Bulk(object->key);
  }
  ctx.reply.Null();
}

void Flushall(Context& ctx) {
  const engine::Keyspace& keys = ctx.engine.keys();
  bool any = false;
  for (uint8_t db = 0; db < engine::kDatabases; ++db) any |= keys.size(db) != 0;
  Flush(ctx, engine::kAllDatabases, any);
}

void Flushdb(Context& ctx) {
  Flush(ctx, ctx.session.db, ctx.engine.keys().size(ctx.session.db) != 0);
}

void Dbsize(Context& ctx) {
  ctx.reply.Integer(static_cast<int64_t>(ctx.engine.keys().size(ctx.session.db)));
}

void Select(Context& ctx) {
  const auto db = ParseDatabase(ctx, ctx.arg(1), errors::kNotInteger);
  if (!db) return;
  ctx.session.db = *db;
  ctx.reply.Ok();
}

}  // namespace sluice::commands
