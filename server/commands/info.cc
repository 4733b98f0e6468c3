// INFO: the server in figures, under Redis's names where Redis has one.
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <vector>

#include "server/commands/acl_users.h"
#include "server/commands/arguments.h"
#include "server/commands/diagnostics.h"
#include "server/commands/handlers.h"
#include "server/commands/info_lines.h"
#include "server/commands/process_memory.h"
#include "server/commands/subscriptions.h"

namespace sluice::commands {
namespace {

using Lines = InfoLines;

std::string Human(uint64_t bytes) {
  char text[32];
  const double value = static_cast<double>(bytes);
  if (bytes < 1024) {
    std::snprintf(text, sizeof text, "%lluB", static_cast<unsigned long long>(bytes));
  } else if (bytes < 1024 * 1024) {
    std::snprintf(text, sizeof text, "%.2fK", value / 1024);
  } else if (bytes < 1024ull * 1024 * 1024) {
    std::snprintf(text, sizeof text, "%.2fM", value / (1024 * 1024));
  } else {
    std::snprintf(text, sizeof text, "%.2fG", value / (1024.0 * 1024 * 1024));
  }
  return text;
}

void Server(Context& ctx, Lines& lines) {
  const HostFacts facts = ctx.host.Facts();
  utsname system{};
  uname(&system);
  const uint64_t uptime =
      ctx.now.unix_ms() > facts.started_unix_ms ? (ctx.now.unix_ms() - facts.started_unix_ms) / 1000 : 0;
  lines.Add("redis_version", "7.4.0");
  lines.Add("sluice_version", SLUICE_VERSION);
  lines.Add("redis_mode", "standalone");
  lines.Add("os", errors::Concat({system.sysname, " ", system.release, " ", system.machine}));
  lines.Add("arch_bits", "64");
  lines.Add("multiplexing_api", facts.multiplexing_api);
  lines.Add("process_id", static_cast<uint64_t>(facts.process_id));
  lines.Add("run_id", facts.run_id);
  lines.Add("tcp_port", facts.tcp_port);
  lines.Add("server_time_usec", ctx.now.unix_us);
  lines.Add("uptime_in_seconds", uptime);
  lines.Add("uptime_in_days", uptime / 86400);
  lines.Add("executable", facts.executable);
  lines.Add("config_file", facts.config_file);
}

void Clients(Context& ctx, Lines& lines) {
  const HostFacts facts = ctx.host.Facts();
  uint64_t pubsub = 0, watching = 0, input = 0, output = 0;
  ctx.host.ForEachSession([&](Session& session) {
    pubsub += session.subscriptions != nullptr;
    watching += !session.watched.empty();
    input = std::max<uint64_t>(input, session.query_buffer);
    output = std::max<uint64_t>(output, session.output.size() + session.writing_bytes);
  });
  lines.Add("connected_clients", facts.connected_clients);
  lines.Add("cluster_connections", uint64_t{0});
  lines.Add("maxclients", facts.max_clients);
  lines.Add("client_recent_max_input_buffer", input);
  lines.Add("client_recent_max_output_buffer", output);
  lines.Add("blocked_clients", ctx.statistics().blocked);
  lines.Add("tracking_clients", uint64_t{0});
  lines.Add("pubsub_clients", pubsub);
  lines.Add("watching_clients", watching);
  lines.Add("monitor_clients", ctx.monitors());
}

std::string Ratio(uint64_t part, uint64_t whole) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f",
                whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

void Memory(Context& ctx, Lines& lines) {
  const ProcessMemory memory = ReadProcessMemory();
  const uint64_t limit = ctx.host.settings().max_memory;
  const uint64_t system =
      static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  lines.Add("used_memory", memory.allocated);
  lines.Add("used_memory_human", Human(memory.allocated));
  lines.Add("used_memory_rss", memory.resident);
  lines.Add("used_memory_rss_human", Human(memory.resident));
  lines.Add("used_memory_rss_anon", memory.anonymous);
  lines.Add("used_memory_peak", memory.peak);
  lines.Add("used_memory_peak_human", Human(memory.peak));
  lines.Add("total_system_memory", system);
  lines.Add("total_system_memory_human", Human(system));
  lines.Add("maxmemory", limit);
  lines.Add("maxmemory_human", Human(limit));
  lines.Add("maxmemory_policy", "noeviction");
  lines.Add("mem_fragmentation_ratio", Ratio(memory.resident, memory.allocated));
  uint64_t clients = 0;
  ctx.host.ForEachSession([&](Session& session) { clients += session.memory_bytes(); });
  lines.Add("mem_clients_slaves", uint64_t{0});
  lines.Add("mem_clients_normal", clients);
  lines.Add("mem_allocator", "libc");
}

// Redis's words for what there is here: a checkpoint is its RDB file, and, asked for with BGREWRITEAOF, its
// rewritten AOF.
void Checkpoints(Context& ctx, Lines& lines) {
  const engine::Checkpointer& checkpointer = ctx.journal().checkpointer();
  const engine::CheckpointStatus& status = checkpointer.status();
  const bool rewriting = status.under_way && status.reason == engine::CheckpointReason::kRewrite;
  const bool saving = status.under_way && !rewriting;
  const auto seconds = [](uint64_t ms) { return std::to_string(ms / 1000); };
  const uint64_t since = ctx.now.unix_ms() - std::min(ctx.now.unix_ms(), status.began_unix_ms);
  const std::string took = status.finished == 0 ? "-1" : seconds(status.last_took_ms);
  const std::string outcome = status.last_failed ? "err" : "ok";
  const uint64_t last_save =
      status.last_unix_ms != 0 ? status.last_unix_ms : ctx.host.Facts().started_unix_ms;
  lines.Add("rdb_changes_since_last_save", checkpointer.changes());
  lines.Add("rdb_bgsave_in_progress", uint64_t{saving});
  lines.Add("rdb_last_save_time", seconds(last_save));
  lines.Add("rdb_last_bgsave_status", outcome);
  lines.Add("rdb_last_bgsave_time_sec", took);
  lines.Add("rdb_current_bgsave_time_sec", saving ? seconds(since) : "-1");
  lines.Add("rdb_saves", status.made);
  lines.Add("aof_enabled", uint64_t{1});
  lines.Add("aof_rewrite_in_progress", uint64_t{rewriting});
  lines.Add("aof_rewrite_scheduled", uint64_t{status.scheduled});
  lines.Add("aof_last_rewrite_time_sec", took);
  lines.Add("aof_current_rewrite_time_sec", rewriting ? seconds(since) : "-1");
  lines.Add("aof_last_bgrewrite_status", outcome);
  lines.Add("aof_rewrites", status.rewrites);
  lines.Add("aof_last_write_status", ctx.log().failure() ? "err" : "ok");
  lines.Add("aof_current_size", storage::Value(ctx.log().tail()));
  lines.Add("aof_base_size", storage::Value(status.newest.lsn));
  lines.Add("checkpoint_in_progress", uint64_t{status.under_way});
  lines.Add("checkpoint_last_lsn", storage::Value(status.newest.lsn));
  lines.Add("checkpoint_last_bytes", status.last_bytes);
  lines.Add("checkpoint_last_msec", status.last_took_ms);
  lines.Add("checkpoint_last_error", status.last_error);
  lines.Add("checkpoint_log_bytes", checkpointer.log_bytes());
  const storage::CompactionStatus& compaction = ctx.journal().compactor().status();
  lines.Add("compaction_in_progress", uint64_t{compaction.under_way});
  lines.Add("compaction_passes", compaction.passes);
  lines.Add("compaction_segments_rewritten", compaction.segments_rewritten);
  lines.Add("compaction_segments_removed", compaction.segments_removed);
  lines.Add("compaction_bytes_freed", compaction.bytes_freed);
  lines.Add("compaction_last_error", compaction.last_error);
}

void Persistence(Context& ctx, Lines& lines) {
  const storage::CommitStats stats = ctx.log().stats();
  lines.Add("loading", uint64_t{0});
  Checkpoints(ctx, lines);
  lines.Add("log_id", std::to_string(ctx.log().log_id()));
  lines.Add("log_tail_lsn", storage::Value(ctx.log().tail()));
  lines.Add("log_committed_lsn", storage::Value(ctx.log().committed()));
  lines.Add("log_segments", stats.segments);
  lines.Add("commit_path", stats.path);
  lines.Add("commit_direct_io", stats.direct ? "1" : "0");
  lines.Add("commit_batches", stats.batches);
  lines.Add("commit_bytes", stats.bytes);
  lines.Add("commit_median_usec", stats.median_us);
  const storage::ColdReadStatus cold = ctx.journal().cold_reads().status();
  lines.Add("cold_reads", cold.waited);
  lines.Add("cold_reads_in_place", cold.in_place);
  lines.Add("cold_read_bytes", cold.bytes);
  lines.Add("cold_read_buffer_bytes", cold.buffer_bytes);
  lines.Add("recovery", ctx.host.Facts().recovery);
}

std::string Kilobytes(uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", static_cast<double>(bytes) / 1024);
  return text;
}

void Stats(Context& ctx, Lines& lines) {
  const HostFacts facts = ctx.host.Facts();
  lines.Add("total_connections_received", facts.connections_received);
  lines.Add("total_commands_processed", ctx.statistics().commands);
  lines.Add("instantaneous_ops_per_sec", ctx.diagnostics().commands_rate.per_second());
  lines.Add("total_net_input_bytes", facts.input_bytes);
  lines.Add("total_net_output_bytes", facts.output_bytes);
  lines.Add("instantaneous_input_kbps", Kilobytes(facts.input_bytes_per_second));
  lines.Add("instantaneous_output_kbps", Kilobytes(facts.output_bytes_per_second));
  lines.Add("rejected_connections", facts.connections_rejected);
  lines.Add("expired_keys", ctx.statistics().expired);
  lines.Add("evicted_keys", uint64_t{0});
  lines.Add("retention_trimmed_entries", ctx.statistics().retention_trimmed);
  lines.Add("evicted_clients", facts.clients_evicted);
  lines.Add("keyspace_hits", ctx.statistics().keyspace_hits);
  lines.Add("keyspace_misses", ctx.statistics().keyspace_misses);
  lines.Add("pubsub_channels", ctx.subscriptions().size(ChannelKind::kChannel));
  lines.Add("pubsub_patterns", ctx.subscriptions().size(ChannelKind::kPattern));
  lines.Add("pubsubshard_channels", ctx.subscriptions().size(ChannelKind::kShard));
  lines.Add("latest_fork_usec", uint64_t{0});
  lines.Add("total_forks", uint64_t{0});
  lines.Add("total_error_replies", ctx.statistics().errors);
  char ticks[96];
  std::snprintf(ticks, sizeof ticks, "p50=%.0f,p99=%.0f,p99.9=%.0f,max=%.0f", facts.ticks.p50_us,
                facts.ticks.p99_us, facts.ticks.p999_us, facts.ticks.longest_us);
  lines.Add("eventloop_cycles", facts.ticks.count);
  lines.Add("eventloop_duration_sum", static_cast<uint64_t>(facts.ticks.sum_us));
  lines.Add("eventloop_duration_percentiles_usec", ticks);
  lines.Add("client_query_buffer_limit_disconnections", facts.query_buffer_closed);
  lines.Add("client_output_buffer_limit_disconnections", facts.output_buffer_closed);
  lines.Add("protocol_errors", facts.protocol_errors);
  const acl::DenialCounts& denied = ctx.host.users().log().counts();
  lines.Add("acl_access_denied_auth", denied.passwords);
  lines.Add("acl_access_denied_cmd", denied.commands);
  lines.Add("acl_access_denied_key", denied.keys);
  lines.Add("acl_access_denied_channel", denied.channels);
}

void Replication(Context&, Lines& lines) {
  lines.Add("role", "master");
  lines.Add("connected_slaves", uint64_t{0});
}

void Cpu(Context&, Lines& lines) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& time) {
    char text[32];
    std::snprintf(text, sizeof text, "%ld.%06ld", static_cast<long>(time.tv_sec),
                  static_cast<long>(time.tv_usec));
    return std::string(text);
  };
  lines.Add("used_cpu_sys", seconds(usage.ru_stime));
  lines.Add("used_cpu_user", seconds(usage.ru_utime));
}

// There are none, and cannot be any.
void Modules(Context&, Lines&) {}

void Cluster(Context&, Lines& lines) {
  lines.Add("cluster_enabled", uint64_t{0});
}

void Keyspace(Context& ctx, Lines& lines) {
  for (uint8_t db = 0; db < engine::kDatabases; ++db) {
    const size_t keys = ctx.engine.keys().size(db);
    if (keys == 0) continue;
    lines.Add("db" + std::to_string(db),
              errors::Concat({"keys=", std::to_string(keys),
                              ",expires=", std::to_string(ctx.engine.keys().expiring(db)), ",avg_ttl=0"}));
  }
}

// When a section is shown unless it is named.
enum class Shown : uint8_t { kByDefault, kInAll, kInEverything };

struct SectionRow {
  std::string_view name;
  void (*write)(Context&, Lines&);
  Shown shown = Shown::kByDefault;
};

constexpr SectionRow kSections[] = {
    {"Server", Server},
    {"Clients", Clients},
    {"Memory", Memory},
    {"Persistence", Persistence},
    {"Stats", Stats},
    {"Replication", Replication},
    {"CPU", Cpu},
    {"Modules", Modules, Shown::kInEverything},
    {"Commandstats", InfoCommandstats, Shown::kInAll},
    {"Errorstats", InfoErrorstats},
    {"Latencystats", InfoLatencystats, Shown::kInAll},
    {"Cluster", Cluster},
    {"Keyspace", Keyspace},
};

bool Wanted(Context& ctx, const SectionRow& section) {
  if (ctx.argc() == 1) return section.shown == Shown::kByDefault;
  for (size_t i = 1; i < ctx.argc(); ++i) {
    const std::string word = ToLower(ctx.arg(i));
    if (word == ToLower(section.name) || word == "everything") return true;
    if (word == "all" && section.shown != Shown::kInEverything) return true;
    if (word == "default" && section.shown == Shown::kByDefault) return true;
  }
  return false;
}

}  // namespace

void Info(Context& ctx) {
  Lines lines;
  for (const SectionRow& section : kSections) {
    if (!Wanted(ctx, section)) continue;
    lines.Section(section.name);
    section.write(ctx, lines);
  }
  ctx.reply.Verbatim("txt", lines.text());
}

}  // namespace sluice::commands
