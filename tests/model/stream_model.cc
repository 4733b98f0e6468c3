#include "tests/model/stream_model.h"

#include <algorithm>
#include <tuple>

namespace sluice::tests {
namespace {

Reply Integer(uint64_t number) {
  return {Reply::Type::kInteger, std::to_string(static_cast<int64_t>(number)), {}};
}
Reply Bulk(const std::string& text) {
  return {Reply::Type::kBulk, text, {}};
}
Reply Array(std::vector<Reply> elements) {
  return {Reply::Type::kArray, "", std::move(elements)};
}
Reply Error(const std::string& text) {
  return {Reply::Type::kError, text, {}};
}
Reply Ok() {
  return {Reply::Type::kSimple, "OK", {}};
}

constexpr uint64_t kMostDeliveries = INT64_MAX;

}  // namespace

std::string Text(ModelId id) {
  return std::to_string(id.first) + "-" + std::to_string(id.second);
}

Reply StreamModel::Entry(ModelId id) const {
  return Array({Bulk(Text(id)), Array({Bulk("f"), Bulk(entries_.at(id))})});
}

Reply StreamModel::NoGroup(const std::string& group, const std::string& tail) const {
  return Error("NOGROUP No such key 's' or consumer group '" + group + "'" + tail);
}

bool StreamModel::Idle(const PendingEntry& entry, uint64_t min_idle_ms) const {
  return entry.consumer.empty() || now_ms - entry.delivered_ms >= min_idle_ms;
}

bool StreamModel::Referenced(ModelId id, const Group* except) const {
  for (const auto& [name, group] : groups_) {
    if (id > group.last || (&group != except && group.pending.contains(id))) return true;
  }
  return false;
}

void StreamModel::Forget(ModelId id) {
  for (auto& [name, group] : groups_) group.pending.erase(id);
}

uint64_t StreamModel::TrimWhile(ModelReferences references, const auto& wanted) {
  uint64_t gone = 0;
  for (auto it = entries_.begin(); it != entries_.end() && wanted(it->first);) {
    if (references == ModelReferences::kRespect && Referenced(it->first, nullptr)) {
      ++it;
      continue;
    }
    if (references == ModelReferences::kDelete) Forget(it->first);
    it = entries_.erase(it);
    ++gone;
  }
  return gone;
}

Reply StreamModel::Add(ModelId id, const std::string& value) {
  if (id <= last_) {
    return Error("ERR The ID specified in XADD is equal or smaller than the target stream top item");
  }
  entries_[id] = value;
  last_ = id;
  return Bulk(Text(id));
}

Reply StreamModel::AddTrimming(ModelId id, const std::string& value, uint64_t length,
                               ModelReferences references) {
  const Reply reply = Add(id, value);
  if (reply.type == Reply::Type::kBulk) {
    TrimWhile(references, [&](ModelId) { return entries_.size() > length; });
  }
  return reply;
}

Reply StreamModel::Trim(ModelId min_id, ModelReferences references) {
  return Integer(TrimWhile(references, [&](ModelId id) { return id < min_id; }));
}

Reply StreamModel::Delete(const ModelIds& ids, ModelReferences references) {
  std::vector<Reply> fates;
  for (ModelId id : ids) {
    if (references == ModelReferences::kRespect && Referenced(id, nullptr)) {
      fates.push_back(Integer(2));
      continue;
    }
    if (references == ModelReferences::kDelete) Forget(id);
    fates.push_back(entries_.erase(id) != 0 ? Integer(1) : Integer(UINT64_MAX));
  }
  return Array(std::move(fates));
}

Reply StreamModel::AckDelete(const std::string& name, const ModelIds& ids, ModelReferences references) {
  std::vector<Reply> fates;
  const auto group = groups_.find(name);
  for (ModelId id : ids) {
    if (group == groups_.end() || group->second.pending.erase(id) == 0) {
      fates.push_back(Integer(UINT64_MAX));
    } else if (references == ModelReferences::kRespect && Referenced(id, &group->second)) {
      fates.push_back(Integer(2));
    } else {
      if (references == ModelReferences::kDelete) Forget(id);
      entries_.erase(id);
      fates.push_back(Integer(1));
    }
  }
  return Array(std::move(fates));
}

Reply StreamModel::Ack(const std::string& name, const ModelIds& ids) {
  const auto group = groups_.find(name);
  uint64_t gone = 0;
  for (ModelId id : ids) gone += group == groups_.end() ? 0 : group->second.pending.erase(id);
  return Integer(gone);
}

Reply StreamModel::Create(const std::string& name, ModelId start) {
  if (groups_.contains(name)) return Error("BUSYGROUP Consumer Group name already exists");
  groups_[name].last = start;
  return Ok();
}

Reply StreamModel::SetId(const std::string& name, ModelId start) {
  if (!groups_.contains(name)) return Error("NOGROUP No such consumer group '" + name + "' for key name 's'");
  groups_[name].last = start;
  return Ok();
}

Reply StreamModel::Destroy(const std::string& name) {
  return Integer(groups_.erase(name));
}

Reply StreamModel::DeleteConsumer(const std::string& name, const std::string& consumer) {
  const auto group = groups_.find(name);
  if (group == groups_.end()) return Error("NOGROUP No such consumer group '" + name + "' for key name 's'");
  group->second.consumers.erase(consumer);
  return Integer(
      std::erase_if(group->second.pending, [&](const auto& e) { return e.second.consumer == consumer; }));
}

Reply StreamModel::ReadNew(const std::string& name, const std::string& consumer, uint64_t count, bool no_ack,
                           std::optional<uint64_t> claim_idle_ms) {
  const auto found = groups_.find(name);
  if (found == groups_.end()) return NoGroup(name, " in XREADGROUP with GROUP option");
  Group& group = found->second;
  group.consumers.insert(consumer);
  std::vector<Reply> shown;
  if (claim_idle_ms) {
    // Who waits longest: first what is nobody's, as it was given back; then by time of delivery.
    std::vector<ModelId> order;
    for (const auto& [id, entry] : group.pending) order.push_back(id);
    const auto rank = [&](ModelId id) {
      const PendingEntry& entry = group.pending.at(id);
      const bool owned = !entry.consumer.empty();
      return std::tuple(owned, owned ? entry.delivered_ms : entry.turn, id);
    };
    std::sort(order.begin(), order.end(), [&](ModelId a, ModelId b) { return rank(a) < rank(b); });
    for (ModelId id : order) {
      PendingEntry& entry = group.pending.at(id);
      if (!entries_.contains(id) || !Idle(entry, *claim_idle_ms) || shown.size() == count) continue;
      Reply reply = Entry(id);
      reply.elements.push_back(Integer(now_ms - entry.delivered_ms));
      reply.elements.push_back(Integer(entry.count));
      shown.push_back(reply);
      entry = {consumer, now_ms, std::min(entry.count + 1, kMostDeliveries), 0};
    }
  }
  for (auto it = entries_.upper_bound(group.last); it != entries_.end() && shown.size() < count; ++it) {
    Reply reply = Entry(it->first);
    if (claim_idle_ms) reply.elements.insert(reply.elements.end(), {Integer(0), Integer(0)});
    shown.push_back(reply);
    group.last = it->first;
    if (!no_ack) group.pending[it->first] = {consumer, now_ms, 1, 0};
  }
  if (shown.empty()) return {Reply::Type::kNullArray, "", {}};
  return Array({Array({Bulk("s"), Array(std::move(shown))})});
}

Reply StreamModel::ReadHistory(const std::string& name, const std::string& consumer, ModelId after) {
  const auto found = groups_.find(name);
  if (found == groups_.end()) return NoGroup(name, " in XREADGROUP with GROUP option");
  found->second.consumers.insert(consumer);
  std::vector<Reply> shown;
  for (auto& [id, entry] : found->second.pending) {
    if (entry.consumer != consumer || id <= after) continue;
    if (!entries_.contains(id)) {
      shown.push_back(Array({Bulk(Text(id)), {Reply::Type::kNullArray, "", {}}}));
      continue;
    }
    shown.push_back(Entry(id));
    entry.delivered_ms = now_ms;
    entry.count = std::min(entry.count + 1, kMostDeliveries);
  }
  return Array({Array({Bulk("s"), Array(std::move(shown))})});
}

Reply StreamModel::Claim(const std::string& name, const std::string& consumer, uint64_t min_idle_ms,
                         const ModelIds& ids, bool force) {
  const auto found = groups_.find(name);
  if (found == groups_.end()) return NoGroup(name);
  Group& group = found->second;
  group.consumers.insert(consumer);
  std::vector<Reply> shown;
  for (ModelId id : ids) {
    if (!entries_.contains(id)) {
      group.pending.erase(id);
      continue;
    }
    if (!group.pending.contains(id)) {
      if (!force) continue;
      group.pending[id].count = 1;
    } else if (!Idle(group.pending[id], min_idle_ms)) {
      continue;
    }
    PendingEntry& entry = group.pending[id];
    entry = {consumer, now_ms, std::min(entry.count + 1, kMostDeliveries), 0};
    shown.push_back(Entry(id));
  }
  return Array(std::move(shown));
}

Reply StreamModel::AutoClaim(const std::string& name, const std::string& consumer, uint64_t min_idle_ms,
                             uint64_t count) {
  const auto found = groups_.find(name);
  if (found == groups_.end()) return NoGroup(name);
  Group& group = found->second;
  group.consumers.insert(consumer);
  std::vector<Reply> shown;
  std::vector<Reply> gone;
  uint64_t looks = count * 10;
  auto it = group.pending.begin();
  while (it != group.pending.end() && shown.size() + gone.size() < count && looks-- > 0) {
    if (!entries_.contains(it->first)) {
      gone.push_back(Bulk(Text(it->first)));
      it = group.pending.erase(it);
      continue;
    }
    if (Idle(it->second, min_idle_ms)) {
      it->second = {consumer, now_ms, std::min(it->second.count + 1, kMostDeliveries), 0};
      shown.push_back(Entry(it->first));
    }
    ++it;
  }
  const ModelId cursor = it == group.pending.end() ? ModelId{0, 0} : it->first;
  return Array({Bulk(Text(cursor)), Array(std::move(shown)), Array(std::move(gone))});
}

Reply StreamModel::GiveBack(const std::string& name, Verdict verdict, const ModelIds& ids, bool force) {
  const auto found = groups_.find(name);
  if (found == groups_.end()) return NoGroup(name);
  std::set<ModelId> given;
  for (ModelId id : ids) {
    const bool is_pending = found->second.pending.contains(id);
    if (!is_pending && !(force && entries_.contains(id))) continue;
    if (!given.insert(id).second) continue;
    PendingEntry& entry = found->second.pending[id];
    entry.consumer.clear();
    entry.delivered_ms = 0;
    entry.turn = ++turns_;
    if (verdict == Verdict::kFatal) entry.count = kMostDeliveries;
    if (verdict == Verdict::kSilent && entry.count > 0) --entry.count;
  }
  return Integer(given.size());
}

Reply StreamModel::Range() const {
  std::vector<Reply> all;
  for (const auto& [id, value] : entries_) all.push_back(Entry(id));
  return Array(std::move(all));
}

Reply StreamModel::Pending(const std::string& name) const {
  const auto found = groups_.find(name);
  if (found == groups_.end()) return NoGroup(name);
  std::vector<Reply> all;
  for (const auto& [id, entry] : found->second.pending) {
    const uint64_t idle = entry.consumer.empty() ? UINT64_MAX : now_ms - entry.delivered_ms;
    all.push_back(Array({Bulk(Text(id)), Bulk(entry.consumer), Integer(idle), Integer(entry.count)}));
  }
  return Array(std::move(all));
}

Reply StreamModel::Lag(const std::string& name) const {
  const auto found = groups_.find(name);
  if (found == groups_.end()) return {};
  return Integer(
      static_cast<uint64_t>(std::distance(entries_.upper_bound(found->second.last), entries_.end())));
}

}  // namespace sluice::tests
