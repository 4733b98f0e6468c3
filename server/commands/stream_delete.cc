// XDEL, XDELEX and XACKDEL: entries go by their IDs.
#include <algorithm>

#include <absl/container/btree_set.h>

#include "server/commands/handlers.h"
#include "server/commands/stream_ids.h"
#include "server/commands/stream_lookup.h"
#include "server/commands/stream_references.h"

namespace sluice::commands {
namespace {

using engine::StreamId;

// What XDELEX and XACKDEL answer for one ID.
enum class Fate : int8_t { kNotFound = -1, kDeleted = 1, kReferenced = 2 };

struct DeleteOptions {
  References references = References::kKeep;
  IdList ids;
};

// Reads [KEEPREF|DELREF|ACKED] IDS numids id ... from argument `i` on. nullopt: the error is replied.
std::optional<DeleteOptions> ParseDeleteOptions(Context& ctx, size_t i) {
  DeleteOptions options;
  std::optional<References> references;
  for (; i < ctx.argc(); ++i) {
    if (const auto mode = references ? std::nullopt : ParseReferences(ctx.arg(i))) {
      references = mode;
    } else if (options.ids.first == 0 && i + 1 < ctx.argc() && IsWord(ctx.arg(i), "IDS")) {
      const auto ids = FindIds(ctx, i,
                               {.not_positive = "Number of IDs must be a positive integer",
                                .not_as_many = "The `numids` parameter must match the number of arguments"});
      if (!ids) return std::nullopt;
      options.ids = *ids;
      i = ids->end - 1;
    } else {
      return ctx.reply.Error(errors::kSyntax), std::nullopt;
    }
  }
  if (options.ids.first == 0) return ctx.reply.Error("IDS option is required"), std::nullopt;
  options.references = references.value_or(References::kKeep);
  return options;
}

// Decides for each ID in turn, as if those before it had gone already.
class Deletion {
 public:
  Deletion(Context& ctx, const engine::Object* object, References references)
      : ctx_(ctx), object_(object), references_(references), releases_(&object->stream(), object->id) {}

  Fate Delete(StreamId id) {
    if (references_ == References::kRespect && IsReferenced(stream(), id)) return Fate::kReferenced;
    // Pending lists may name an entry that has gone before: DELREF means those too.
    if (references_ == References::kDelete && seen_.insert(id).second) releases_.AddEverywhere(id);
    return Take(id) ? Fate::kDeleted : Fate::kNotFound;
  }

  Fate Acknowledge(const engine::ConsumerGroup& group, StreamId id) {
    if (!group.pending().contains(id) || !seen_.insert(id).second) return Fate::kNotFound;
    if (references_ == References::kDelete) {
      releases_.AddEverywhere(id);
    } else {
      releases_.Add(group, id);
    }
    if (references_ == References::kRespect && IsReferenced(stream(), id, &group)) return Fate::kReferenced;
    Take(id);
    return Fate::kDeleted;
  }

  bool Record() {
    Events events;
    releases_.AddTo(events);
    if (!entries_.empty()) events.push_back(engine::DeleteEntries{object_->id, entries_});
    return events.empty() || ctx_.Record(std::span(events.data(), events.size()));
  }

 private:
  const engine::Stream& stream() const { return object_->stream(); }
  bool Take(StreamId id) {
    if (!ctx_.Find(stream(), id) || !taken_.insert(id).second) return false;
    entries_.push_back(id);
    return true;
  }

  Context& ctx_;
  const engine::Object* object_;
  References references_;
  ReleasePlan releases_;
  std::vector<StreamId> entries_;
  absl::btree_set<StreamId> taken_;
  absl::btree_set<StreamId> seen_;
};

void WriteFates(Context& ctx, std::span<const Fate> fates) {
  ctx.reply.Array(fates.size());
  for (Fate fate : fates) ctx.reply.Integer(static_cast<int64_t>(fate));
}

}  // namespace

void Xdel(Context& ctx) {
  const auto found = FindStream(ctx, ctx.arg(1));
  if (!found) return;
  if (*found == nullptr) return ctx.reply.Integer(0);
  auto ids = ParseIds(ctx, 2, ctx.argc());
  if (!ids) return;
  const engine::Stream& stream = (*found)->stream();
  std::sort(ids->begin(), ids->end());
  ids->erase(std::unique(ids->begin(), ids->end()), ids->end());
  std::erase_if(*ids, [&](StreamId id) { return !ctx.Find(stream, id); });
  if (!ids->empty() && !ctx.Record({engine::DeleteEntries{(*found)->id, *ids}})) return;
  ctx.reply.Integer(static_cast<int64_t>(ids->size()));
}

void Xdelex(Context& ctx) {
  const auto found = FindStream(ctx, ctx.arg(1));
  if (!found) return;
  const auto options = ParseDeleteOptions(ctx, 2);
  if (!options) return;
  const auto ids = ParseIds(ctx, options->ids.first, options->ids.end);
  if (!ids) return;
  std::vector<Fate> fates(ids->size(), Fate::kNotFound);
  if (*found == nullptr) return WriteFates(ctx, fates);
  Deletion deletion(ctx, *found, options->references);
  for (size_t i = 0; i < ids->size(); ++i) fates[i] = deletion.Delete((*ids)[i]);
  if (deletion.Record()) WriteFates(ctx, fates);
}

void Xackdel(Context& ctx) {
  const auto found = FindStream(ctx, ctx.arg(1));
  if (!found) return;
  const auto options = ParseDeleteOptions(ctx, 3);
  if (!options) return;
  const auto ids = ParseIds(ctx, options->ids.first, options->ids.end);
  if (!ids) return;
  std::vector<Fate> fates(ids->size(), Fate::kNotFound);
  const engine::ConsumerGroup* group = *found == nullptr ? nullptr : (*found)->stream().FindGroup(ctx.arg(2));
  if (group == nullptr) return WriteFates(ctx, fates);
  Deletion deletion(ctx, *found, options->references);
  for (size_t i = 0; i < ids->size(); ++i) fates[i] = deletion.Acknowledge(*group, (*ids)[i]);
  if (deletion.Record()) WriteFates(ctx, fates);
}

}  // namespace sluice::commands
