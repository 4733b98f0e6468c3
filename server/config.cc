#include "server/config.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>
#include <sstream>

#include "server/option_kinds.h"

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
    Option{"requirepass", Password(), "\"\"", kAnyTime, "password that AUTH asks for; empty: none"},
    Option{"protected-mode", YesNo<&Config::protected_mode>(), "yes", kAnyTime,
           "refuse peers from other machines while no password is set"},
    Option{"enable-debug-command", OneOf<&Config::enable_debug_command, kDebugCommands>(), "no", kAtStart,
           "DEBUG can stall the server: nobody, everybody, or local clients may use it"},

    Option{"databases", Number<&Config::databases, 1, 16>(), "16", kAtStart,
           "how many SELECT may choose from"},
    Option{"dir", Text<&Config::dir>(), "./data", kAtStart, "folder of the log; created where it is missing"},
    Option{"loglevel", OneOf<&Config::loglevel, kLogLevels>(), "notice", kAnyTime,
           "notice tells what an operator wants to know, verbose also of clients that misbehave"},
    Option{"logfile", Text<&Config::logfile>(), "\"\"", kAtStart,
           "file for the server's log lines, opened again on SIGHUP; empty: standard output"},

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
    Option{"spare-segments", Number<&Config::spare_segments, 0, 64>(), "2", kAtStart,
           "log files kept ready, zeroed, so that a commit writes no file-system metadata; 0: none"},
    Option{"zeroing-bytes-per-second", Bytes<&Config::zeroing_bytes_per_second, kMiB, 16 * kGiB>(), "30mb",
           kAtStart, "pace of that zeroing; slow, for at full speed it would slow commits down"},
    Option{"commit-path", OneOf<&Config::commit_path, kCommitWays>(), "auto", kAtStart,
           "how a batch reaches the disk; auto: io_uring, or a thread where the kernel refuses it"},
    Option{"commit-wait-us", Number<&Config::commit_wait_us, 0, 10000>(), "300", kAtStart,
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
    Option{"checkpoint-bytes-per-second", Bytes<&Config::checkpoint_bytes_per_second, 0, 16 * kGiB>(), "64mb",
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
    Option{"client-output-buffer-limit", OutputLimits(), "normal 256mb 0 0", kAnyTime,
           "replies that a client may leave unread before it is closed: at once, or above the soft limit for "
           "seconds"},
    Option{"max-requests-per-tick", Number<&Config::max_requests_per_tick, 1, 1000000>(), "256", kAnyTime,
           "requests of one client executed in a row before the others have their turn"},

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

// Gives `option` the value `words`, some of which may hold several words themselves (`--bind "a b"`, CONFIG
// SET).
MaybeError SetOption(const Option& option, std::span<const std::string> words, Config& config) {
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

// "port 'abc': argument couldn't be parsed into an integer"
std::string BadValue(const Option& option, Words words, const std::string& error) {
  std::string text(option.name);
  for (const std::string& word : words) text += option.kind.secret ? " (not shown)" : " '" + word + "'";
  return text + ": " + error;
}

std::optional<char> HexByte(std::string_view digits) {
  const std::optional<uint64_t> value = ToNumber(digits, 16);
  if (digits.size() != 2 || !value) return std::nullopt;
  return static_cast<char>(*value);
}

char Unescape(char letter) {
  switch (letter) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return letter;
  }
}

// Reads the quoted text that begins at line[at] into `word`; gives the position behind its closing quote.
std::optional<size_t> TakeQuoted(std::string_view line, size_t at, std::string& word) {
  const char quote = line[at++];
  while (at < line.size() && line[at] != quote) {
    if (quote == '"' && line[at] == '\\' && at + 1 < line.size()) {
      const std::optional<char> byte = line[at + 1] == 'x' ? HexByte(line.substr(at + 2, 2)) : std::nullopt;
      word += byte ? *byte : Unescape(line[at + 1]);
      at += byte ? 4 : 2;
    } else if (quote == '\'' && line.substr(at, 2) == "\\'") {
      word += '\'';
      at += 2;
    } else {
      word += line[at++];
    }
  }
  if (at == line.size()) return std::nullopt;
  ++at;
  if (at < line.size() && std::isspace(static_cast<unsigned char>(line[at])) == 0) return std::nullopt;
  return at;
}

}  // namespace

std::span<const Option> Options() {
  return kOptions;
}

const Option* FindOption(std::string_view name) {
  const auto found = std::find_if(kOptions.begin(), kOptions.end(),
                                  [&](const Option& row) { return SameName(row.name, name); });
  return found == kOptions.end() ? nullptr : &*found;
}

Config DefaultConfig() {
  Config config{};
  for (const Option& option : kOptions) SetOption(option, *SplitWords(option.default_text), config);
  return config;
}

std::optional<std::vector<std::string>> SplitWords(std::string_view line) {
  std::vector<std::string> words;
  size_t at = 0;
  while ((at = line.find_first_not_of(" \t\r\n\f\v", at)) != std::string_view::npos) {
    std::string word;
    while (at < line.size() && std::isspace(static_cast<unsigned char>(line[at])) == 0) {
      if (line[at] == '"' || line[at] == '\'') {
        const std::optional<size_t> end = TakeQuoted(line, at, word);
        if (!end) return std::nullopt;
        at = *end;
        break;
      }
      word += line[at++];
    }
    words.push_back(std::move(word));
  }
  return words;
}

std::optional<std::string> ParseConfigText(std::string_view text, std::string_view file, Config& config) {
  size_t number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string where = std::string(file) + ":" + std::to_string(++number) + ": ";

    const size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos || line[first] == '#') continue;
    const std::optional<std::vector<std::string>> words = SplitWords(line);
    if (!words) return where + "unbalanced quotes";
    const Option* option = FindOption(words->front());
    if (option == nullptr) return where + "unknown option '" + words->front() + "'";
    const Words values = Words(*words).subspan(1);
    if (const MaybeError error = SetOption(*option, values, config)) {
      return where + BadValue(*option, values, *error);
    }
  }
  return std::nullopt;
}

std::optional<std::string> ReadConfigFile(const std::string& path, Config& config) {
  std::ifstream file(path, std::ios::binary);
  file.peek();  // a folder opens well, and is found out by the first read
  if (!file.is_open() || file.bad()) return path + ": cannot be read";
  std::ostringstream text;
  text << file.rdbuf();
  return ParseConfigText(text.str(), path, config);
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
    if (const MaybeError error = ReadConfigFile(arguments[0], config)) return error;
    arguments = arguments.subspan(1);
  }
  while (!arguments.empty()) {
    if (!is_option(arguments[0])) return "unexpected argument '" + arguments[0] + "'";
    const Option* option = FindOption(std::string_view(arguments[0]).substr(2));
    if (option == nullptr) return "unknown option '" + arguments[0] + "' (--help lists them)";
    const auto next = std::find_if(arguments.begin() + 1, arguments.end(), is_option);
    const Words values(arguments.begin() + 1, next);
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
