// XCFGSET: what holds for one stream instead of the server's options.
#include "server/commands/handlers.h"
#include "server/commands/stream_idempotence.h"
#include "server/commands/stream_lookup.h"

namespace sluice::commands {
namespace {

// The options as the request has them; nullopt: not given.
struct StreamSettings {
  std::optional<int64_t> idmp_seconds;
  std::optional<int64_t> idmp_messages;
  std::optional<int64_t> retention_ms;  // kServers: as the server's option says
  std::optional<int64_t> retention_bytes;
};

constexpr int64_t kServers = -1;

// One option: its name, what it may be, and what the error calls it.
struct Setting {
  std::string_view name;
  std::optional<int64_t> StreamSettings::*value;
  int64_t least;
  int64_t most;
  std::string_view range;
};

constexpr Setting kSettings[] = {
    {"IDMP-DURATION", &StreamSettings::idmp_seconds, 1, 86400, "between 1 and 86400 seconds"},
    {"IDMP-MAXSIZE", &StreamSettings::idmp_messages, 1, 10000, "between 1 and 10000 entries"},
    {"RETENTION-MS", &StreamSettings::retention_ms, kServers, INT64_MAX,
     "DEFAULT (-1), or 0 or more milliseconds"},
    {"RETENTION-BYTES", &StreamSettings::retention_bytes, kServers, INT64_MAX,
     "DEFAULT (-1), or 0 or more bytes"},
};

const Setting* FindSetting(std::string_view name) {
  for (const Setting& setting : kSettings) {
    if (IsWord(name, setting.name)) return &setting;
  }
  return nullptr;
}

// nullopt: the error is replied.
std::optional<StreamSettings> ParseSettings(Context& ctx) {
  StreamSettings settings;
  for (size_t i = 2; i < ctx.argc(); i += 2) {
    const Setting* setting = i + 1 < ctx.argc() ? FindSetting(ctx.arg(i)) : nullptr;
    if (setting == nullptr) return ctx.reply.Error(errors::kSyntax), std::nullopt;
    std::optional<int64_t>& value = settings.*setting->value;
    if (value) {
      ctx.reply.Error(errors::Concat({setting->name, " specified multiple times"}));
      return std::nullopt;
    }
    value = ParseInteger(ctx.arg(i + 1));
    if (setting->least == kServers && IsWord(ctx.arg(i + 1), "DEFAULT")) value = kServers;
    if (!value || *value < setting->least || *value > setting->most) {
      ctx.reply.Error(errors::Concat({setting->name, " must be ", setting->range}));
      return std::nullopt;
    }
  }
  if (ctx.argc() == 2) return ctx.reply.Error("At least one parameter must be specified"), std::nullopt;
  return settings;
}

// What holds from now on: `wanted`, where it was given.
std::optional<uint64_t> Limit(std::optional<uint64_t> present, std::optional<int64_t> wanted) {
  if (!wanted) return present;
  return *wanted == kServers ? std::nullopt : std::optional(static_cast<uint64_t>(*wanted));
}

}  // namespace

void Xcfgset(Context& ctx) {
  const auto found = FindStream(ctx, ctx.arg(1));
  if (!found) return;
  if (*found == nullptr) return ctx.reply.Error(errors::kNoSuchKey);
  const auto settings = ParseSettings(ctx);
  if (!settings) return;
  const engine::ObjectId id = (*found)->id;
  const engine::Stream& stream = (*found)->stream();

  Events events;
  // Nothing is forgotten for limits that hold already.
  const uint64_t seconds = ProducerSeconds(ctx, &stream);
  const uint64_t messages = ProducerMessages(ctx, &stream);
  const engine::LimitProducers limits{
      id, static_cast<uint64_t>(settings->idmp_seconds.value_or(static_cast<int64_t>(seconds))),
      static_cast<uint64_t>(settings->idmp_messages.value_or(static_cast<int64_t>(messages)))};
  if (limits.seconds != seconds || limits.messages != messages) events.push_back(limits);
  const engine::Retention& present = stream.retention();
  const engine::Retention wanted{.ms = Limit(present.ms, settings->retention_ms),
                                 .bytes = Limit(present.bytes, settings->retention_bytes)};
  if (wanted != present) events.push_back(engine::SetRetention{id, wanted.ms, wanted.bytes});
  if (!events.empty() && !ctx.Record(std::span(events.data(), events.size()))) return;
  ctx.reply.Ok();
}

}  // namespace sluice::commands
