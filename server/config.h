// What an operator may choose: one table of options, read from a file in redis.conf's syntax, from the
// command line and by CONFIG.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

enum class LogLevel : uint8_t { kDebug, kVerbose, kNotice, kWarning };
enum class AppendFsync : uint8_t { kAlways, kEverySecond, kNo };
enum class CommitWay : uint8_t { kAuto, kUring, kThread, kInline };
enum class PubsubDefault : uint8_t { kNoChannels, kAllChannels };
enum class Supervision : uint8_t { kNo, kSystemd, kAuto };
enum class TlsAuthClients : uint8_t { kNo, kYes, kOptional };
enum class DebugCommands : uint8_t { kNo, kYes, kLocal };

// Bounds on what one class of clients may leave unread: closed at once above hard_bytes, and when it stays
// above soft_bytes for soft_seconds. 0: no such bound.
struct OutputLimit {
  uint64_t hard_bytes = 0;
  uint64_t soft_bytes = 0;
  uint64_t soft_seconds = 0;
};

enum class ClientClass : uint8_t { kNormal, kReplica, kPubsub };
inline constexpr size_t kClientClasses = 3;

// The options' values. What each means stands in the table (config.cc), and so does its default: a Config is
// made by DefaultConfig(), never by hand.
struct Config {
  std::vector<std::string> bind;
  uint64_t port;
  std::string unixsocket;
  uint64_t unixsocketperm;
  uint64_t tcp_backlog;
  uint64_t tcp_keepalive;
  uint64_t timeout;
  uint64_t maxclients;
  std::string requirepass;
  std::vector<std::vector<std::string>> users;  // <name> [rule ...] of each user line
  std::string aclfile;
  PubsubDefault acl_pubsub_default;
  uint64_t acllog_max_len;
  bool protected_mode;
  DebugCommands enable_debug_command;

  uint64_t tls_port;
  std::string tls_cert_file;
  std::string tls_key_file;
  std::string tls_key_file_pass;
  std::string tls_ca_cert_file;
  std::string tls_ca_cert_dir;
  TlsAuthClients tls_auth_clients;
  std::string tls_protocols;
  std::string tls_ciphers;
  std::string tls_ciphersuites;
  bool tls_prefer_server_ciphers;
  bool tls_session_caching;
  uint64_t tls_session_cache_size;
  uint64_t tls_session_cache_timeout;
  uint64_t tls_handshake_timeout;

  uint64_t databases;
  std::string dir;
  LogLevel loglevel;
  std::string logfile;
  bool daemonize;
  std::string pidfile;
  Supervision supervised;

  AppendFsync appendfsync;
  uint64_t segment_bytes;
  uint64_t tail_cache_bytes;
  uint64_t cold_read_bytes;
  uint64_t cold_read_ahead;
  uint64_t cold_read_buffers;
  uint64_t spare_segments;
  uint64_t zeroing_bytes_per_second;
  CommitWay commit_path;
  uint64_t commit_wait_us;
  bool direct_io;
  uint64_t max_uncommitted_bytes;
  uint64_t checkpoint_log_bytes;
  uint64_t checkpoint_bytes_per_second;
  uint64_t maxdisk;
  uint64_t compaction_dead_percent;
  uint64_t compaction_bytes_per_second;

  uint64_t maxmemory;
  uint64_t proto_max_bulk_len;
  uint64_t client_query_buffer_limit;
  std::array<OutputLimit, kClientClasses> output_limits;
  uint64_t maxmemory_clients;
  uint64_t pubsub_max_subscriptions;
  uint64_t max_requests_per_tick;

  uint64_t notify_keyspace_events;
  int64_t slowlog_log_slower_than;
  uint64_t slowlog_max_len;
  uint64_t latency_monitor_threshold;
  bool latency_tracking;

  uint64_t metrics_port;
  std::string metrics_bind;
  uint64_t metrics_max_series;

  uint64_t max_transaction_bytes;
  uint64_t retention_ms;
  uint64_t retention_bytes;
  uint64_t stream_idmp_duration;
  uint64_t stream_idmp_maxsize;
  uint64_t stream_node_max_entries;
  uint64_t stream_node_max_bytes;

  uint64_t hold_grace_ms;
  uint64_t seckill_closed_orders;
  uint64_t seckill_rate_users;
};

// How values of one kind are written. `set` takes the words behind an option's name and gives an error text
// (Redis's, where Redis has one) or nothing; `config` is unchanged then. `get` writes what CONFIG GET
// answers.
struct OptionKind {
  std::string (*values)();  // what may be written, for --help: "0 to 65535"
  std::optional<std::string> (*set)(Config& config, std::span<const std::string> words);
  std::string (*get)(const Config& config);
  bool several_words = false;
  bool secret = false;    // never echoed
  bool repeated = false;  // each line adds a value, whose words are taken as they are
};

enum class Change : uint8_t {
  kAtStart,  // by file and command line only
  kAnyTime,  // by CONFIG SET too
};

// One row of the table.
struct Option {
  std::string_view name;
  OptionKind kind;
  std::string_view default_text;  // as a conf file has it behind the name
  Change change;
  std::string_view reason;  // one line: what it does, and why the default
};

// Every option, in the order of conf/sluice.conf. Lives as long as the program.
std::span<const Option> Options();
// The row of `name` (any case), or null.
const Option* FindOption(std::string_view name);

Config DefaultConfig();

// Splits a line into words as Redis does: blanks separate, "..." knows \n \r \t \a \b \\ \" and \xHH, '...'
// knows \'. nullopt: quotes that do not balance.
std::optional<std::vector<std::string>> SplitWords(std::string_view line);

// One word as a conf file has it: in quotes where it needs them, so that SplitWords() gives it back.
std::string Quoted(std::string_view word);

// Gives `option` the value `words`, some of which may hold several words themselves (`--bind "a b"`, CONFIG
// SET). An error text, and then nothing has changed.
std::optional<std::string> SetOption(const Option& option, std::span<const std::string> words,
                                     Config& config);
// "port 'abc': argument couldn't be parsed into an integer"; a secret's value is left out.
std::string BadValue(const Option& option, std::span<const std::string> words, const std::string& error);

// Takes the lines of a conf file into `config`, and those of files that it includes. All that is wrong, a
// line each, beginning with "<file>:<line>: ". Options of Redis that make no difference here are taken and
// added to `without_effect`.
std::optional<std::string> ParseConfigText(std::string_view text, std::string_view file, Config& config,
                                           std::vector<std::string>* without_effect = nullptr);
std::optional<std::string> ReadConfigFile(const std::string& path, Config& config,
                                          std::vector<std::string>* without_effect = nullptr);

// What was asked of the program on its command line.
struct CommandLine {
  enum class Wish : uint8_t { kServe, kVersion, kHelp };
  Wish wish = Wish::kServe;
  std::string config_file;                  // as written; empty where none was
  std::vector<std::string> without_effect;  // options of Redis that were given and make no difference
};

// `[conf file] [--option value ...] | --version | --help`; `arguments` without the program's name. Reads the
// file, then lets the arguments overrule it.
std::optional<std::string> ParseCommandLine(std::span<const std::string> arguments, CommandLine& command_line,
                                            Config& config);

// CONFIG SET: all of name, value, name, value ..., or none. Redis's error texts, without the code.
std::optional<std::string> SetOptions(std::span<const std::string_view> names_and_values, Config& config);

// What --help prints.
std::string HelpText();

}  // namespace sluice
