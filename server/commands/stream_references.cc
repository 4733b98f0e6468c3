#include "server/commands/stream_references.h"

#include <algorithm>

#include "server/commands/arguments.h"

namespace sluice::commands {

using engine::StreamId;

std::optional<References> ParseReferences(std::string_view word) {
  if (IsWord(word, "KEEPREF")) return References::kKeep;
  if (IsWord(word, "DELREF")) return References::kDelete;
  if (IsWord(word, "ACKED")) return References::kRespect;
  return std::nullopt;
}

bool IsReferenced(const engine::Stream& stream, StreamId id, const engine::ConsumerGroup* except) {
  return std::any_of(stream.groups().begin(), stream.groups().end(), [&](const auto& named) {
    const engine::ConsumerGroup& group = *named.second;
    return id > group.last_delivered() || (&group != except && group.pending().contains(id));
  });
}

void ReleasePlan::AddEverywhere(StreamId id) {
  if (stream_ == nullptr) return;
  for (const auto& [name, group] : stream_->groups()) {
    if (group->pending().contains(id)) Add(*group, id);
  }
}

void ReleasePlan::Add(const engine::ConsumerGroup& group, StreamId id) {
  auto share = std::find_if(shares_.begin(), shares_.end(),
                            [&](const Share& other) { return other.group == group.number(); });
  if (share == shares_.end()) share = shares_.insert(share, {group.number(), {}});
  share->ids.push_back(id);
}

void ReleasePlan::AddTo(Events& events) const {
  for (const Share& share : shares_) events.push_back(engine::Release{id_, share.group, share.ids});
}

TrimPlan::TrimPlan(const engine::Object* object, engine::ObjectId id, References references)
    : stream_(object == nullptr ? nullptr : &object->stream()),
      id_(id),
      references_(references),
      releases_(stream_, id) {}

void TrimPlan::Decide(const engine::Trim& trim, std::optional<StreamId> coming) {
  if (stream_ == nullptr) {
    last_ = engine::Stream().PlanTrim(trim, coming);
    return;
  }
  if (references_ == References::kRespect && !stream_->groups().empty()) {
    entries_ =
        stream_->PlanSelectiveTrim(trim, coming, [this](StreamId id) { return IsReferenced(*stream_, id); });
    removed_ = entries_.size();
    return;
  }
  last_ = stream_->PlanTrim(trim, coming);
  if (!last_) return;
  removed_ = stream_->length() - stream_->CountAfter(*last_);
  if (references_ == References::kDelete) ReleaseThrough(*last_);
}

void TrimPlan::ReleaseThrough(StreamId last) {
  for (const auto& [name, group] : stream_->groups()) {
    group->pending().Scan(stream_->first_id(), [&, &its = *group](const engine::Pending& pending) {
      if (pending.id > last) return false;
      // What was deleted before is not trimmed now: its references stay.
      if (stream_->Contains(pending.id)) releases_.Add(its, pending.id);
      return true;
    });
  }
}

void TrimPlan::AddTo(Events& events) const {
  if (last_) events.push_back(engine::TrimStream{id_, *last_});
  if (!entries_.empty()) events.push_back(engine::TrimEntries{id_, entries_});
  releases_.AddTo(events);
}

}  // namespace sluice::commands
