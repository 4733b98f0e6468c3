#include "server/admin/metrics_snapshot.h"

#include <array>
#include <charconv>

#include "server/admin/metrics_text.h"
#include "server/commands/seckill_code.h"

namespace sluice::admin {
namespace {

double Seconds(uint64_t ms) {
  return static_cast<double>(ms) / 1000;
}

void Connections(const MetricsSnapshot& now, MetricsText& text) {
  const commands::HostFacts& host = now.host;
  text.Gauge("sluice_info", "Which server this is.");
  text.Sample(uint64_t{1}, {{"version", SLUICE_VERSION}, {"run_id", host.run_id}});
  text.Gauge("sluice_start_time_seconds", "When it started, as unix time.");
  text.Sample(Seconds(host.started_unix_ms));
  text.Gauge("sluice_connections", "Clients connected now.");
  text.Sample(host.connected_clients);
  text.Gauge("sluice_max_connections", "Clients that may be connected at once.");
  text.Sample(host.max_clients);
  text.Gauge("sluice_blocked_clients", "Clients that wait in a blocking read.");
  text.Sample(now.statistics.blocked);
  text.Counter("sluice_connections_received_total", "Connections accepted.");
  text.Sample(host.connections_received);
  text.Counter("sluice_connections_rejected_total", "Connections turned away at maxclients.");
  text.Sample(host.connections_rejected);
  text.Counter("sluice_connections_closed_total", "Clients closed at a limit or for what they sent.");
  text.Sample(host.query_buffer_closed, {{"why", "query_buffer"}});
  text.Sample(host.output_buffer_closed, {{"why", "output_buffer"}});
  text.Sample(host.protocol_errors, {{"why", "protocol_error"}});
  text.Counter("sluice_network_bytes_total", "Bytes of requests and replies.");
  text.Sample(host.input_bytes, {{"direction", "in"}});
  text.Sample(host.output_bytes, {{"direction", "out"}});
}

void Commands(const MetricsSnapshot& now, MetricsText& text) {
  text.Counter("sluice_commands_total", "Commands executed.");
  text.Sample(now.statistics.commands);
  text.Counter("sluice_error_replies_total", "Replies that were errors.");
  text.Sample(now.statistics.errors);
  text.Counter("sluice_expired_keys_total", "Keys whose time to live was over.");
  text.Sample(now.statistics.expired);
  text.Counter("sluice_retention_trimmed_entries_total",
               "Entries that were beyond their stream's retention.");
  text.Sample(now.statistics.retention_trimmed);
  text.Gauge("sluice_keys", "Keys in all databases.");
  text.Sample(now.keys);
}

void Commits(const MetricsSnapshot& now, MetricsText& text) {
  const storage::CommitStats& commits = now.commits;
  text.Counter("sluice_log_bytes_total", "The log's length so far: its tail's LSN.");
  text.Sample(now.log_tail);
  text.Gauge("sluice_log_segments", "Files of the log.");
  text.Sample(commits.segments);
  text.Gauge("sluice_log_uncommitted_bytes", "Recorded, and not committed yet.");
  text.Sample(now.uncommitted_bytes);
  text.Counter("sluice_commit_bytes_total", "Bytes written by commits, whole blocks.");
  text.Sample(commits.bytes);
  text.Histogram("sluice_commit_duration_seconds", "From a batch's submission until its end was noticed.");
  uint64_t count = 0;
  for (size_t i = 0; i < commits.durations.buckets.size(); ++i) {
    count += commits.durations.buckets[i];
    const bool last = i + 1 == commits.durations.buckets.size();
    std::array<char, 32> bound;
    const double seconds = static_cast<double>(uint64_t{1} << i) / 1e6;
    const auto end = std::to_chars(bound.data(), bound.data() + bound.size(), seconds).ptr;
    const std::string_view le =
        last ? "+Inf" : std::string_view(bound.data(), static_cast<size_t>(end - bound.data()));
    text.Sample(count, {{"le", le}}, "_bucket");
  }
  text.Sample(static_cast<double>(commits.durations.sum_us) / 1e6, {}, "_sum");
  text.Sample(count, {}, "_count");
}

void Streams(const KeyFigures& keys, MetricsText& text) {
  text.Gauge("sluice_stream_length", "Messages that the stream holds.");
  for (const StreamFigures& row : keys.streams) {
    text.Sample(row.length, {{"db", std::to_string(row.db)}, {"key", row.key}});
  }
  const auto of_groups = [&](std::string_view name, std::string_view help, uint64_t GroupFigures::*figure) {
    text.Gauge(name, help);
    for (const GroupFigures& row : keys.groups) {
      text.Sample(row.*figure, {{"db", std::to_string(row.db)}, {"key", row.key}, {"group", row.group}});
    }
  };
  of_groups("sluice_group_lag", "Messages that the group has not been given yet.", &GroupFigures::lag);
  of_groups("sluice_group_pending", "Messages given and not acknowledged.", &GroupFigures::pending);
  text.Gauge("sluice_group_oldest_pending_seconds",
             "Since the last delivery of the pending message that has waited longest; absent where none is.");
  for (const GroupFigures& row : keys.groups) {
    if (!row.oldest_pending_ms) continue;
    text.Sample(Seconds(*row.oldest_pending_ms),
                {{"db", std::to_string(row.db)}, {"key", row.key}, {"group", row.group}});
  }
}

void Items(const KeyFigures& keys, MetricsText& text) {
  const auto of_items = [&](uint64_t ItemFigures::*figure) {
    for (const ItemFigures& row : keys.items) {
      text.Sample(row.*figure, {{"db", std::to_string(row.db)}, {"key", row.key}});
    }
  };
  text.Gauge("sluice_item_total", "Pieces that the item ever had.");
  of_items(&ItemFigures::total);
  text.Gauge("sluice_item_available", "Pieces that can be bought.");
  of_items(&ItemFigures::available);
  text.Gauge("sluice_item_held", "Pieces held for orders that are not confirmed.");
  of_items(&ItemFigures::held);
  text.Gauge("sluice_item_sold", "Pieces sold.");
  of_items(&ItemFigures::sold);
  text.Counter("sluice_item_orders_total", "Orders taken.");
  of_items(&ItemFigures::orders);
  text.Counter("sluice_item_tries_total", "Tries to buy, by what they were answered.");
  static_assert(commands::kTryNames.size() == engine::SaleStatistics::kCodes);
  for (const ItemFigures& row : keys.items) {
    const std::string db = std::to_string(row.db);
    for (size_t i = 0; i < row.tries.size(); ++i) {
      text.Sample(row.tries[i], {{"db", db}, {"key", row.key}, {"answer", commands::kTryNames[i]}});
    }
  }
}

}  // namespace

std::string RenderMetrics(const MetricsSnapshot& snapshot) {
  MetricsText text;
  Connections(snapshot, text);
  Commands(snapshot, text);
  Commits(snapshot, text);
  if (snapshot.by_key != nullptr) {
    const KeyFigures& keys = *snapshot.by_key;
    text.Gauge("sluice_metrics_age_seconds", "How old the figures of streams, groups and items are.");
    text.Sample(Seconds(snapshot.taken_ms - keys.taken_ms));
    text.Gauge("sluice_metrics_left_out", "Streams, groups and items beyond metrics-max-series.");
    text.Sample(keys.left_out);
    Streams(keys, text);
    Items(keys, text);
  }
  return text.text();
}

}  // namespace sluice::admin
