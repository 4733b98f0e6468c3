// Checkpoints on demand, under Redis's names and with its replies. None of these forks, and none is needed
// for data to be safe: a checkpoint makes the next start quick.
#include "server/commands/arguments.h"
#include "server/commands/handlers.h"

namespace sluice::commands {
namespace {

using engine::CheckpointReason;
using engine::CheckpointStatus;

constexpr std::string_view kInProgress = "Background save already in progress";

const CheckpointStatus& StatusOf(const Context& ctx) {
  return ctx.journal().checkpointer().status();
}

}  // namespace

void Bgsave(Context& ctx) {
  const bool schedule = ctx.argc() == 2 && IsWord(ctx.arg(1), "SCHEDULE");
  if (ctx.argc() > 1 && !schedule) return ctx.reply.Error(errors::kSyntax);
  const CheckpointStatus& status = StatusOf(ctx);
  if (status.under_way && status.reason != CheckpointReason::kRewrite) return ctx.reply.Error(kInProgress);
  if (status.under_way && !schedule) {
    return ctx.reply.Error(
        "Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to "
        "schedule "
        "a BGSAVE whenever possible.");
  }
  const bool waits = status.under_way;
  ctx.RequestCheckpoint(CheckpointReason::kSave);
  ctx.reply.Simple(waits ? "Background saving scheduled" : "Background saving started");
}

void Bgrewriteaof(Context& ctx) {
  const CheckpointStatus& status = StatusOf(ctx);
  if (status.under_way && status.reason == CheckpointReason::kRewrite) {
    return ctx.reply.Error("Background append only file rewriting already in progress");
  }
  const bool waits = status.under_way;
  ctx.RequestCheckpoint(CheckpointReason::kRewrite);
  ctx.reply.Simple(waits ? "Background append only file rewriting scheduled"
                         : "Background append only file rewriting started");
}

// Holds up its caller alone: it waits as a blocking read does, until the checkpoint is there or has failed.
void Save(Context& ctx) {
  const CheckpointStatus& status = StatusOf(ctx);
  if (ctx.retried) {
    if (status.last_failed)
      return ctx.reply.Error(errors::Concat({"the checkpoint failed: ", status.last_error}));
    return ctx.reply.Ok();
  }
  if (status.under_way) return ctx.reply.Error(kInProgress);
  ctx.RequestCheckpoint(CheckpointReason::kSave);
  ctx.Block({.for_checkpoint = true, .args = ctx.request.args()});
}

void Lastsave(Context& ctx) {
  const uint64_t unix_ms = StatusOf(ctx).last_unix_ms;
  ctx.reply.Integer(static_cast<int64_t>((unix_ms != 0 ? unix_ms : ctx.host.Facts().started_unix_ms) / 1000));
}

}  // namespace sluice::commands
