#include "server/redis_options.h"

#include <algorithm>
#include <array>

#include "server/config.h"
#include "server/option_kinds.h"

namespace sluice {
namespace {

using option_kinds::SameName;

constexpr std::array kRows = {
    RedisOption{"active-defrag-cycle-max", "*",
                "memory here does not fragment with the backlog, which is on disk"},
    RedisOption{"active-defrag-cycle-min", "*",
                "memory here does not fragment with the backlog, which is on disk"},
    RedisOption{"active-defrag-ignore-bytes", "*",
                "memory here does not fragment with the backlog, which is on disk"},
    RedisOption{"active-defrag-max-scan-fields", "*",
                "memory here does not fragment with the backlog, which is on disk"},
    RedisOption{"active-defrag-threshold-lower", "*",
                "memory here does not fragment with the backlog, which is on disk"},
    RedisOption{"active-defrag-threshold-upper", "*",
                "memory here does not fragment with the backlog, which is on disk"},
    RedisOption{"active-expire-effort", "*", "keys end on time, by a table that is ordered by their ends"},
    RedisOption{"activedefrag", "*", "memory here does not fragment with the backlog, which is on disk"},
    RedisOption{"activerehashing", "*",
                "there is no periodic work to pace: tables grow in steps and timers are exact"},
    RedisOption{"always-show-logo", "*", "there is no logo"},
    RedisOption{"aof-disable-auto-gc", "*",
                "the log is the data: it needs no rewriting and no settings of an append-only file"},
    RedisOption{"aof-load-truncated", "*",
                "the log is the data: it needs no rewriting and no settings of an append-only file"},
    RedisOption{"aof-rewrite-incremental-fsync", "*",
                "the log is the data: it needs no rewriting and no settings of an append-only file"},
    RedisOption{"aof-timestamp-enabled", "*",
                "the log is the data: it needs no rewriting and no settings of an append-only file"},
    RedisOption{"aof-use-rdb-preamble", "*",
                "the log is the data: it needs no rewriting and no settings of an append-only file"},
    RedisOption{"aof_rewrite_cpulist", "\"\"",
                "threads are not pinned; use CPUAffinity= in the unit, or taskset"},
    RedisOption{"appenddirname", "*",
                "the log is the data: it needs no rewriting and no settings of an append-only file"},
    RedisOption{"appendfilename", "*",
                "the log is the data: it needs no rewriting and no settings of an append-only file"},
    RedisOption{"auto-aof-rewrite-min-size", "*",
                "the log is the data: it needs no rewriting and no settings of an append-only file"},
    RedisOption{"auto-aof-rewrite-percentage", "*",
                "the log is the data: it needs no rewriting and no settings of an append-only file"},
    RedisOption{"bgsave_cpulist", "\"\"", "threads are not pinned; use CPUAffinity= in the unit, or taskset"},
    RedisOption{"bind-source-addr", "\"\"", "there are no outgoing connections; remove the line"},
    RedisOption{"bio_cpulist", "\"\"", "threads are not pinned; use CPUAffinity= in the unit, or taskset"},
    RedisOption{"busy-reply-threshold", "*", "there are no scripts, so none can be too slow"},
    RedisOption{"cluster-allow-pubsubshard-when-down", "*",
                "it has a meaning only in a cluster, and this is not a node of one"},
    RedisOption{"cluster-allow-reads-when-down", "*",
                "it has a meaning only in a cluster, and this is not a node of one"},
    RedisOption{"cluster-allow-replica-migration", "*",
                "it has a meaning only in a cluster, and this is not a node of one"},
    RedisOption{"cluster-announce-bus-port", "*",
                "it has a meaning only in a cluster, and this is not a node of one"},
    RedisOption{"cluster-announce-hostname", "*",
                "it has a meaning only in a cluster, and this is not a node of one"},
    RedisOption{"cluster-announce-ip", "*",
                "it has a meaning only in a cluster, and this is not a node of one"},
    RedisOption{"cluster-announce-port", "*",
                "it has a meaning only in a cluster, and this is not a node of one"},
    RedisOption{"cluster-announce-tls-port", "*",
                "it has a meaning only in a cluster, and this is not a node of one"},
    RedisOption{"cluster-config-file", "*",
                "it has a meaning only in a cluster, and this is not a node of one"},
    RedisOption{"cluster-enabled", "no",
                "this is not a node of a cluster; remove the line, or give each server a share of the keys "
                "on the clients' side"},
    RedisOption{"cluster-link-sendbuf-limit", "*",
                "it has a meaning only in a cluster, and this is not a node of one"},
    RedisOption{"cluster-migration-barrier", "*",
                "it has a meaning only in a cluster, and this is not a node of one"},
    RedisOption{"cluster-node-timeout", "*",
                "it has a meaning only in a cluster, and this is not a node of one"},
    RedisOption{"cluster-port", "*", "it has a meaning only in a cluster, and this is not a node of one"},
    RedisOption{"cluster-preferred-endpoint-type", "*",
                "it has a meaning only in a cluster, and this is not a node of one"},
    RedisOption{"cluster-replica-no-failover", "*",
                "it has a meaning only in a cluster, and this is not a node of one"},
    RedisOption{"cluster-replica-validity-factor", "*",
                "it has a meaning only in a cluster, and this is not a node of one"},
    RedisOption{"cluster-require-full-coverage", "*",
                "it has a meaning only in a cluster, and this is not a node of one"},
    RedisOption{"cluster-slave-no-failover", "*",
                "it has a meaning only in a cluster, and this is not a node of one"},
    RedisOption{"cluster-slave-validity-factor", "*",
                "it has a meaning only in a cluster, and this is not a node of one"},
    RedisOption{"crash-log-enabled", "*", "a crash leaves a core dump where the system is told to keep one"},
    RedisOption{"crash-memcheck-enabled", "*",
                "a crash leaves a core dump where the system is told to keep one"},
    RedisOption{"dbfilename", "*", "there are no snapshot files: the log is the data"},
    RedisOption{
        "disable-thp", "*",
        "the log's buffers and the streams ask for huge pages on purpose; nothing forks, so they do no harm"},
    RedisOption{"dynamic-hz", "*",
                "there is no periodic work to pace: tables grow in steps and timers are exact"},
    RedisOption{"enable-module-command", "no|local|yes", "there are no modules, so MODULE cannot load one"},
    RedisOption{"enable-protected-configs", "no",
                "what Redis protects by it cannot be changed here while the server runs; remove the line"},
    RedisOption{"gopher-enabled", "no", "Gopher is not spoken; remove the line"},
    RedisOption{"hash-max-listpack-entries", "*", "there are no values of that type"},
    RedisOption{"hash-max-listpack-value", "*", "there are no values of that type"},
    RedisOption{"hash-max-ziplist-entries", "*", "there are no values of that type"},
    RedisOption{"hash-max-ziplist-value", "*", "there are no values of that type"},
    RedisOption{"hash-max-zipmap-entries", "*", "there are no values of that type"},
    RedisOption{"hash-max-zipmap-value", "*", "there are no values of that type"},
    RedisOption{"hll-sparse-max-bytes", "*", "there are no values of that type"},
    RedisOption{"hz", "*", "there is no periodic work to pace: tables grow in steps and timers are exact"},
    RedisOption{"ignore-warnings", "*", "there is none of the warnings that it is about"},
    RedisOption{"io-threads", "*", "one thread serves all clients, and costs less than Redis with several"},
    RedisOption{"io-threads-do-reads", "*",
                "one thread serves all clients, and costs less than Redis with several"},
    RedisOption{"jemalloc-bg-thread", "*",
                "memory here does not fragment with the backlog, which is on disk"},
    RedisOption{"latency-tracking-info-percentiles", "*",
                "latency is told by /metrics (metrics-port) and INFO"},
    RedisOption{"lazyfree-lazy-eviction", "*", "what is deleted is always freed in slices"},
    RedisOption{"lazyfree-lazy-expire", "*", "what is deleted is always freed in slices"},
    RedisOption{"lazyfree-lazy-server-del", "*", "what is deleted is always freed in slices"},
    RedisOption{"lazyfree-lazy-user-del", "*", "what is deleted is always freed in slices"},
    RedisOption{"lazyfree-lazy-user-flush", "*", "what is deleted is always freed in slices"},
    RedisOption{"lfu-decay-time", "*",
                "nothing is ever evicted: bound a stream by XTRIM or XADD MAXLEN instead"},
    RedisOption{"lfu-log-factor", "*",
                "nothing is ever evicted: bound a stream by XTRIM or XADD MAXLEN instead"},
    RedisOption{"list-compress-depth", "*", "there are no values of that type"},
    RedisOption{"list-max-listpack-size", "*", "there are no values of that type"},
    RedisOption{"list-max-ziplist-entries", "*", "there are no values of that type"},
    RedisOption{"list-max-ziplist-size", "*", "there are no values of that type"},
    RedisOption{"list-max-ziplist-value", "*", "there are no values of that type"},
    RedisOption{"loadmodule", "", "there are no modules; remove the line"},
    RedisOption{"lua-time-limit", "*", "there are no scripts, so none can be too slow"},
    RedisOption{"masterauth", "\"\"", "there is no replication yet; remove the line"},
    RedisOption{"masteruser", "\"\"", "there is no replication yet; remove the line"},
    RedisOption{"maxmemory-eviction-tenacity", "*",
                "nothing is ever evicted: bound a stream by XTRIM or XADD MAXLEN instead"},
    RedisOption{"maxmemory-samples", "*",
                "nothing is ever evicted: bound a stream by XTRIM or XADD MAXLEN instead"},
    RedisOption{"min-replicas-max-lag", "*", "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"min-replicas-to-write", "0", "there is no replication yet; remove the line"},
    RedisOption{"min-slaves-max-lag", "*", "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"min-slaves-to-write", "0", "there is no replication yet; remove the line"},
    RedisOption{"no-appendfsync-on-rewrite", "*",
                "the log is the data: it needs no rewriting and no settings of an append-only file"},
    RedisOption{"oom-score-adj", "no", "use OOMScoreAdjust= in the unit; remove the line"},
    RedisOption{"oom-score-adj-values", "*", "use OOMScoreAdjust= in the unit"},
    RedisOption{"proc-title-template", "*", "the process keeps the name that it was started with"},
    RedisOption{"propagation-error-behavior", "ignore|panic|panic-on-replicas",
                "a command cannot fail once it is recorded"},
    RedisOption{"rdb-del-sync-files", "*", "there are no snapshot files: the log is the data"},
    RedisOption{"rdb-key-save-delay", "*", "there are no snapshot files: the log is the data"},
    RedisOption{"rdb-save-incremental-fsync", "*", "there are no snapshot files: the log is the data"},
    RedisOption{"rdbchecksum", "*", "there are no snapshot files: the log is the data"},
    RedisOption{"rdbcompression", "*", "there are no snapshot files: the log is the data"},
    RedisOption{"rename-command", "",
                "a renamed command breaks clients and protects little; remove the line"},
    RedisOption{"repl-backlog-size", "*", "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"repl-backlog-ttl", "*", "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"repl-disable-tcp-nodelay", "*",
                "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"repl-diskless-load", "*", "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"repl-diskless-sync", "*", "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"repl-diskless-sync-delay", "*",
                "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"repl-diskless-sync-max-replicas", "*",
                "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"repl-diskless-sync-period", "*",
                "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"repl-ping-replica-period", "*",
                "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"repl-ping-slave-period", "*", "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"repl-timeout", "*", "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"replica-announce-ip", "\"\"", "there is no replication yet; remove the line"},
    RedisOption{"replica-announce-port", "0", "there is no replication yet; remove the line"},
    RedisOption{"replica-announced", "*", "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"replica-ignore-disk-write-errors", "*",
                "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"replica-ignore-maxmemory", "*",
                "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"replica-lazy-flush", "*", "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"replica-priority", "*", "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"replica-read-only", "*", "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"replica-serve-stale-data", "*",
                "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"replicaof", "\"\"", "there is no replication yet; remove the line"},
    RedisOption{"sanitize-dump-payload", "*", "there are no snapshot files: the log is the data"},
    RedisOption{"server_cpulist", "\"\"", "threads are not pinned; use CPUAffinity= in the unit, or taskset"},
    RedisOption{"set-max-intset-entries", "*", "there are no values of that type"},
    RedisOption{"set-max-listpack-entries", "*", "there are no values of that type"},
    RedisOption{"set-max-listpack-value", "*", "there are no values of that type"},
    RedisOption{"set-proc-title", "*", "the process keeps the name that it was started with"},
    RedisOption{"shutdown-on-sigint", "default|save|nosave|now|force",
                "every stop saves everything and waits for no script"},
    RedisOption{"shutdown-on-sigterm", "default|save|nosave|now|force",
                "every stop saves everything and waits for no script"},
    RedisOption{"shutdown-timeout", "*", "a stop does not wait for replicas"},
    RedisOption{"slave-announce-ip", "\"\"", "there is no replication yet; remove the line"},
    RedisOption{"slave-announce-port", "0", "there is no replication yet; remove the line"},
    RedisOption{"slave-ignore-maxmemory", "*", "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"slave-lazy-flush", "*", "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"slave-priority", "*", "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"slave-read-only", "*", "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"slave-serve-stale-data", "*", "it has a meaning only with replicas, and there are none yet"},
    RedisOption{"slaveof", "\"\"", "there is no replication yet; remove the line"},
    RedisOption{"socket-mark-id", "0", "sockets are not marked; use the firewall's own means"},
    RedisOption{"stop-writes-on-bgsave-error", "*", "there are no snapshot files: the log is the data"},
    RedisOption{
        "syslog-enabled", "no",
        "log lines go to standard output or logfile; under systemd the journal has them; remove the line"},
    RedisOption{"syslog-facility", "*",
                "log lines go to standard output or logfile; under systemd the journal has them"},
    RedisOption{"syslog-ident", "*",
                "log lines go to standard output or logfile; under systemd the journal has them"},
    RedisOption{"tls-client-cert-file", "\"\"", "there are no outgoing connections; remove the line"},
    RedisOption{"tls-client-key-file", "\"\"", "there are no outgoing connections; remove the line"},
    RedisOption{"tls-client-key-file-pass", "\"\"", "there are no outgoing connections; remove the line"},
    RedisOption{"tls-cluster", "no",
                "this is not a node of a cluster; remove the line, or give each server a share of the keys "
                "on the clients' side"},
    RedisOption{"tls-dh-params-file", "*", "OpenSSL chooses parameters that fit the key"},
    RedisOption{"tls-replication", "no", "there is no replication yet; remove the line"},
    RedisOption{"tracking-table-max-keys", "*", "there is no client-side caching"},
    RedisOption{"vm-enabled", "no", "this option is gone from Redis too; remove the line"},
    RedisOption{"zset-max-listpack-entries", "*", "there are no values of that type"},
    RedisOption{"zset-max-listpack-value", "*", "there are no values of that type"},
    RedisOption{"zset-max-ziplist-entries", "*", "there are no values of that type"},
    RedisOption{"zset-max-ziplist-value", "*", "there are no values of that type"},
};

constexpr bool Sorted() {
  return std::is_sorted(kRows.begin(), kRows.end(),
                        [](const RedisOption& a, const RedisOption& b) { return a.name < b.name; });
}
static_assert(Sorted());

}  // namespace

std::span<const RedisOption> RedisOptions() {
  return kRows;
}

const RedisOption* FindRedisOption(std::string_view name) {
  const auto found = std::find_if(kRows.begin(), kRows.end(),
                                  [&](const RedisOption& row) { return SameName(row.name, name); });
  return found == kRows.end() ? nullptr : &*found;
}

bool MakesNoDifference(const RedisOption& option, std::span<const std::string> values) {
  if (option.harmless == "*") return true;
  if (option.harmless.empty() || values.size() != 1) return false;
  const std::string value = values[0].empty() ? "\"\"" : values[0];
  std::string_view left = option.harmless;
  for (;;) {
    const size_t bar = std::min(left.find('|'), left.size());
    if (SameName(left.substr(0, bar), value)) return true;
    if (bar == left.size()) return false;
    left.remove_prefix(bar + 1);
  }
}

std::string Refusal(const RedisOption& option) {
  return std::string(option.name) +
         ": Sluice does not have this option of Redis: " + std::string(option.advice);
}

std::string RedisOptionsText() {
  std::string text =
      "# Options of redis.conf\n\n"
      "<!-- Written by option-docs from server/redis_options.cc: do not edit. -->\n\n"
      "A conf file of Redis starts Sluice once what it cannot do is taken out: the start names every such "
      "line and what to "
      "do\ninstead. Options that make no difference here are taken, and named in one warning.\n\n"
      "## Options that Sluice has too\n\n";
  for (const Option& option : Options()) {
    text += (option.name == Options().front().name ? "`" : ", `") + std::string(option.name) + "`";
  }
  text +=
      ".\n\nA few of them are Sluice's own. [sluice.conf](../conf/sluice.conf) says what each does.\n\n"
      "## Options of Redis 7.0 that Sluice does not have\n\n"
      "| option | taken with | why, or what to do instead |\n|---|---|---|\n";
  for (const RedisOption& row : kRows) {
    std::string harmless(row.harmless == "*"    ? "every value"
                         : row.harmless.empty() ? "refused"
                                                : row.harmless);
    for (size_t at = 0; (at = harmless.find('|', at)) != std::string::npos; at += 2)
      harmless.replace(at, 1, ", ");
    text += "| `" + std::string(row.name) + "` | " + harmless + " | " + std::string(row.advice) + " |\n";
  }
  return text;
}

}  // namespace sluice
