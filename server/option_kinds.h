// The kinds of options: how a number, a size, a choice ... is read from words and written again. For
// config.cc's table.
#pragma once

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "server/commands/keyspace_events.h"
#include "server/config.h"

namespace sluice::option_kinds {

using Words = std::span<const std::string>;
using MaybeError = std::optional<std::string>;

inline constexpr uint64_t kKiB = 1024;
inline constexpr uint64_t kMiB = 1024 * kKiB;
inline constexpr uint64_t kGiB = 1024 * kMiB;
// sockaddr_un has 108 bytes, the last one for the end mark.
inline constexpr size_t kMaxSocketPath = 107;

inline bool SameName(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

inline std::string Between(uint64_t low, uint64_t high) {
  return "argument must be between " + std::to_string(low) + " and " + std::to_string(high) + " inclusive";
}

inline std::optional<uint64_t> ToNumber(std::string_view text, int base = 10) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "64mb" -> 67108864; as in Redis k, m, g are powers of 1000 and kb, mb, gb powers of 1024.
inline std::optional<uint64_t> ToBytes(std::string_view text) {
  struct Unit {
    std::string_view name;
    uint64_t bytes;
  };
  static constexpr std::array kUnits = {Unit{"", 1},           Unit{"b", 1},       Unit{"k", 1000},
                                        Unit{"kb", kKiB},      Unit{"m", 1000000}, Unit{"mb", kMiB},
                                        Unit{"g", 1000000000}, Unit{"gb", kGiB}};
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::optional<uint64_t> number = ToNumber(text.substr(0, digits));
  if (!number) return std::nullopt;
  for (const Unit& unit : kUnits) {
    if (!SameName(text.substr(digits), unit.name)) continue;
    if (*number > UINT64_MAX / unit.bytes) return std::nullopt;
    return *number * unit.bytes;
  }
  return std::nullopt;
}

inline std::string BytesText(uint64_t bytes) {
  if (bytes != 0 && bytes % kGiB == 0) return std::to_string(bytes / kGiB) + "gb";
  if (bytes != 0 && bytes % kMiB == 0) return std::to_string(bytes / kMiB) + "mb";
  if (bytes != 0 && bytes % kKiB == 0) return std::to_string(bytes / kKiB) + "kb";
  return std::to_string(bytes);
}

template <uint64_t Config::*kMember, uint64_t kLow, uint64_t kHigh>
constexpr OptionKind Number() {
  return {.values = [] { return std::to_string(kLow) + " to " + std::to_string(kHigh); },
          .set = [](Config& config, Words words) -> MaybeError {
            const std::optional<uint64_t> value = ToNumber(words[0]);
            // A number below 0 is a number, only not one of these.
            if (!value && words[0].starts_with('-') && ToNumber(words[0].substr(1)))
              return Between(kLow, kHigh);
            if (!value) return "argument couldn't be parsed into an integer";
            if (*value < kLow || *value > kHigh) return Between(kLow, kHigh);
            config.*kMember = *value;
            return std::nullopt;
          },
          .get = [](const Config& config) { return std::to_string(config.*kMember); }};
}

// kMultiple: the value must be a multiple of it.
template <uint64_t Config::*kMember, uint64_t kLow, uint64_t kHigh, uint64_t kMultiple = 1>
constexpr OptionKind Bytes() {
  return {.values = [] { return BytesText(kLow) + " to " + BytesText(kHigh); },
          .set = [](Config& config, Words words) -> MaybeError {
            const std::optional<uint64_t> value = ToBytes(words[0]);
            if (!value) return "argument must be a memory value";
            if (*value < kLow || *value > kHigh) return Between(kLow, kHigh);
            if (*value % kMultiple != 0) return "argument must be a multiple of " + std::to_string(kMultiple);
            config.*kMember = *value;
            return std::nullopt;
          },
          .get = [](const Config& config) { return std::to_string(config.*kMember); }};
}

constexpr OptionKind Permissions() {
  return {.values = [] { return std::string("an octal mode, 0 to 777"); },
          .set = [](Config& config, Words words) -> MaybeError {
            const std::optional<uint64_t> value = ToNumber(words[0], 8);
            if (!value) return "argument couldn't be parsed into an octal number";
            if (*value > 0777) return "argument must be between 0 and 777 inclusive";
            config.unixsocketperm = *value;
            return std::nullopt;
          },
          .get =
              [](const Config& config) {
                std::array<char, 8> text;
                const auto end =
                    std::to_chars(text.data(), text.data() + text.size(), config.unixsocketperm, 8).ptr;
                return std::string(text.data(), end);
              }};
}

template <bool Config::*kMember>
constexpr OptionKind YesNo() {
  return {.values = [] { return std::string("yes, no"); },
          .set = [](Config& config, Words words) -> MaybeError {
            if (!SameName(words[0], "yes") && !SameName(words[0], "no"))
              return "argument must be 'yes' or 'no'";
            config.*kMember = SameName(words[0], "yes");
            return std::nullopt;
          },
          .get = [](const Config& config) { return std::string(config.*kMember ? "yes" : "no"); }};
}

// The names of an enumeration's values, in the order of the values.
inline constexpr std::array kLogLevels = {"debug", "verbose", "notice", "warning"};
inline constexpr std::array kAppendFsyncs = {"always", "everysec", "no"};
inline constexpr std::array kCommitWays = {"auto", "io_uring", "thread", "inline"};
inline constexpr std::array kPubsubDefaults = {"resetchannels", "allchannels"};
inline constexpr std::array kSupervisions = {"no", "systemd", "auto"};
inline constexpr std::array kTlsAuthClients = {"no", "yes", "optional"};
inline constexpr std::array kDebugCommands = {"no", "yes", "local"};

template <const auto& kNames>
std::string ListOf() {
  std::string list;
  for (const char* name : kNames) list += (list.empty() ? "" : ", ") + std::string(name);
  return list;
}

template <auto kMember, const auto& kNames>
constexpr OptionKind OneOf() {
  return {
      .values = ListOf<kNames>,
      .set = [](Config& config, Words words) -> MaybeError {
        for (size_t i = 0; i < kNames.size(); ++i) {
          if (!SameName(words[0], kNames[i])) continue;
          config.*kMember = static_cast<std::remove_reference_t<decltype(config.*kMember)>>(i);
          return std::nullopt;
        }
        return "argument(s) must be one of the following: " + ListOf<kNames>();
      },
      .get = [](const Config& config) { return std::string(kNames[static_cast<size_t>(config.*kMember)]); }};
}

template <std::string Config::*kMember, size_t kMaxBytes = 4096>
constexpr OptionKind Text() {
  return {.values = [] { return std::string("text"); },
          .set = [](Config& config, Words words) -> MaybeError {
            if (words[0].size() > kMaxBytes) {
              return "argument must have at most " + std::to_string(kMaxBytes) + " bytes";
            }
            if (words[0].find('\0') != std::string::npos) return "argument must not hold a zero byte";
            config.*kMember = words[0];
            return std::nullopt;
          },
          .get = [](const Config& config) { return config.*kMember; }};
}

template <std::string Config::*kMember>
constexpr OptionKind Secret() {
  OptionKind kind = Text<kMember>();
  kind.secret = true;
  return kind;
}

// A user a line; what his rules are worth is found out when the server learns its users. One word may hold
// them all
// (`--user "name rule rule"`); an empty one: no users.
constexpr OptionKind UserLines() {
  return {.values = [] { return std::string("<name> [rule ...]"); },
          .set = [](Config& config, Words words) -> MaybeError {
            if (words.empty()) return "wrong number of arguments";
            std::vector<std::string> split;
            if (words.size() == 1) {
              const auto inner = SplitWords(words[0]);
              if (!inner) return "unbalanced quotes";
              split = *inner;
              words = split;
            }
            if (words.empty()) {
              config.users.clear();
              return std::nullopt;
            }
            for (const std::vector<std::string>& user : config.users) {
              if (user[0] == words[0]) return "a user can be defined only once";
            }
            config.users.emplace_back(words.begin(), words.end());
            return std::nullopt;
          },
          // Rules hold secrets, and ACL LIST shows them to those who may see it.
          .get = [](const Config&) { return std::string(); },
          .secret = true,
          .repeated = true};
}

constexpr OptionKind Addresses() {
  return {.values = [] { return std::string("addresses"); },
          .set = [](Config& config, Words words) -> MaybeError {
            if (words.size() > 16) return "Too many bind addresses specified.";
            config.bind.assign(words.begin(), words.end());
            return std::nullopt;
          },
          .get =
              [](const Config& config) {
                std::string text;
                for (const std::string& address : config.bind) text += (text.empty() ? "" : " ") + address;
                return text;
              },
          .several_words = true};
}

inline std::optional<ClientClass> ToClientClass(std::string_view name) {
  if (SameName(name, "normal")) return ClientClass::kNormal;
  if (SameName(name, "slave") || SameName(name, "replica")) return ClientClass::kReplica;
  if (SameName(name, "pubsub")) return ClientClass::kPubsub;
  return std::nullopt;
}

// Groups of class, hard limit, soft limit, seconds; a class that is not named keeps what it has.
constexpr OptionKind OutputLimits() {
  return {.values =
              [] { return std::string("<normal, replica, pubsub> <hard bytes> <soft bytes> <seconds> ..."); },
          .set = [](Config& config, Words words) -> MaybeError {
            if (words.size() % 4 != 0) return "Wrong number of arguments in buffer limit configuration.";
            auto limits = config.output_limits;
            for (size_t i = 0; i < words.size(); i += 4) {
              const std::optional<ClientClass> client_class = ToClientClass(words[i]);
              if (!client_class) return "Invalid client class specified in buffer limit configuration.";
              const std::optional<uint64_t> hard = ToBytes(words[i + 1]);
              const std::optional<uint64_t> soft = ToBytes(words[i + 2]);
              const std::optional<uint64_t> seconds = ToNumber(words[i + 3]);
              if (!hard || !soft || !seconds) {
                return "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
              }
              limits[static_cast<size_t>(*client_class)] = {
                  .hard_bytes = *hard, .soft_bytes = *soft, .soft_seconds = *seconds};
            }
            config.output_limits = limits;
            return std::nullopt;
          },
          .get =
              [](const Config& config) {
                // Redis's own name for replicas here, which tools look for.
                constexpr std::array<std::string_view, kClientClasses> kNames = {"normal", "slave", "pubsub"};
                std::string text;
                for (size_t i = 0; i < kClientClasses; ++i) {
                  const OutputLimit& limit = config.output_limits[i];
                  text += (i == 0 ? "" : " ") + std::string(kNames[i]) + " " +
                          std::to_string(limit.hard_bytes) + " " + std::to_string(limit.soft_bytes) + " " +
                          std::to_string(limit.soft_seconds);
                }
                return text;
              },
          .several_words = true};
}

constexpr OptionKind KeyspaceEvents() {
  return {
      .values = [] { return std::string("letters of AKEg$lshzxetdmn, or empty"); },
      .set = [](Config& config, Words words) -> MaybeError {
        const std::optional<uint64_t> classes = commands::notify::Parse(words[0]);
        if (!classes) return "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";
        config.notify_keyspace_events = *classes;
        return std::nullopt;
      },
      .get = [](const Config& config) { return commands::notify::Format(config.notify_keyspace_events); }};
}

// A number that may be below zero.
template <int64_t Config::*kMember, int64_t kLow, int64_t kHigh>
constexpr OptionKind SignedNumber() {
  return {.values = [] { return std::to_string(kLow) + " to " + std::to_string(kHigh); },
          .set = [](Config& config, Words words) -> MaybeError {
            int64_t value = 0;
            const char* end = words[0].data() + words[0].size();
            const auto [read_to, error] = std::from_chars(words[0].data(), end, value);
            if (read_to != end || error == std::errc::invalid_argument) {
              return "argument couldn't be parsed into an integer";
            }
            if (error != std::errc() || value < kLow || value > kHigh) {
              return "argument must be between " + std::to_string(kLow) + " and " + std::to_string(kHigh) +
                     " inclusive";
            }
            config.*kMember = value;
            return std::nullopt;
          },
          .get = [](const Config& config) { return std::to_string(config.*kMember); }};
}

// An option of Redis that has one true value here: asked for by clients, never a choice.
inline constexpr char kEmpty[] = "";
inline constexpr char kYes[] = "yes";
inline constexpr char kNoEviction[] = "noeviction";
template <const char* kValue>
constexpr OptionKind Fixed() {
  return {.values = [] { return "only \"" + std::string(kValue) + "\""; },
          .set = [](Config&, Words words) -> MaybeError {
            if (SameName(words[0], kValue)) return std::nullopt;
            return "the only value that Sluice has for it is '" + std::string(kValue) + "'";
          },
          .get = [](const Config&) { return std::string(kValue); }};
}

}  // namespace sluice::option_kinds
