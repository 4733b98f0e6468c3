#include "server/commands/command_rows.h"
#include "server/commands/handlers.h"

namespace sluice::commands {
namespace {

constexpr uint32_t kPubsubFlags = kAlways | kStateless;
constexpr uint32_t kSubscribing = kPubsubFlags | kNoScript | kInSubscription;
constexpr uint32_t kPublishing = kPubsubFlags | kFast | kWaitsForWrites;

constexpr Command kPubsub[] = {
    {"pubsub|channels", -2, kPubsubFlags, kNoKeys, Group::kPubsub, "2.8.0", "O(channels)", "[pattern]",
     "Lists the channels that somebody listens to.", PubsubChannels},
    {"pubsub|help", 2, kPubsubFlags, kNoKeys, Group::kPubsub, "6.2.0", "O(1)", "", "Lists the subcommands.",
     Help},
    {"pubsub|numpat", 2, kPubsubFlags, kNoKeys, Group::kPubsub, "2.8.0", "O(1)", "",
     "Returns the number of patterns that somebody listens to.", PubsubNumpat},
    {"pubsub|numsub", -2, kPubsubFlags, kNoKeys, Group::kPubsub, "2.8.0", "O(log n) a channel",
     "[channel [channel ...]]", "Returns how many listen to each channel by its name.", PubsubNumsub},
    {"pubsub|shardchannels", -2, kPubsubFlags, kNoKeys, Group::kPubsub, "7.0.0", "O(channels)", "[pattern]",
     "Lists the shard channels that somebody listens to.", PubsubShardchannels},
    {"pubsub|shardnumsub", -2, kPubsubFlags, kNoKeys, Group::kPubsub, "7.0.0", "O(log n) a channel",
     "[shardchannel [shardchannel ...]]", "Returns how many listen to each shard channel.",
     PubsubShardnumsub},
};

// Sorted by name.
constexpr Command kPubsubRows[] = {
    {"psubscribe", -2, kSubscribing, kNoKeys, Group::kPubsub, "2.0.0", "O(log n) a pattern",
     "pattern [pattern ...]", "Listens to every channel that matches a pattern.", Psubscribe},
    {"publish", 3, kPublishing, kNoKeys, Group::kPubsub, "2.0.0", "O(subscribers + patterns)",
     "channel message", "Sends a message to whoever listens to the channel.", Publish},
    {"pubsub", -2, kStateless, kNoKeys, Group::kPubsub, "2.8.0", "as the subcommand", "",
     "Commands about channels.", nullptr, kPubsub},
    {"punsubscribe", -1, kSubscribing, kNoKeys, Group::kPubsub, "2.0.0", "O(log n) a pattern",
     "[pattern [pattern ...]]", "Listens no more to the patterns, or to any.", Punsubscribe},
    {"spublish", 3, kPublishing, kNoKeys, Group::kPubsub, "7.0.0", "O(subscribers)", "shardchannel message",
     "Sends a message to whoever listens to the shard channel.", Spublish},
    {"ssubscribe", -2, kSubscribing, kNoKeys, Group::kPubsub, "7.0.0", "O(log n) a channel",
     "shardchannel [shardchannel ...]", "Listens to shard channels.", Ssubscribe},
    {"subscribe", -2, kSubscribing, kNoKeys, Group::kPubsub, "2.0.0", "O(log n) a channel",
     "channel [channel ...]", "Listens to channels.", Subscribe},
    {"sunsubscribe", -1, kSubscribing, kNoKeys, Group::kPubsub, "7.0.0", "O(log n) a channel",
     "[shardchannel [shardchannel ...]]", "Listens no more to the shard channels, or to any.", Sunsubscribe},
    {"unsubscribe", -1, kSubscribing, kNoKeys, Group::kPubsub, "2.0.0", "O(log n) a channel",
     "[channel [channel ...]]", "Listens no more to the channels, or to any.", Unsubscribe},
};
static_assert(SoundTable(kPubsubRows, ""));

}  // namespace

std::span<const Command> PubsubRows() {
  return kPubsubRows;
}

}  // namespace sluice::commands
