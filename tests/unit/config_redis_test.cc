// Conf files of Redis: which of their lines are taken, and what is said of the others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "server/config.h"
#include "server/redis_options.h"

namespace sluice {
namespace {

using testing::HasSubstr;
using testing::Not;
using Texts = std::vector<std::string>;

struct Outcome {
  std::string error;
  Texts without_effect;
};

Outcome Read(const std::string& text) {
  Config config = DefaultConfig();
  Outcome outcome;
  outcome.error = ParseConfigText(text, "x.conf", config, &outcome.without_effect).value_or("");
  return outcome;
}

TEST(RedisOptions, NoneIsOursToo) {
  for (const RedisOption& row : RedisOptions()) EXPECT_EQ(FindOption(row.name), nullptr) << row.name;
}

TEST(RedisOptions, EachIsTakenWhereItMakesNoDifferenceAndElseRefused) {
  for (const RedisOption& row : RedisOptions()) {
    const std::string name(row.name);
    EXPECT_FALSE(row.advice.empty()) << name;
    EXPECT_FALSE(row.advice.ends_with('.')) << name;
    Texts harmless;
    if (row.harmless == "*") {
      harmless = {"yes", "0", "\"\"", "1 2 3"};
    } else if (!row.harmless.empty()) {
      std::string_view left = row.harmless;
      while (!left.empty()) {
        harmless.emplace_back(left.substr(0, left.find('|')));
        left.remove_prefix(std::min(left.size(), harmless.back().size() + 1));
      }
    }
    for (const std::string& value : harmless) {
      const Outcome outcome = Read(name + " " + value);
      EXPECT_EQ(outcome.error, "") << name << " " << value;
      EXPECT_EQ(outcome.without_effect, Texts{name});
    }
    if (row.harmless == "*") continue;
    for (const std::string value : {"something", "something else", ""}) {
      const Outcome outcome = Read(name + " " + value);
      EXPECT_EQ(outcome.error, "x.conf:1: " + name +
                                   ": Sluice does not have this option of Redis: " + std::string(row.advice));
      EXPECT_TRUE(outcome.without_effect.empty());
    }
  }
}

// Every option of Redis 7.0, as its CONFIG GET * names them, and what is a directive only.
TEST(RedisOptions, EveryOneIsKnown) {
  static constexpr std::string_view kNames =
      "acl-pubsub-default aclfile acllog-max-len active-defrag-cycle-max active-defrag-cycle-min "
      "active-defrag-ignore-bytes active-defrag-max-scan-fields active-defrag-threshold-lower "
      "active-defrag-threshold-upper active-expire-effort activedefrag activerehashing always-show-logo "
      "aof-disable-auto-gc aof-load-truncated aof-rewrite-incremental-fsync aof-timestamp-enabled "
      "aof-use-rdb-preamble aof_rewrite_cpulist appenddirname appendfilename appendfsync appendonly "
      "auto-aof-rewrite-min-size auto-aof-rewrite-percentage bgsave_cpulist bind bind-source-addr "
      "bio_cpulist busy-reply-threshold client-output-buffer-limit client-query-buffer-limit "
      "cluster-allow-pubsubshard-when-down cluster-allow-reads-when-down cluster-allow-replica-migration "
      "cluster-announce-bus-port cluster-announce-hostname cluster-announce-ip cluster-announce-port "
      "cluster-announce-tls-port cluster-config-file cluster-enabled cluster-link-sendbuf-limit "
      "cluster-migration-barrier cluster-node-timeout cluster-port cluster-preferred-endpoint-type "
      "cluster-replica-no-failover cluster-replica-validity-factor cluster-require-full-coverage "
      "cluster-slave-no-failover cluster-slave-validity-factor crash-log-enabled crash-memcheck-enabled "
      "daemonize databases dbfilename dir disable-thp dynamic-hz enable-debug-command enable-module-command "
      "enable-protected-configs hash-max-listpack-entries hash-max-listpack-value hash-max-ziplist-entries "
      "hash-max-ziplist-value hll-sparse-max-bytes hz ignore-warnings io-threads io-threads-do-reads "
      "jemalloc-bg-thread latency-monitor-threshold latency-tracking latency-tracking-info-percentiles "
      "lazyfree-lazy-eviction lazyfree-lazy-expire lazyfree-lazy-server-del lazyfree-lazy-user-del "
      "lazyfree-lazy-user-flush lfu-decay-time lfu-log-factor list-compress-depth list-max-listpack-size "
      "list-max-ziplist-size logfile loglevel lua-time-limit masterauth masteruser maxclients maxmemory "
      "maxmemory-clients maxmemory-eviction-tenacity maxmemory-policy maxmemory-samples "
      "min-replicas-max-lag min-replicas-to-write min-slaves-max-lag min-slaves-to-write "
      "no-appendfsync-on-rewrite notify-keyspace-events oom-score-adj oom-score-adj-values pidfile port "
      "proc-title-template propagation-error-behavior protected-mode proto-max-bulk-len rdb-del-sync-files "
      "rdb-save-incremental-fsync rdbchecksum rdbcompression repl-backlog-size repl-backlog-ttl "
      "repl-disable-tcp-nodelay repl-diskless-load repl-diskless-sync repl-diskless-sync-delay "
      "repl-diskless-sync-max-replicas repl-ping-replica-period repl-ping-slave-period repl-timeout "
      "replica-announce-ip replica-announce-port replica-announced replica-ignore-disk-write-errors "
      "replica-ignore-maxmemory replica-lazy-flush replica-priority replica-read-only "
      "replica-serve-stale-data replicaof requirepass sanitize-dump-payload save server_cpulist "
      "set-max-intset-entries set-proc-title shutdown-on-sigint shutdown-on-sigterm shutdown-timeout "
      "slave-announce-ip slave-announce-port slave-ignore-maxmemory slave-lazy-flush slave-priority "
      "slave-read-only slave-serve-stale-data slaveof slowlog-log-slower-than slowlog-max-len "
      "socket-mark-id stop-writes-on-bgsave-error stream-node-max-bytes stream-node-max-entries supervised "
      "syslog-enabled syslog-facility syslog-ident tcp-backlog tcp-keepalive timeout tls-auth-clients "
      "tls-ca-cert-dir tls-ca-cert-file tls-cert-file tls-ciphers tls-ciphersuites tls-client-cert-file "
      "tls-client-key-file tls-client-key-file-pass tls-cluster tls-dh-params-file tls-key-file "
      "tls-key-file-pass tls-port tls-prefer-server-ciphers tls-protocols tls-replication "
      "tls-session-cache-size tls-session-cache-timeout tls-session-caching tracking-table-max-keys "
      "unixsocket unixsocketperm zset-max-listpack-entries zset-max-listpack-value zset-max-ziplist-entries "
      "zset-max-ziplist-value loadmodule rename-command user";
  size_t count = 0;
  for (size_t at = 0; at < kNames.size();) {
    const size_t end = std::min(kNames.find(' ', at), kNames.size());
    const std::string_view name = kNames.substr(at, end - at);
    EXPECT_TRUE(FindOption(name) != nullptr || FindRedisOption(name) != nullptr) << name;
    at = end + 1;
    ++count;
  }
  EXPECT_EQ(count, 195u);
}

TEST(RedisOptions, DebiansFileSaysAllThatHasToChange) {
  Config config = DefaultConfig();
  Texts without_effect;
  const std::string error = ReadConfigFile("/etc/redis/redis.conf", config, &without_effect).value_or("");
  EXPECT_THAT(error, HasSubstr("appendonly 'no': the only value that Sluice has for it is 'yes'"));
  EXPECT_THAT(error, Not(HasSubstr("unknown option")));
  EXPECT_THAT(without_effect, testing::Contains("rdbcompression"));
  EXPECT_THAT(without_effect, testing::Contains("hash-max-listpack-entries"));
}

TEST(RedisOptions, AllErrorsOfAFileAreTold) {
  EXPECT_EQ(Read("port x\nio-threads 4\nreplicaof 10.0.0.1 6379\nnonsense 1\n").error,
            "x.conf:1: port 'x': argument couldn't be parsed into an integer\n"
            "x.conf:3: " +
                Refusal(*FindRedisOption("replicaof")) +
                "\n"
                "x.conf:4: unknown option 'nonsense'");
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "nonsense\n";
  const std::string error = Read(many).error;
  EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 49);
  EXPECT_TRUE(error.ends_with("(more errors follow)"));
}

TEST(RedisOptions, TheCommandLineKnowsThemToo) {
  Config config = DefaultConfig();
  CommandLine command_line;
  EXPECT_EQ(ParseCommandLine(Texts{"--io-threads", "4", "--port", "7000"}, command_line, config),
            std::nullopt);
  EXPECT_EQ(command_line.without_effect, Texts{"io-threads"});
  EXPECT_EQ(config.port, 7000u);
  EXPECT_EQ(ParseCommandLine(Texts{"--cluster-enabled", "yes"}, command_line, config),
            "--" + Refusal(*FindRedisOption("cluster-enabled")));
}

class IncludeFiles : public testing::Test {
 protected:
  IncludeFiles() { std::filesystem::create_directory(folder_); }
  ~IncludeFiles() override { std::filesystem::remove_all(folder_); }
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }
  std::string folder_ = testing::TempDir() + "config_redis." + std::to_string(getpid());
};

TEST_F(IncludeFiles, AreReadInTheirPlace) {
  Config config = DefaultConfig();
  const std::string more = Write("more.conf", "timeout 5\nport 7001\n");
  EXPECT_EQ(ParseConfigText("port 7000\ninclude '" + more + "'\ntimeout 6\n", "x", config), std::nullopt);
  EXPECT_EQ(config.port, 7001u);
  EXPECT_EQ(config.timeout, 6u);
}

TEST_F(IncludeFiles, APatternTakesThemInOrderAndMayMatchNone) {
  Config config = DefaultConfig();
  Write("10-a.conf", "timeout 5\n");
  Write("20-b.conf", "timeout 6\n");
  EXPECT_EQ(ParseConfigText("include " + folder_ + "/*.conf\ninclude " + folder_ + "/*.none\n", "x", config),
            std::nullopt);
  EXPECT_EQ(config.timeout, 6u);
}

TEST_F(IncludeFiles, ErrorsNameThePlaceThatTheyStandAt) {
  Config config = DefaultConfig();
  const std::string more = Write("more.conf", "\nport x\n");
  EXPECT_EQ(ParseConfigText("include " + more + "\nport y\n", "x", config),
            more +
                ":2: port 'x': argument couldn't be parsed into an integer\n"
                "x:2: port 'y': argument couldn't be parsed into an integer");
  EXPECT_EQ(ParseConfigText("include /no/such/file\n", "x", config), "x:1: /no/such/file: cannot be read");
  EXPECT_EQ(ParseConfigText("include\n", "x", config), "x:1: include: wrong number of arguments");
  const std::string itself = Write("itself.conf", "include " + folder_ + "/itself.conf\n");
  EXPECT_EQ(ReadConfigFile(itself, config), itself + ":1: include: files include each other too deep");
}

}  // namespace
}  // namespace sluice
