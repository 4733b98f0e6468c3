// Entries go, and consumer groups may still refer to them: what becomes of the references (KEEPREF, DELREF,
// ACKED).
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

#include <absl/container/inlined_vector.h>

#include "server/engine/event.h"
#include "server/engine/object.h"

namespace sluice::commands {

enum class References : uint8_t {
  kKeep,     // KEEPREF: pending lists go on naming the entry
  kDelete,   // DELREF: it goes from every pending list too
  kRespect,  // ACKED: only what no group refers to goes
};

// nullopt: `word` is none of the three.
std::optional<References> ParseReferences(std::string_view word);

// Whether a group has still to be given the entry, or to acknowledge it; what is pending in the group
// `except` does not count.
bool IsReferenced(const engine::Stream& stream, engine::StreamId id,
                  const engine::ConsumerGroup* except = nullptr);

using Events = absl::InlinedVector<engine::Event, 4>;

// IDs that leave pending lists, gathered by group. The events that it makes point into it.
class ReleasePlan {
 public:
  ReleasePlan(const engine::Stream* stream, engine::ObjectId id) : stream_(stream), id_(id) {}

  // Everywhere that `id` is pending.
  void AddEverywhere(engine::StreamId id);
  void Add(const engine::ConsumerGroup& group, engine::StreamId id);
  void AddTo(Events& events) const;

 private:
  struct Share {
    uint32_t group;
    std::vector<engine::StreamId> ids;  // each once
  };
  const engine::Stream* stream_;  // null: it is yet to be created
  engine::ObjectId id_;
  std::deque<Share> shares_;
};

// What trimming takes away, decided at once.
class TrimPlan {
 public:
  // `object` is null where the stream is yet to be created, as `id`.
  TrimPlan(const engine::Object* object, engine::ObjectId id, References references);

  // `coming`: the entry that is appended before.
  void Decide(const engine::Trim& trim, std::optional<engine::StreamId> coming);
  // The events point into this plan.
  void AddTo(Events& events) const;
  uint64_t removed() const { return removed_; }

 private:
  void ReleaseThrough(engine::StreamId last);

  const engine::Stream* stream_;
  engine::ObjectId id_;
  References references_;
  std::optional<engine::StreamId> last_;   // everything up to it goes
  std::vector<engine::StreamId> entries_;  // or these
  ReleasePlan releases_;
  uint64_t removed_ = 0;
};

}  // namespace sluice::commands
