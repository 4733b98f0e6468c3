// Passwords, as they are kept: never themselves, only their SHA-256.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::commands::acl {

// What is known of a password. SHA-256 without salt, as ACL files of Redis have it: it hides good passwords
// (ACL GENPASS makes them), not words of a dictionary.
class Secret {
 public:
  static Secret Of(std::string_view password);
  // From 64 hexadecimal digits, the letters in lower case.
  static std::optional<Secret> FromHex(std::string_view hex);

  std::string ToHex() const;
  // Takes as long whether they differ in the first byte or not at all.
  bool operator==(const Secret& other) const;

 private:
  std::array<unsigned char, 32> digest_{};
};

// `bytes` as hexadecimal digits.
std::string ToHexText(std::string_view bytes);

}  // namespace sluice::commands::acl
