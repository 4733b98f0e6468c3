#include "server/commands/acl_secret.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace sluice::commands::acl {
namespace {

int DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string ToHexText(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Secret Secret::Of(std::string_view password) {
  Secret secret;
  SHA256(reinterpret_cast<const unsigned char*>(password.data()), password.size(), secret.digest_.data());
  return secret;
}

std::optional<Secret> Secret::FromHex(std::string_view hex) {
  Secret secret;
  if (hex.size() != secret.digest_.size() * 2) return std::nullopt;
  for (size_t i = 0; i < secret.digest_.size(); ++i) {
    const int high = DigitOf(hex[i * 2]);
    const int low = DigitOf(hex[i * 2 + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    secret.digest_[i] = static_cast<unsigned char>(high << 4 | low);
  }
  return secret;
}

std::string Secret::ToHex() const {
  return ToHexText({reinterpret_cast<const char*>(digest_.data()), digest_.size()});
}

bool Secret::operator==(const Secret& other) const {
  return CRYPTO_memcmp(digest_.data(), other.digest_.data(), digest_.size()) == 0;
}

}  // namespace sluice::commands::acl
