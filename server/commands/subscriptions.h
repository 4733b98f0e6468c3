// Who listens to which channel.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_set.h>

#include "server/commands/delivery.h"
#include "server/commands/session.h"

namespace sluice::commands {

enum class ChannelKind : uint8_t { kChannel, kPattern, kShard };
inline constexpr size_t kChannelKinds = 3;

// A name that somebody listens to. For a pattern the name is the glob.
struct Channel {
  std::string name;
  absl::flat_hash_set<Session*> subscribers;
};

// What one session listens to: its side of the table. While it has any, the session is of the class pubsub.
struct SessionSubscriptions {
  std::array<absl::btree_set<Channel*>, kChannelKinds> of;
  size_t name_bytes = 0;  // of all names
  size_t count(ChannelKind kind) const { return of[static_cast<size_t>(kind)].size(); }
  // Channels and patterns are counted together in replies; shard channels by themselves.
  size_t ordinary() const { return count(ChannelKind::kChannel) + count(ChannelKind::kPattern); }
  size_t all() const { return ordinary() + count(ChannelKind::kShard); }
};

// Channels exist while somebody listens. Both sides know each other, so that a session that goes costs what
// it had, and a message what it reaches: O(log channels) to find the name, then its subscribers, and one
// match against each pattern.
class Subscriptions {
 public:
  explicit Subscriptions(Delivery& delivery) : delivery_(delivery) {}

  // False where it listened already, or did not.
  bool Add(Session& session, ChannelKind kind, std::string_view name);
  bool Remove(Session& session, ChannelKind kind, std::string_view name);
  // The session goes: forgets all that it listened to.
  void Drop(Session& session);

  // Sends `message` to those who listen to `channel`, by its name and (kChannel) by patterns; how many times
  // it was sent. Cheap where nobody listens to anything.
  size_t Publish(ChannelKind kind, std::string_view channel, std::string_view message);

  // True where a message may reach somebody.
  bool any() const { return !names(ChannelKind::kChannel).empty() || !names(ChannelKind::kPattern).empty(); }
  // Names with subscribers.
  size_t size(ChannelKind kind) const { return names(kind).size(); }
  size_t SubscribersOf(ChannelKind kind, std::string_view name) const;
  template <typename Visit>
  void ForEach(ChannelKind kind, Visit&& visit) const {
    for (const auto& channel : names(kind)) visit(*channel);
  }

 private:
  struct Less {
    using is_transparent = void;
    static std::string_view NameOf(std::string_view name) { return name; }
    static std::string_view NameOf(const std::unique_ptr<Channel>& channel) { return channel->name; }
    bool operator()(const auto& a, const auto& b) const { return NameOf(a) < NameOf(b); }
  };
  using Names = std::set<std::unique_ptr<Channel>, Less>;
  Names& names(ChannelKind kind) { return names_[static_cast<size_t>(kind)]; }
  const Names& names(ChannelKind kind) const { return names_[static_cast<size_t>(kind)]; }

  size_t SendTo(const Channel& channel, std::string wire);

  Delivery& delivery_;
  std::array<Names, kChannelKinds> names_;
};

}  // namespace sluice::commands
