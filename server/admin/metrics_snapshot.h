// What /metrics tells: figures that the loop took at one moment, ready to be handed to another thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/commands/diagnostics.h"
#include "server/commands/host.h"
#include "server/engine/stock_item.h"
#include "storage/log.h"

namespace sluice::admin {

struct StreamFigures {
  uint8_t db = 0;
  std::string key;
  uint64_t length = 0;
};

struct GroupFigures {
  uint8_t db = 0;
  std::string key;
  std::string group;
  uint64_t lag = 0;
  uint64_t pending = 0;
  // Since the last delivery of what waits longest for its acknowledgement; nullopt: nobody has anything.
  std::optional<uint64_t> oldest_pending_ms;
};

struct ItemFigures {
  uint8_t db = 0;
  std::string key;
  uint64_t total = 0;
  uint64_t available = 0;
  uint64_t held = 0;
  uint64_t sold = 0;
  uint64_t orders = 0;
  std::array<uint64_t, engine::SaleStatistics::kCodes> tries{};  // by commands::kTryNames
};

// Of keys: the outcome of one walk over all of them.
struct KeyFigures {
  uint64_t taken_ms = 0;  // monotonic; when the walk ended
  std::vector<StreamFigures> streams;
  std::vector<GroupFigures> groups;
  std::vector<ItemFigures> items;
  uint64_t left_out = 0;  // series beyond metrics-max-series, or with names too long for a label
};

struct MetricsSnapshot {
  uint64_t taken_ms = 0;  // monotonic
  commands::HostFacts host;
  commands::ServerStatistics statistics;
  storage::CommitStats commits;
  uint64_t uncommitted_bytes = 0;
  uint64_t log_tail = 0;
  uint64_t keys = 0;
  std::shared_ptr<const KeyFigures> by_key;  // null until the first walk has ended
};

// The snapshot in Prometheus's text format (version 0.0.4).
std::string RenderMetrics(const MetricsSnapshot& snapshot);

}  // namespace sluice::admin
