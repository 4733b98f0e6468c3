#include "server/config.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <sstream>

#include "server/option_kinds.h"
#include "server/redis_options.h"

namespace sluice {
namespace {

using namespace option_kinds;

constexpr Change kAtStart = Change::kAtStart;
constexpr Change kAnyTime = Change::kAnyTime;

constexpr std::array kOptions = {
    Option{"bind", Addresses(), "127.0.0.1 -::1", kAtStart,
           "addresses to listen on; '-' before one: no error where it does not exist. Loopback: open up on "
           "purpose"},
    Option{"port", Number<&Config::port, 0, 65535>(), "6379", kAtStart, "TCP port; 0: no TCP"},
    Option{"unixsocket", Text<&Config::unixsocket, kMaxSocketPath>(), "\"\"", kAtStart,
           "path of a unix socket to listen on as well; empty: none"},
    Option{"unixsocketperm", Permissions(), "700", kAtStart,
           "mode of the unix socket, set before it listens; 700: this user alone; 0: as the umask has it"},
    Option{"tcp-backlog", Number<&Config::tcp_backlog, 1, 65535>(), "511", kAtStart,
           "connections that may wait to be accepted; the kernel caps it at net.core.somaxconn"},
    Option{"tcp-keepalive", Number<&Config::tcp_keepalive, 0, 32767>(), "300", kAnyTime,
           "seconds of silence before the kernel asks whether a peer still lives; 0: never"},
    Option{"timeout", Number<&Config::timeout, 0, 100000000>(), "0", kAnyTime,
           "seconds after which an idle client is closed, blocked ones excepted; 0: never"},
    Option{"maxclients", Number<&Config::maxclients, 1, 1000000>(), "10000", kAnyTime,
           "connections at once; one more gets an error. Lowered where the open-files limit is too small"},
    Option{"requirepass", Secret<&Config::requirepass>(), "\"\"", kAnyTime,
           "password that AUTH asks for; empty: none"},
    Option{"user", UserLines(), "\"\"", kAtStart,
           "a user: name and rules, as ACL SETUSER takes them; one line each. None: the default user alone"},
    Option{"aclfile", Text<&Config::aclfile>(), "\"\"", kAtStart,
           "file of users instead, which ACL LOAD reads and ACL SAVE writes; empty: none"},
    Option{"acl-pubsub-default", OneOf<&Config::acl_pubsub_default, kPubsubDefaults>(), "resetchannels",
           kAnyTime, "the channels of new users: none or all"},
    Option{"acllog-max-len", Number<&Config::acllog_max_len, 0, 100000>(), "128", kAnyTime,
           "refusals that ACL LOG remembers"},
    Option{"protected-mode", YesNo<&Config::protected_mode>(), "yes", kAnyTime,
           "refuse peers from other machines while no password is set"},
    Option{"enable-debug-command", OneOf<&Config::enable_debug_command, kDebugCommands>(), "no", kAtStart,
           "DEBUG can stall the server: nobody, everybody, or local clients may use it"},

    Option{"tls-port", Number<&Config::tls_port, 0, 65535>(), "0", kAtStart,
           "TCP port for TLS, beside the plain one or instead of it (port 0); 0: no TLS"},
    Option{"tls-cert-file", Text<&Config::tls_cert_file>(), "\"\"", kAnyTime,
           "the server's certificate and those that vouch for it (PEM); setting it again reads it anew"},
    Option{"tls-key-file", Text<&Config::tls_key_file>(), "\"\"", kAnyTime,
           "the certificate's private key (PEM)"},
    Option{"tls-key-file-pass", Secret<&Config::tls_key_file_pass>(), "\"\"", kAnyTime,
           "password of that key file; empty: it has none"},
    Option{"tls-ca-cert-file", Text<&Config::tls_ca_cert_file>(), "\"\"", kAnyTime,
           "certificates of the authorities that vouch for clients (PEM)"},
    Option{"tls-ca-cert-dir", Text<&Config::tls_ca_cert_dir>(), "\"\"", kAnyTime,
           "a folder of such certificates, as openssl rehash leaves it"},
    Option{"tls-auth-clients", OneOf<&Config::tls_auth_clients, kTlsAuthClients>(), "yes", kAnyTime,
           "whether clients must show a certificate: yes, no, or optional (one that is shown must be good)"},
    Option{"tls-protocols", Text<&Config::tls_protocols>(), "\"TLSv1.2 TLSv1.3\"", kAnyTime,
           "versions of TLS to speak; older ones are broken and not to be had"},
    Option{"tls-ciphers", Text<&Config::tls_ciphers>(), "\"\"", kAnyTime,
           "ciphers of TLS 1.2, as openssl ciphers writes them; empty: OpenSSL's choice"},
    Option{"tls-ciphersuites", Text<&Config::tls_ciphersuites>(), "\"\"", kAnyTime,
           "cipher suites of TLS 1.3; empty: OpenSSL's choice"},
    Option{"tls-prefer-server-ciphers", YesNo<&Config::tls_prefer_server_ciphers>(), "no", kAnyTime,
           "choose ciphers in the server's order instead of the client's"},
    Option{"tls-session-caching", YesNo<&Config::tls_session_caching>(), "yes", kAnyTime,
           "let clients that come back skip most of the handshake"},
    Option{"tls-session-cache-size", Number<&Config::tls_session_cache_size, 1, 1000000>(), "20480", kAnyTime,
           "TLS sessions remembered"},
    Option{"tls-session-cache-timeout", Number<&Config::tls_session_cache_timeout, 1, 86400>(), "300",
           kAnyTime, "seconds for which they are"},
    Option{"tls-handshake-timeout", Number<&Config::tls_handshake_timeout, 1, 3600>(), "10", kAnyTime,
           "seconds in which a client must have finished the handshake, or it is closed"},

    Option{"databases", Number<&Config::databases, 1, 16>(), "16", kAtStart,
           "how many SELECT may choose from"},
    Option{"dir", Text<&Config::dir>(), "./data", kAtStart, "folder of the log; created where it is missing"},
    Option{"loglevel", OneOf<&Config::loglevel, kLogLevels>(), "notice", kAnyTime,
           "notice tells what an operator wants to know, verbose also of clients that misbehave"},
    Option{"logfile", Text<&Config::logfile>(), "\"\"", kAtStart,
           "file for the server's log lines, opened again on SIGHUP; empty: standard output"},
    Option{"daemonize", YesNo<&Config::daemonize>(), "no", kAtStart,
           "go to the background once clients can connect; a service manager wants no"},
    Option{"pidfile", Text<&Config::pidfile>(), "\"\"", kAtStart,
           "file that holds the process id while the server runs; empty: none"},
    Option{"supervised", OneOf<&Config::supervised, kSupervisions>(), "auto", kAtStart,
           "tell systemd how it goes (Type=notify, WatchdogSec); auto: where it asks for it"},

    Option{"appendfsync", OneOf<&Config::appendfsync, kAppendFsyncs>(), "always", kAnyTime,
           "when a reply may leave: change on stable storage, or handed to the kernel and synced each "
           "second, or never"},
    Option{"segment-bytes", Bytes<&Config::segment_bytes, 64 * kKiB, kGiB, 4096>(), "32mb", kAtStart,
           "size of a log file: the unit in which disk is prepared and given back; twice this is held in "
           "memory"},
    Option{
        "tail-cache-bytes", Bytes<&Config::tail_cache_bytes, 0, 64 * kGiB>(), "64mb", kAtStart,
        "full log files that stay in memory, newest first, for consumers that keep up; older ones are read "
        "from disk"},
    Option{"cold-read-bytes", Bytes<&Config::cold_read_bytes, 0, kGiB>(), "16mb", kAtStart,
           "what a thread reads in for a command whose messages are not in memory, at a time; 0: the loop "
           "reads"},
    Option{"cold-read-ahead", Bytes<&Config::cold_read_ahead, 0, kGiB>(), "1mb", kAtStart,
           "what it reads in ahead of a client that reads on; 0: nothing"},
    Option{"cold-read-buffers", Bytes<&Config::cold_read_buffers, 0, kGiB>(), "9mb", kAtStart,
           "memory that it reads into for that, past the kernel's page cache, which serves the others; 0: "
           "serves all"},
    Option{"spare-segments", Number<&Config::spare_segments, 0, 64>(), "2", kAtStart,
           "log files kept ready, zeroed, so that a commit writes no file-system metadata; 0: none"},
    Option{"zeroing-bytes-per-second", Bytes<&Config::zeroing_bytes_per_second, kMiB, 16 * kGiB>(), "30mb",
           kAtStart, "pace of that zeroing; slow, for at full speed it would slow commits down"},
    Option{"commit-path", OneOf<&Config::commit_path, kCommitWays>(), "auto", kAtStart,
           "how a batch reaches the disk; auto: io_uring, or a thread where the kernel refuses it"},
    Option{"commit-wait-us", Number<&Config::commit_wait_us, 0, 10000>(), "700", kAtStart,
           "how long the loop may wait for its own batch while commits are quick; makes batches whole; 0: "
           "never"},
    Option{"direct-io", YesNo<&Config::direct_io>(), "yes", kAtStart,
           "write past the page cache (O_DIRECT) where the file system can"},
    Option{"max-uncommitted-bytes", Bytes<&Config::max_uncommitted_bytes, kMiB, 16 * kGiB>(), "32mb",
           kAnyTime,
           "log bytes recorded and not yet committed; at it, clients whose next request is a write wait"},
    Option{
        "checkpoint-log-bytes", Bytes<&Config::checkpoint_log_bytes, 0, 1024 * kGiB>(), "64mb", kAnyTime,
        "log since the last checkpoint, or its size if that is more, after which one is made: bounds what a "
        "start replays; 0: on demand"},
    Option{"checkpoint-bytes-per-second", Bytes<&Config::checkpoint_bytes_per_second, 0, 16 * kGiB>(), "16mb",
           kAtStart, "pace of writing a checkpoint; slow, for commits share the disk; 0: no limit"},
    Option{"compaction-dead-percent", Number<&Config::compaction_dead_percent, 0, 100>(), "50", kAnyTime,
           "share of a log file that is dead (trimmed, deleted) from which it is written anew without; 0: "
           "never"},
    Option{"compaction-bytes-per-second", Bytes<&Config::compaction_bytes_per_second, 0, 16 * kGiB>(), "32mb",
           kAtStart, "pace of that; slow, for commits share the disk; 0: no limit"},

    Option{
        "maxdisk", Bytes<&Config::maxdisk, 0, UINT64_MAX>(), "0", kAnyTime,
        "bytes that the data folder may take; at it, writes are refused, reading and acknowledging goes on; "
        "0: the disk's size"},

    Option{"maxmemory", Bytes<&Config::maxmemory, 0, UINT64_MAX>(), "0", kAnyTime,
           "bytes of memory in use above which commands that need more are refused; 0: no limit"},
    Option{"maxmemory-policy", Fixed<kNoEviction>(), "noeviction", kAnyTime,
           "a queue drops nothing by itself: no other policy is accepted"},
    Option{"proto-max-bulk-len", Bytes<&Config::proto_max_bulk_len, kMiB, kGiB>(), "64mb", kAnyTime,
           "longest argument of a request; a longer one is a protocol error"},
    Option{"max-transaction-bytes", Bytes<&Config::max_transaction_bytes, kMiB, kGiB>(), "64mb", kAnyTime,
           "requests between MULTI and EXEC; the one beyond is refused, and EXEC with it"},
    Option{"client-query-buffer-limit", Bytes<&Config::client_query_buffer_limit, kMiB, 2 * kGiB>(), "1gb",
           kAnyTime, "bytes of a request that is not whole yet; a client above it is closed"},
    Option{"client-output-buffer-limit", OutputLimits(),
           "normal 256mb 0 0 replica 256mb 64mb 60 pubsub 32mb 8mb 60", kAnyTime,
           "replies that a client may leave unread before it is closed: at once, or above the soft limit for "
           "seconds"},
    Option{"maxmemory-clients", Bytes<&Config::maxmemory_clients, 0, 1024 * kGiB>(), "0", kAnyTime,
           "memory of all clients together; above it those with the most are closed; 0: no limit"},
    Option{"pubsub-max-subscriptions", Number<&Config::pubsub_max_subscriptions, 1, 100000000>(), "100000",
           kAnyTime, "channels and patterns that one client may listen to; one more is refused"},
    Option{"max-requests-per-tick", Number<&Config::max_requests_per_tick, 1, 1000000>(), "256", kAnyTime,
           "requests of one client executed in a row before the others have their turn"},

    Option{"notify-keyspace-events", KeyspaceEvents(), "\"\"", kAnyTime,
           "which changes of keys are published to channels, as letters; empty: none, and no cost"},
    Option{"slowlog-log-slower-than", SignedNumber<&Config::slowlog_log_slower_than, -1, 3600000000>(),
           "10000", kAnyTime, "microseconds from which SLOWLOG keeps a command; 0: every one; -1: none"},
    Option{"slowlog-max-len", Number<&Config::slowlog_max_len, 0, 1000000>(), "128", kAnyTime,
           "commands that SLOWLOG keeps; the oldest goes first"},
    Option{"latency-monitor-threshold", Number<&Config::latency_monitor_threshold, 0, 3600000>(), "0",
           kAnyTime, "milliseconds from which LATENCY remembers an event; 0: does not watch"},
    Option{"latency-tracking", YesNo<&Config::latency_tracking>(), "yes", kAnyTime,
           "keep a histogram of each command's times, for LATENCY HISTOGRAM and INFO latencystats"},

    Option{"metrics-port", Number<&Config::metrics_port, 0, 65535>(), "0", kAtStart,
           "HTTP port of /metrics (Prometheus), /healthz and /readyz; 0: none"},
    Option{"metrics-bind", Text<&Config::metrics_bind, 255>(), "127.0.0.1", kAtStart,
           "address of that port; it asks for no password, so loopback alone is the default"},
    Option{"metrics-max-series", Number<&Config::metrics_max_series, 0, 100000>(), "1000", kAnyTime,
           "streams, groups and items that /metrics tells of, together; those beyond are counted only"},

    Option{"retention-ms", Number<&Config::retention_ms, 0, INT64_MAX>(), "0", kAnyTime,
           "age at which a stream's entries go by themselves; XCFGSET chooses for one stream; 0: never"},
    Option{"retention-bytes", Bytes<&Config::retention_bytes, 0, INT64_MAX>(), "0", kAnyTime,
           "bytes of the log that a stream's newest entries keep, older ones go; likewise; 0: no limit"},
    Option{"stream-idmp-duration", Number<&Config::stream_idmp_duration, 1, 86400>(), "100", kAnyTime,
           "seconds for which a producer's message is known, so that sending it again appends nothing"},
    Option{"stream-idmp-maxsize", Number<&Config::stream_idmp_maxsize, 1, 10000>(), "100", kAnyTime,
           "messages known of one producer; one more, and the oldest is forgotten"},

    Option{"hold-grace-ms", Number<&Config::hold_grace_ms, 0, 86400000>(), "60000", kAnyTime,
           "after a start no hold ends for so long: buyers whose payment was under way can confirm"},
    Option{"seckill-closed-orders", Number<&Config::seckill_closed_orders, 1, 1000000000>(), "1000000",
           kAnyTime, "closed orders that an item remembers; one more, and the oldest is forgotten"},
    Option{"seckill-rate-users", Number<&Config::seckill_rate_users, 4, 1000000000>(), "1000000", kAnyTime,
           "users whose tries are counted for RATE, 16 bytes each; beyond, the idlest are forgotten"},

    Option{"stream-node-max-entries", Number<&Config::stream_node_max_entries, 0, 1000000000>(), "100",
           kAnyTime, "XTRIM with ~ removes whole nodes of this many entries, as Redis does; 0: no limit"},
    Option{"stream-node-max-bytes", Bytes<&Config::stream_node_max_bytes, 0, kGiB>(), "4kb", kAnyTime,
           "accepted for the sake of existing files; no effect, since messages do not live in nodes here"},
    Option{"save", Fixed<kEmpty>(), "\"\"", kAnyTime,
           "no snapshots: the log is the data. Answered because clients ask"},
    Option{"appendonly", Fixed<kYes>(), "yes", kAnyTime,
           "always on: the log is the data. Answered because clients ask"},
};

}  // namespace

std::span<const Option> Options() {
  return kOptions;
}

const Option* FindOption(std::string_view name) {
  const auto found = std::find_if(kOptions.begin(), kOptions.end(),
                                  [&](const Option& row) { return SameName(row.name, name); });
  return found == kOptions.end() ? nullptr : &*found;
}

MaybeError SetOption(const Option& option, std::span<const std::string> words, Config& config) {
  if (option.kind.repeated) return option.kind.set(config, words);
  if (!option.kind.several_words) {
    if (words.size() != 1) return "wrong number of arguments";
    return option.kind.set(config, words);
  }
  std::vector<std::string> split;
  for (const std::string& word : words) {
    std::istringstream stream(word);
    split.insert(split.end(), std::istream_iterator<std::string>(stream), {});
  }
  if (split.empty()) return "wrong number of arguments";
  return option.kind.set(config, split);
}

std::string BadValue(const Option& option, Words words, const std::string& error) {
  std::string text(option.name);
  for (const std::string& word : words) text += option.kind.secret ? " (not shown)" : " '" + word + "'";
  return text + ": " + error;
}

Config DefaultConfig() {
  Config config{};
  for (const Option& option : kOptions) SetOption(option, *SplitWords(option.default_text), config);
  return config;
}

std::optional<std::string> ParseCommandLine(std::span<const std::string> arguments, CommandLine& command_line,
                                            Config& config) {
  const auto is_option = [](const std::string& text) { return text.starts_with("--"); };
  if (!arguments.empty() && (arguments[0] == "--version" || arguments[0] == "-v")) {
    command_line.wish = CommandLine::Wish::kVersion;
    return std::nullopt;
  }
  if (!arguments.empty() && (arguments[0] == "--help" || arguments[0] == "-h")) {
    command_line.wish = CommandLine::Wish::kHelp;
    return std::nullopt;
  }
  if (!arguments.empty() && !is_option(arguments[0])) {
    command_line.config_file = arguments[0];
    if (const MaybeError error = ReadConfigFile(arguments[0], config, &command_line.without_effect))
      return error;
    arguments = arguments.subspan(1);
  }
  while (!arguments.empty()) {
    if (!is_option(arguments[0])) return "unexpected argument '" + arguments[0] + "'";
    const std::string_view name = std::string_view(arguments[0]).substr(2);
    const auto next = std::find_if(arguments.begin() + 1, arguments.end(), is_option);
    const Words values(arguments.begin() + 1, next);
    const Option* option = FindOption(name);
    if (option == nullptr) {
      const RedisOption* known = FindRedisOption(name);
      if (known == nullptr) return "unknown option '" + arguments[0] + "' (--help lists them)";
      if (!MakesNoDifference(*known, values)) return "--" + Refusal(*known);
      command_line.without_effect.emplace_back(known->name);
      arguments = Words(next, arguments.end());
      continue;
    }
    if (const MaybeError error = SetOption(*option, values, config))
      return "--" + BadValue(*option, values, *error);
    arguments = Words(next, arguments.end());
  }
  return std::nullopt;
}

std::optional<std::string> SetOptions(std::span<const std::string_view> names_and_values, Config& config) {
  Config changed = config;
  std::vector<const Option*> seen;
  for (size_t i = 0; i < names_and_values.size(); i += 2) {
    const Option* option = FindOption(names_and_values[i]);
    if (option == nullptr || i + 1 == names_and_values.size()) {
      return "Unknown option or number of arguments for CONFIG SET - '" + std::string(names_and_values[i]) +
             "'";
    }
    const auto refuse = [&](std::string_view why) {
      return "CONFIG SET failed (possibly related to argument '" + std::string(option->name) + "') - " +
             std::string(why);
    };
    if (option->change == Change::kAtStart) return refuse("can't set immutable config");
    if (std::find(seen.begin(), seen.end(), option) != seen.end()) return refuse("duplicate parameter");
    seen.push_back(option);
    const std::string value(names_and_values[i + 1]);
    if (const MaybeError error = SetOption(*option, {&value, 1}, changed)) return refuse(*error);
  }
  config = std::move(changed);
  return std::nullopt;
}

std::string HelpText() {
  std::string text =
      "Sluice: a durable queue server that speaks the Redis protocol.\n\n"
      "  sluice-server [conf file] [--option value ...]\n"
      "  sluice-server --version | --help\n\n"
      "Options, also lines of a conf file (without the dashes). Sizes: 100, 64kb, 32mb, 1gb.\n"
      "A star: CONFIG SET changes it while the server runs.\n";
  for (const Option& option : kOptions) {
    text += "\n  --" + std::string(option.name) + " " + std::string(option.default_text) +
            (option.change == Change::kAnyTime ? "  *" : "") + "\n      " + std::string(option.reason) +
            "\n      values: " + option.kind.values() + "\n";
  }
  return text;
}

}  // namespace sluice
