// What stream commands look up before they decide.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "server/commands/arguments.h"
#include "server/commands/context.h"
#include "server/commands/entry_head.h"

namespace sluice::commands {

// The stream at `key`, or nullptr where there is none. nullopt where the key holds something else: the error
// is replied.
std::optional<const engine::Object*> FindStream(Context& ctx, std::string_view key);
// One that must exist. nullptr: the error is replied, `missing` where there is none.
const engine::Object* FindExistingStream(Context& ctx, std::string_view key, std::string_view missing);

// A group of an existing stream.
struct GroupRef {
  const engine::Object* object;
  const engine::Stream* stream;
  const engine::ConsumerGroup* group;
};
// nullopt: a key of another type, a missing key or a missing group. The error is replied; `missing` makes the
// text for the last two.
std::optional<GroupRef> FindGroup(Context& ctx, std::string_view key, std::string_view group,
                                  std::string (*missing)(std::string_view key, std::string_view group));

// The arguments [first, last) as entry IDs. nullopt: one is not an ID, the error is replied.
std::optional<std::vector<engine::StreamId>> ParseIds(Context& ctx, size_t first, size_t last);

// The first and the last ID of an interval whose bounds may be excluded. nullopt: no ID, or nothing is left
// beyond it; the error is replied.
std::optional<engine::StreamId> ParseIntervalStart(Context& ctx, std::string_view text);
std::optional<engine::StreamId> ParseIntervalEnd(Context& ctx, std::string_view text);

// The consumer that a call names: its number, and the event that creates it where it does not exist yet.
struct ConsumerRef {
  uint32_t number;
  const engine::Consumer* existing;  // nullptr: to be created
  engine::CreateConsumer Creation(const GroupRef& group, std::string_view name, uint64_t now_ms) const {
    return {group.object->id, group.group->number(), number, now_ms, name};
  }
};
ConsumerRef FindConsumer(const engine::ConsumerGroup& group, std::string_view name);

// How long an owned entry has waited since its delivery.
inline uint64_t IdleOf(const engine::Pending& pending, uint64_t now_ms) {
  return now_ms > pending.delivered_ms ? now_ms - pending.delivered_ms : 0;
}
// Whether an entry may be claimed by who asks for so much idleness. What is nobody's always may.
inline bool IsIdle(const engine::Pending& pending, uint64_t min_idle_ms, uint64_t now_ms) {
  return !pending.owned() || IdleOf(pending, now_ms) >= min_idle_ms;
}

// Writes a reply's entries, one after the other.
class EntryWriter {
 public:
  explicit EntryWriter(Context& ctx) : ctx_(ctx) {}

  // [id, [field, value, ...]]; nothing, and false, where the entry is damaged or away.
  bool Write(engine::StreamId id, storage::Place place) {
    const std::optional<engine::EntryView> entry = ctx_.Read(place);
    if (!entry) return false;
    ctx_.reply.Raw(head_.Of(id, entry->pairs));
    ctx_.reply.Raw(entry->fields);
    return true;
  }

 private:
  Context& ctx_;
  EntryHead head_;
};

inline void WriteId(protocol::ReplyWriter& reply, engine::StreamId id) {
  reply.Bulk(engine::StreamIdText(id).view());
}

}  // namespace sluice::commands
