#include <algorithm>

#include "server/engine/stream.h"

namespace sluice::engine {

std::optional<StreamId> Stream::PlanTrim(const Trim& trim, std::optional<StreamId> coming) const {
  const uint64_t length = length_ + (coming ? 1 : 0);
  if (trim.kind == Trim::kNone || length == 0) return std::nullopt;
  if (trim.approximate) return PlanNodes(trim, coming);
  if (trim.kind == Trim::kMinId) {
    const StreamId first = length_ != 0 ? first_ : *coming;
    return first < trim.min_id ? Previous(trim.min_id) : std::nullopt;
  }
  if (length <= trim.max_length) return std::nullopt;
  const uint64_t excess = length - trim.max_length;
  return excess > length_ ? *coming : Select(excess - 1);
}

std::optional<StreamId> Stream::PlanNodes(const Trim& trim, std::optional<StreamId> coming) const {
  const uint64_t ranks = appended_ + (coming ? 1 : 0);
  uint64_t left = length_ + (coming ? 1 : 0);
  uint64_t taken = 0;
  std::optional<StreamId> last;
  for (uint64_t rank = length_ != 0 ? RankOf(first_) : appended_; rank < ranks;) {
    const Node node = NodeAt(rank, trim.node_entries, coming);
    if (!TakesNode(trim, node, left, taken)) break;
    last = node.last;
    taken += node.live;
    left -= node.live;
    rank = node.end;
  }
  return last;
}

Stream::Node Stream::NodeAt(uint64_t rank, uint64_t node_entries, std::optional<StreamId> coming) const {
  Node node;
  const uint64_t in_node = (rank - node_base_) % node_entries;
  node.end = std::min(rank - in_node + node_entries, appended_ + (coming ? 1 : 0));
  node.last = node.end > appended_ ? *coming : IdOfRank(node.end - 1);
  node.live = node.end - rank;
  if (rank < appended_) node.live -= DeletedBetween(IdOfRank(rank), node.last);
  return node;
}

bool Stream::TakesNode(const Trim& trim, const Node& node, uint64_t left, uint64_t taken) {
  if (trim.kind == Trim::kMaxLength && (left <= trim.max_length || left - node.live < trim.max_length))
    return false;
  if (trim.kind == Trim::kMinId && node.last >= trim.min_id) return false;
  return trim.limit == 0 || taken + node.live <= trim.limit;
}

std::vector<StreamId> Stream::PlanSelectiveTrim(const Trim& trim, std::optional<StreamId> coming,
                                                const std::function<bool(StreamId)>& keep) const {
  std::vector<StreamId> taken;
  const uint64_t length = length_ + (coming ? 1 : 0);
  // False where trimming ends before `id`.
  uint64_t node_end = length_ != 0 ? RankOf(first_) : appended_;
  auto look_at = [&](StreamId id) {
    const uint64_t left = length - taken.size();
    if (trim.approximate) {
      const uint64_t rank = coming && id == *coming ? appended_ : RankOf(id);
      if (rank >= node_end) {
        const Node node = NodeAt(rank, trim.node_entries, coming);
        if (!TakesNode(trim, node, left, taken.size())) return false;
        node_end = node.end;
      }
    } else if (trim.kind == Trim::kMaxLength ? left <= trim.max_length : id >= trim.min_id) {
      return false;
    }
    if (!keep(id)) taken.push_back(id);
    return true;
  };
  bool more = true;
  Scan(kMinStreamId, kMaxStreamId, [&](StreamId id, storage::Place) { return more = look_at(id); });
  if (more && coming) look_at(*coming);
  return taken;
}

uint64_t Stream::Nodes(uint64_t node_entries) const {
  if (length_ == 0) return 0;
  const uint64_t first = RankOf(first_) - node_base_;
  const uint64_t last = appended_ - 1 - node_base_;
  return last / node_entries - first / node_entries + 1;
}

}  // namespace sluice::engine
