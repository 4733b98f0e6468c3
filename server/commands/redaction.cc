#include "server/commands/redaction.h"

#include "server/commands/arguments.h"

namespace sluice::commands {
namespace {

// Options whose values are secrets: "requirepass", "tls-key-file-pass", "masterauth", "masteruser" ...
bool IsSecretOption(std::string_view name) {
  const std::string lower = ToLower(name);
  return lower.find("pass") != std::string::npos || lower.starts_with("master");
}

// HELLO [version] AUTH user password: the two words behind AUTH.
bool IsHelloSecret(std::span<const std::string_view> args, size_t i) {
  return (i >= 1 && IsWord(args[i - 1], "AUTH")) || (i >= 2 && IsWord(args[i - 2], "AUTH"));
}

}  // namespace

bool IsSecret(const Command& command, std::span<const std::string_view> args, size_t i) {
  if (command.name == "auth") return i >= 1;
  if (command.name == "hello") return IsHelloSecret(args, i);
  if (command.name == "acl|setuser") return i >= 2;
  if (command.name == "config|set") return i >= 3 && i % 2 == 1 && IsSecretOption(args[i - 1]);
  return false;
}

}  // namespace sluice::commands
