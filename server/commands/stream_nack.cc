// XNACK: a consumer gives entries back to its group, for whoever claims them first.
#include <algorithm>

#include <absl/container/btree_set.h>

#include "server/commands/handlers.h"
#include "server/commands/stream_ids.h"
#include "server/commands/stream_lookup.h"

namespace sluice::commands {
namespace {

using engine::GiveBack;
using engine::StreamId;

// What becomes of the count of deliveries.
struct Verdict {
  GiveBack::Count count;
  uint64_t deliveries = 0;
};

std::optional<Verdict> ParseVerdict(std::string_view word) {
  if (IsWord(word, "SILENT")) return Verdict{GiveBack::kDecrement};  // as if it had never been delivered
  if (IsWord(word, "FAIL")) return Verdict{GiveBack::kKeep};
  if (IsWord(word, "FATAL")) return Verdict{GiveBack::kSet, INT64_MAX};  // nobody should try again
  return std::nullopt;
}

}  // namespace

void Xnack(Context& ctx) {
  const auto group = FindGroup(ctx, ctx.arg(1), ctx.arg(2), errors::NoKeyOrGroup);
  if (!group) return;
  auto verdict = ParseVerdict(ctx.arg(3));
  if (!verdict) return ctx.reply.Error("mode must be SILENT, FAIL, or FATAL");
  if (!IsWord(ctx.arg(4), "IDS")) return ctx.reply.Error("syntax error, expected IDS keyword");
  const auto list = FindIds(ctx, 4,
                            {.not_positive = "numids must be a positive integer",
                             .not_as_many = "number of IDs doesn't match numids"});
  if (!list) return;
  const auto ids = ParseIds(ctx, list->first, list->end);
  if (!ids) return;
  bool force = false;
  for (size_t i = list->end; i < ctx.argc(); ++i) {
    if (IsWord(ctx.arg(i), "FORCE")) {
      force = true;
    } else if (IsWord(ctx.arg(i), "RETRYCOUNT") && i + 1 < ctx.argc()) {
      const auto count = ParseInteger(ctx.arg(++i));
      if (!count || *count < 0) return ctx.reply.Error("Invalid RETRYCOUNT value, must be >= 0");
      verdict = Verdict{GiveBack::kSet, static_cast<uint64_t>(*count)};
    } else {
      return ctx.reply.Error(errors::Concat({"Unrecognized XNACK option '", ctx.arg(i), "'"}));
    }
  }

  std::vector<StreamId> released;
  absl::btree_set<StreamId> seen;
  for (StreamId id : *ids) {
    const bool given = group->group->pending().contains(id) || (force && group->stream->Contains(id));
    if (given && seen.insert(id).second) released.push_back(id);
  }
  if (!released.empty() && !ctx.Record({GiveBack{.stream = group->object->id,
                                                 .group = group->group->number(),
                                                 .count = verdict->count,
                                                 .deliveries = verdict->deliveries,
                                                 .ids = released}})) {
    return;
  }
  ctx.reply.Integer(static_cast<int64_t>(released.size()));
}

}  // namespace sluice::commands
