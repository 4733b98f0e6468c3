// XLEN, XRANGE, XREVRANGE.
#include <algorithm>

#include "server/commands/handlers.h"
#include "server/commands/stream_lookup.h"

namespace sluice::commands {
namespace {

using engine::StreamId;

// Both commands: `start_at` and `end_at` are where the lower and the upper bound stand.
void Range(Context& ctx, size_t start_at, size_t end_at, bool backwards) {
  const auto from = ParseIntervalStart(ctx, ctx.arg(start_at));
  if (!from) return;
  const auto to = ParseIntervalEnd(ctx, ctx.arg(end_at));
  if (!to) return;

  std::optional<int64_t> count;
  for (size_t i = 4; i < ctx.argc(); i += 2) {
    if (i + 1 >= ctx.argc() || !IsWord(ctx.arg(i), "COUNT")) return ctx.reply.Error(errors::kSyntax);
    count = ParseInteger(ctx.arg(i + 1));
    if (!count) return ctx.reply.Error(errors::kNotInteger);
    count = std::max<int64_t>(*count, 0);
  }

  const auto found = FindStream(ctx, ctx.arg(1));
  if (!found) return;
  if (*found == nullptr) return ctx.reply.Array(0);
  if (count == 0) return ctx.reply.NullArray();

  const engine::Stream& stream = (*found)->stream();
  const size_t most = count ? static_cast<size_t>(*count) : SIZE_MAX;
  const size_t array = ctx.reply.BeginArray(std::min<uint64_t>(most, stream.length()));
  size_t written = 0;
  EntryWriter writer(ctx);
  auto write = [&](StreamId id, storage::Place place) {
    return (writer.Write(id, place) || ctx.reads_on()) && ++written < most;
  };
  if (backwards) {
    ctx.ScanBack(stream, *from, *to, write);
  } else {
    ctx.Scan(stream, *from, *to, write);
  }
  ctx.reply.EndArray(array, written);
}

}  // namespace

void Xlen(Context& ctx) {
  const auto found = FindStream(ctx, ctx.arg(1));
  if (!found) return;
  ctx.reply.Integer(*found == nullptr ? 0 : static_cast<int64_t>((*found)->stream().length()));
}

void Xrange(Context& ctx) {
  Range(ctx, 2, 3, false);
}
void Xrevrange(Context& ctx) {
  Range(ctx, 3, 2, true);
}

}  // namespace sluice::commands
