// What stream commands look up before they decide.
#pragma once

#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/wire.h"
#include "server/commands/arguments.h"
#include "server/commands/context.h"
#include "server/engine/decimal.h"

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
    if (!StepTo(id, entry->pairs)) Compose(id, entry->pairs);
    ctx_.reply.Raw({head_, head_bytes_});
    ctx_.reply.Raw(entry->fields);
    return true;
  }

 private:
  // Entries that came together have IDs that differ in their last digit: then so do their heads.
  bool StepTo(engine::StreamId id, uint32_t pairs) {
    if (id.ms != id_.ms || id.seq != id_.seq + 1 || pairs != pairs_ || head_[last_digit_] == '9')
      return false;
    id_ = id;
    ++head_[last_digit_];
    return true;
  }
  void Compose(engine::StreamId id, uint32_t pairs) {
    if (id.ms != id_.ms || ms_bytes_ == 0) {
      char* end = engine::WriteDecimal(ms_text_, id.ms);
      *end++ = '-';
      ms_bytes_ = static_cast<size_t>(end - ms_text_);
    }
    char seq[engine::kDecimalRoom];
    const auto seq_bytes = static_cast<size_t>(engine::WriteDecimal(seq, id.seq) - seq);
    char* end = protocol::WriteLine(head_, '*', 2);
    end = protocol::WriteLine(end, '$', ms_bytes_ + seq_bytes);
    std::memcpy(end, ms_text_, sizeof ms_text_);
    end += ms_bytes_;
    std::memcpy(end, seq, sizeof seq);
    end += seq_bytes;
    last_digit_ = static_cast<size_t>(end - 1 - head_);
    std::memcpy(end, "\r\n", 2);
    end = protocol::WriteLine(end + 2, '*', size_t{pairs} * 2);
    head_bytes_ = static_cast<size_t>(end - head_);
    id_ = id;
    pairs_ = pairs;
  }

  Context& ctx_;
  // The last entry's, and the first half of its ID as text, "1700000000000-".
  engine::StreamId id_{};
  uint32_t pairs_ = 0;
  size_t ms_bytes_ = 0;
  char ms_text_[engine::kDecimalRoom] = {};
  // What stood before its fields, and where in it its ID ends. At first there is nothing to go on from.
  size_t head_bytes_ = 0;
  size_t last_digit_ = 0;
  char head_[3 * protocol::kMaxLine + 2 * engine::kDecimalRoom] = {'9'};
};

inline void WriteId(protocol::ReplyWriter& reply, engine::StreamId id) {
  reply.Bulk(engine::StreamIdText(id).view());
}

}  // namespace sluice::commands
