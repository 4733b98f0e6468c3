// XADD, XTRIM, XSETID: what changes a stream's entries and counters.
#include <algorithm>

#include <absl/container/inlined_vector.h>

#include "server/commands/handlers.h"
#include "server/commands/stream_idempotence.h"
#include "server/commands/stream_lookup.h"
#include "server/commands/stream_references.h"

namespace sluice::commands {
namespace {

using engine::Event;
using engine::StreamId;
using engine::Trim;

constexpr uint64_t kMaxEntryBytes = 1ull << 30;

// The ID as XADD was given it.
struct NewId {
  bool auto_ms = false;   // "*"
  bool auto_seq = false;  // "ms-*"
  StreamId id{};
};

// The options of XADD and XTRIM.
struct TrimOptions {
  Trim trim;
  bool limit_given = false;
  bool no_create = false;  // NOMKSTREAM
  std::optional<References> references;
  std::optional<MessageName> message;  // IDMP, IDMPAUTO
  NewId id;
  size_t id_at = 0;  // XADD: where the ID stands; 0: there is none
};

std::optional<NewId> ParseNewId(std::string_view text) {
  if (text.size() > 2 && text.ends_with("-*")) {
    const auto ms = ParseStreamId(text.substr(0, text.size() - 2));
    if (!ms || text.find('-') != text.size() - 2) return std::nullopt;
    return NewId{false, true, {ms->ms, 0}};
  }
  const auto id = ParseStreamId(text);
  if (!id) return std::nullopt;
  return NewId{false, false, *id};
}

// Reads a MAXLEN's or MINID's "[=|~] threshold" behind argument `i`; false: the error is replied.
bool ParseThreshold(Context& ctx, size_t& i, Trim::Kind kind, Trim& trim) {
  if (trim.kind != Trim::kNone) {
    ctx.reply.Error("syntax error, MAXLEN and MINID options at the same time are not compatible");
    return false;
  }
  trim.kind = kind;
  if (i + 2 < ctx.argc() && (ctx.arg(i + 1) == "~" || ctx.arg(i + 1) == "=")) {
    trim.approximate = ctx.arg(i + 1) == "~";
    ++i;
  }
  const std::string_view threshold = ctx.arg(++i);
  if (kind == Trim::kMinId) {
    const auto id = ParseStreamId(threshold);
    if (!id) return ctx.reply.Error(errors::kInvalidStreamId), false;
    trim.min_id = *id;
    return true;
  }
  const auto length = ParseInteger(threshold);
  if (!length) return ctx.reply.Error(errors::kNotInteger), false;
  if (*length < 0) return ctx.reply.Error("The MAXLEN argument must be >= 0."), false;
  trim.max_length = static_cast<uint64_t>(*length);
  return true;
}

// Reads what stands between the key and the fields (XADD) or the end (XTRIM). False: the error is replied.
bool ParseTrimOptions(Context& ctx, bool xadd, TrimOptions& options) {
  Trim& trim = options.trim;
  for (size_t i = 2; i < ctx.argc(); ++i) {
    const std::string_view word = ctx.arg(i);
    const bool more = i + 1 < ctx.argc();
    if (xadd && word == "*") {
      options.id.auto_ms = true;
      options.id_at = i;
      break;
    }
    if (more && IsWord(word, "MAXLEN")) {
      if (!ParseThreshold(ctx, i, Trim::kMaxLength, trim)) return false;
    } else if (more && IsWord(word, "MINID")) {
      if (!ParseThreshold(ctx, i, Trim::kMinId, trim)) return false;
    } else if (more && IsWord(word, "LIMIT")) {
      const auto limit = ParseInteger(ctx.arg(++i));
      if (!limit) return ctx.reply.Error(errors::kNotInteger), false;
      if (*limit < 0) return ctx.reply.Error("The LIMIT argument must be >= 0."), false;
      trim.limit = static_cast<uint64_t>(*limit);
      options.limit_given = true;
    } else if (xadd && IsWord(word, "NOMKSTREAM")) {
      options.no_create = true;
    } else if (const auto references = options.references ? std::nullopt : ParseReferences(word)) {
      options.references = references;
    } else if (xadd && more && (IsWord(word, "IDMPAUTO") || (i + 2 < ctx.argc() && IsWord(word, "IDMP")))) {
      if (options.message) {
        ctx.reply.Error("syntax error, IDMP/IDMPAUTO specified multiple times");
        return false;
      }
      options.message = ParseMessageName(ctx, i);
      if (!options.message) return false;
    } else if (xadd) {
      const auto id = ParseNewId(word);
      if (!id) return ctx.reply.Error(errors::kInvalidStreamId), false;
      options.id = *id;
      options.id_at = i;
      break;
    } else {
      return ctx.reply.Error(errors::kSyntax), false;
    }
  }

  if (trim.limit != 0 && trim.kind == Trim::kNone) {
    ctx.reply.Error("syntax error, LIMIT cannot be used without specifying a trimming strategy");
    return false;
  }
  if (!xadd && trim.kind == Trim::kNone) {
    ctx.reply.Error("syntax error, XTRIM must be called with a trimming strategy");
    return false;
  }
  if (options.limit_given && !trim.approximate) {
    ctx.reply.Error("syntax error, LIMIT cannot be used without the special ~ option");
    return false;
  }
  if (options.message && !options.id.auto_ms) {
    ctx.reply.Error("syntax error, IDMP/IDMPAUTO can be used only with auto-generated IDs");
    return false;
  }
  if (trim.kind == Trim::kNone) return true;
  trim.node_entries = ctx.host.settings().stream_node_max_entries;
  if (trim.node_entries == 0) trim.node_entries = UINT32_MAX;  // one node without a bound
  if (trim.approximate && !options.limit_given)
    trim.limit = std::clamp<uint64_t>(100 * trim.node_entries, 1, 1000000);
  return true;
}

// The ID that the entry gets. nullopt: none is left, or it is not above the stream's last: the error is
// replied.
std::optional<StreamId> DecideId(Context& ctx, const NewId& wanted, StreamId last) {
  if (last == engine::kMaxStreamId) {
    ctx.reply.Error("The stream has exhausted the last possible ID, unable to add more items");
    return std::nullopt;
  }
  StreamId id = wanted.id;
  if (wanted.auto_ms) {
    const uint64_t now = ctx.now.unix_ms();
    id = now > last.ms ? StreamId{now, 0} : *engine::Next(last);
  } else if (wanted.auto_seq) {
    if (id.ms == last.ms && last.seq != UINT64_MAX) id.seq = last.seq + 1;
  }
  if (id <= last) {
    ctx.reply.Error("The ID specified in XADD is equal or smaller than the target stream top item");
    return std::nullopt;
  }
  return id;
}

}  // namespace

void Xadd(Context& ctx) {
  TrimOptions options;
  if (!ParseTrimOptions(ctx, true, options)) return;
  const size_t fields_at = options.id_at + 1;
  if (options.id_at == 0 || fields_at >= ctx.argc() || (ctx.argc() - fields_at) % 2 != 0) {
    return ctx.reply.Error(errors::WrongArity("xadd"));
  }
  const NewId& wanted = options.id;
  if (!wanted.auto_ms && !wanted.auto_seq && wanted.id == engine::kMinStreamId) {
    return ctx.reply.Error("The ID specified in XADD must be greater than 0-0");
  }
  const auto found = FindStream(ctx, ctx.arg(1));
  if (!found) return;
  const engine::Object* object = *found;
  if (object == nullptr && options.no_create) return ctx.reply.Null();
  const std::string_view fields = ctx.request.Raw(fields_at, ctx.argc());
  if (fields.size() > kMaxEntryBytes) return ctx.reply.Error("Elements are too large to be stored");

  const engine::ObjectId stream = object != nullptr ? object->id : ctx.engine.keys().NextId();
  Idempotence idempotence(ctx, object, stream);
  if (options.message && idempotence.AnswerDuplicate(*options.message, fields_at)) return;

  const auto id =
      DecideId(ctx, wanted, object != nullptr ? object->stream().last_id() : engine::kMinStreamId);
  if (!id) return;

  absl::InlinedVector<Event, 4> events;
  if (object == nullptr) {
    events.emplace_back(engine::CreateKey{stream, ctx.session.db, engine::ObjectType::kStream, ctx.arg(1)});
  }
  events.emplace_back(
      engine::AppendEntry{0, stream, *id, static_cast<uint32_t>((ctx.argc() - fields_at) / 2), fields});
  if (options.message) idempotence.Remember(*options.message, *id, events);
  std::optional<TrimPlan> trim;
  if (options.trim.kind != Trim::kNone) {
    trim.emplace(object, stream, options.references.value_or(References::kKeep));
    trim->Decide(options.trim, *id);
    trim->AddTo(events);
  }
  if (!ctx.Record(std::span(events.data(), events.size()))) return;
  ctx.reply.Raw(ctx.new_ids.Bulk(*id));
}

void Xtrim(Context& ctx) {
  TrimOptions options;
  if (!ParseTrimOptions(ctx, false, options)) return;
  const auto found = FindStream(ctx, ctx.arg(1));
  if (!found) return;
  if (*found == nullptr) return ctx.reply.Integer(0);
  TrimPlan trim(*found, (*found)->id, options.references.value_or(References::kKeep));
  trim.Decide(options.trim, std::nullopt);
  absl::InlinedVector<Event, 4> events;
  trim.AddTo(events);
  if (!events.empty() && !ctx.Record(std::span(events.data(), events.size()))) return;
  ctx.reply.Integer(static_cast<int64_t>(trim.removed()));
}

void Xsetid(Context& ctx) {
  const auto last = ParseStreamId(ctx.arg(2));
  if (!last) return ctx.reply.Error(errors::kInvalidStreamId);
  std::optional<int64_t> entries_added;
  StreamId max_deleted{};
  for (size_t i = 3; i < ctx.argc(); i += 2) {
    const bool more = i + 1 < ctx.argc();
    if (more && IsWord(ctx.arg(i), "ENTRIESADDED")) {
      entries_added = ParseInteger(ctx.arg(i + 1));
      if (!entries_added) return ctx.reply.Error(errors::kNotInteger);
      if (*entries_added < 0) return ctx.reply.Error("entries_added must be positive");
    } else if (more && IsWord(ctx.arg(i), "MAXDELETEDID")) {
      const auto id = ParseStreamId(ctx.arg(i + 1));
      if (!id) return ctx.reply.Error(errors::kInvalidStreamId);
      if (*id > *last) {
        return ctx.reply.Error(
            "The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
      }
      max_deleted = *id;
    } else {
      return ctx.reply.Error(errors::kSyntax);
    }
  }
  const auto found = FindStream(ctx, ctx.arg(1));
  if (!found) return;
  if (*found == nullptr) return ctx.reply.Error(errors::kNoSuchKey);
  const engine::Stream& stream = (*found)->stream();
  if (*last < stream.max_deleted_id()) {
    return ctx.reply.Error("The ID specified in XSETID is smaller than current max_deleted_entry_id");
  }
  if (stream.length() != 0 && *last < stream.last_existing_id()) {
    return ctx.reply.Error("The ID specified in XSETID is smaller than the target stream top item");
  }
  if (entries_added && static_cast<uint64_t>(*entries_added) < stream.length()) {
    return ctx.reply.Error("The entries_added specified in XSETID is smaller than the target stream length");
  }
  const engine::SetStreamId event{
      .stream = (*found)->id,
      .last = *last,
      .entries_added = entries_added ? static_cast<uint64_t>(*entries_added) : stream.entries_added(),
      .max_deleted = max_deleted == engine::kMinStreamId ? stream.max_deleted_id() : max_deleted,
  };
  if (!ctx.Record({event})) return;
  ctx.reply.Ok();
}

}  // namespace sluice::commands
