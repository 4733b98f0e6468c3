#include "server/commands/subscriptions.h"

#include <initializer_list>

#include "server/commands/arguments.h"
#include "server/commands/glob.h"

namespace sluice::commands {
namespace {

std::string Encode(std::initializer_list<std::string_view> parts) {
  std::string wire;
  protocol::ReplyWriter(wire, protocol::Version::kResp2).Array(parts.size());
  for (std::string_view part : parts) AppendBulk(wire, part);
  return wire;
}

}  // namespace

bool Subscriptions::Add(Session& session, ChannelKind kind, std::string_view name) {
  Names& all = names(kind);
  auto it = all.find(name);
  if (it == all.end()) it = all.insert(std::make_unique<Channel>(Channel{std::string(name), {}})).first;
  if (!(*it)->subscribers.insert(&session).second) return false;
  if (!session.subscriptions) session.subscriptions = std::make_unique<SessionSubscriptions>();
  session.subscriptions->of[static_cast<size_t>(kind)].insert(it->get());
  session.subscriptions->name_bytes += name.size();
  return true;
}

bool Subscriptions::Remove(Session& session, ChannelKind kind, std::string_view name) {
  Names& all = names(kind);
  const auto it = all.find(name);
  if (it == all.end() || (*it)->subscribers.erase(&session) == 0) return false;
  session.subscriptions->of[static_cast<size_t>(kind)].erase(it->get());
  session.subscriptions->name_bytes -= name.size();
  if (session.subscriptions->all() == 0) session.subscriptions.reset();
  if ((*it)->subscribers.empty()) all.erase(it);
  return true;
}

void Subscriptions::Drop(Session& session) {
  if (!session.subscriptions) return;
  for (size_t kind = 0; kind < kChannelKinds; ++kind) {
    for (Channel* channel : session.subscriptions->of[kind]) {
      channel->subscribers.erase(&session);
      if (channel->subscribers.empty()) names_[kind].erase(names_[kind].find(channel->name));
    }
  }
  session.subscriptions.reset();
}

size_t Subscriptions::Publish(ChannelKind kind, std::string_view channel, std::string_view message) {
  size_t sent = 0;
  const Names& named = names(kind);
  if (const auto it = named.find(channel); it != named.end()) {
    sent += SendTo(**it, Encode({kind == ChannelKind::kShard ? "smessage" : "message", channel, message}));
  }
  if (kind == ChannelKind::kShard) return sent;
  for (const auto& pattern : names(ChannelKind::kPattern)) {
    if (!GlobMatches(pattern->name, channel)) continue;
    sent += SendTo(*pattern, Encode({"pmessage", pattern->name, channel, message}));
  }
  return sent;
}

size_t Subscriptions::SendTo(const Channel& channel, std::string wire) {
  Message message(std::move(wire));
  for (Session* session : channel.subscribers) delivery_.Send(*session, message);
  return channel.subscribers.size();
}

size_t Subscriptions::SubscribersOf(ChannelKind kind, std::string_view name) const {
  const auto it = names(kind).find(name);
  return it == names(kind).end() ? 0 : (*it)->subscribers.size();
}

}  // namespace sluice::commands
