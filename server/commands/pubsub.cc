// SUBSCRIBE, PUBLISH and their like.
#include <algorithm>
#include <vector>

#include "server/commands/arguments.h"
#include "server/commands/glob.h"
#include "server/commands/handlers.h"
#include "server/commands/subscriptions.h"

namespace sluice::commands {
namespace {

// Longer ones would make every message pay for them.
constexpr size_t kMaxPatternBytes = 64 * 1024;

// Where confirmations go: every one is a whole reply.
void Confirm(Context& ctx, std::string_view what, const std::string* name, ChannelKind kind) {
  const SessionSubscriptions* own = ctx.session.subscriptions.get();
  const size_t count = own == nullptr ? 0 : kind == ChannelKind::kShard ? own->count(kind) : own->ordinary();
  ctx.reply.Push(3);
  ctx.reply.Bulk(what);
  if (name == nullptr) {
    ctx.reply.Null();
  } else {
    ctx.reply.Bulk(*name);
  }
  ctx.reply.Integer(static_cast<int64_t>(count));
}

void SubscribeTo(Context& ctx, ChannelKind kind, std::string_view what) {
  const size_t present = ctx.session.subscriptions ? ctx.session.subscriptions->all() : 0;
  const uint64_t most = ctx.host.settings().max_subscriptions;
  if (present + ctx.argc() - 1 > most) {
    return ctx.reply.Error(errors::Concat(
        {"a client may have at most ", std::to_string(most), " subscriptions (pubsub-max-subscriptions)"}));
  }
  for (size_t i = 1; i < ctx.argc(); ++i) {
    if (kind == ChannelKind::kPattern && ctx.arg(i).size() > kMaxPatternBytes) {
      return ctx.reply.Error("a pattern may have at most 65536 bytes");
    }
  }
  for (size_t i = 1; i < ctx.argc(); ++i) {
    const std::string name(ctx.arg(i));
    ctx.subscriptions().Add(ctx.session, kind, name);
    Confirm(ctx, what, &name, kind);
  }
}

void UnsubscribeFrom(Context& ctx, ChannelKind kind, std::string_view what) {
  std::vector<std::string> names;
  for (size_t i = 1; i < ctx.argc(); ++i) names.emplace_back(ctx.arg(i));
  if (names.empty() && ctx.session.subscriptions) {
    for (const Channel* channel : ctx.session.subscriptions->of[static_cast<size_t>(kind)]) {
      names.push_back(channel->name);
    }
    std::sort(names.begin(), names.end());
  }
  if (names.empty()) return Confirm(ctx, what, nullptr, kind);
  for (const std::string& name : names) {
    ctx.subscriptions().Remove(ctx.session, kind, name);
    Confirm(ctx, what, &name, kind);
  }
}

void ListChannels(Context& ctx, ChannelKind kind) {
  if (ctx.argc() > 3) return ctx.reply.Error(errors::BadSubcommand(ctx.arg(1), "PUBSUB"));
  const size_t array = ctx.reply.BeginArray();
  size_t count = 0;
  ctx.subscriptions().ForEach(kind, [&](const Channel& channel) {
    if (ctx.argc() == 3 && !GlobMatches(ctx.arg(2), channel.name)) return;
    ctx.reply.Bulk(channel.name);
    ++count;
  });
  ctx.reply.EndArray(array, count);
}

void CountSubscribers(Context& ctx, ChannelKind kind) {
  ctx.reply.Array((ctx.argc() - 2) * 2);
  for (size_t i = 2; i < ctx.argc(); ++i) {
    ctx.reply.Bulk(ctx.arg(i));
    ctx.reply.Integer(static_cast<int64_t>(ctx.subscriptions().SubscribersOf(kind, ctx.arg(i))));
  }
}

}  // namespace

void Subscribe(Context& ctx) {
  SubscribeTo(ctx, ChannelKind::kChannel, "subscribe");
}
void Psubscribe(Context& ctx) {
  SubscribeTo(ctx, ChannelKind::kPattern, "psubscribe");
}
void Ssubscribe(Context& ctx) {
  if (ctx.in_exec()) return ctx.reply.Error("SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
  SubscribeTo(ctx, ChannelKind::kShard, "ssubscribe");
}
void Unsubscribe(Context& ctx) {
  UnsubscribeFrom(ctx, ChannelKind::kChannel, "unsubscribe");
}
void Punsubscribe(Context& ctx) {
  UnsubscribeFrom(ctx, ChannelKind::kPattern, "punsubscribe");
}
void Sunsubscribe(Context& ctx) {
  UnsubscribeFrom(ctx, ChannelKind::kShard, "sunsubscribe");
}

void Publish(Context& ctx) {
  ctx.reply.Integer(static_cast<int64_t>(ctx.Publish(ctx.arg(1), ctx.arg(2))));
}
void Spublish(Context& ctx) {
  const size_t sent = ctx.subscriptions().Publish(ChannelKind::kShard, ctx.arg(1), ctx.arg(2));
  ctx.reply.Integer(static_cast<int64_t>(sent));
}

void PubsubChannels(Context& ctx) {
  ListChannels(ctx, ChannelKind::kChannel);
}
void PubsubShardchannels(Context& ctx) {
  ListChannels(ctx, ChannelKind::kShard);
}
void PubsubNumsub(Context& ctx) {
  CountSubscribers(ctx, ChannelKind::kChannel);
}
void PubsubShardnumsub(Context& ctx) {
  CountSubscribers(ctx, ChannelKind::kShard);
}
void PubsubNumpat(Context& ctx) {
  ctx.reply.Integer(static_cast<int64_t>(ctx.subscriptions().size(ChannelKind::kPattern)));
}

}  // namespace sluice::commands
