// The error texts that more than one command gives, as Redis words them. ReplyWriter::Error puts "ERR "
// before a text that does not begin with '-'.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::commands::errors {

inline constexpr std::string_view kWrongType =
    "-WRONGTYPE Operation against a key holding the wrong kind of value";
inline constexpr std::string_view kSyntax = "syntax error";
inline constexpr std::string_view kNotInteger = "value is not an integer or out of range";
inline constexpr std::string_view kNoSuchKey = "no such key";
inline constexpr std::string_view kInvalidStreamId = "Invalid stream ID specified as stream command argument";
inline constexpr std::string_view kNoAuth = "-NOAUTH Authentication required.";
inline constexpr std::string_view kOverflow = "increment or decrement would overflow";

// A write that the disk has no room for. Nothing was recorded; reads go on, and writes do once there is space
// again.
inline constexpr std::string_view kDiskFull =
    "-DISKFULL no space left for the log: writes are refused until there is";

// More memory is in use than the options allow.
inline constexpr std::string_view kOutOfMemory = "-OOM command not allowed when used memory > 'maxmemory'.";

// A change whose record would be larger than the log, or EXEC's reserve, can hold. Nothing was recorded.
inline constexpr std::string_view kTooLarge = "the change is too large for one record of the log";

inline std::string Concat(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (std::string_view part : parts) text.append(part);
  return text;
}

inline std::string WrongArity(std::string_view full_name) {
  return Concat({"wrong number of arguments for '", full_name, "' command"});
}
inline std::string UnknownSubcommand(std::string_view given, std::string_view container) {
  return Concat({"unknown subcommand '", given.substr(0, 128), "'. Try ", container, " HELP."});
}
// A message that does not match its checksum any more.
inline std::string Damaged(std::string_view file, uint64_t offset) {
  return Concat(
      {"-DAMAGED ", file, ", offset ", std::to_string(offset), ": the message does not match its checksum"});
}
// A subcommand that exists, with too many arguments.
inline std::string BadSubcommand(std::string_view given, std::string_view container) {
  return Concat({"unknown subcommand or wrong number of arguments for '", given.substr(0, 128), "'. Try ",
                 container, " HELP."});
}
// What XREADGROUP-less commands say of a missing key or group (XPENDING, XCLAIM, XAUTOCLAIM).
inline std::string NoKeyOrGroup(std::string_view key, std::string_view group) {
  return Concat({"-NOGROUP No such key '", key, "' or consumer group '", group, "'"});
}
inline std::string NoGroupForKey(std::string_view key, std::string_view group) {
  return Concat({"-NOGROUP No such consumer group '", group, "' for key name '", key, "'"});
}

}  // namespace sluice::commands::errors
