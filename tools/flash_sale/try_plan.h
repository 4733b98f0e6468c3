// Who tries to buy, and when he clicks twice: decided by the seed, so that nothing has to be remembered.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tools/flash_sale/options.h"

namespace sluice::flash_sale {

// Text of a number behind a prefix, on the stack.
class ShortText {
 public:
  ShortText(std::string_view prefix, uint64_t number) {
    prefix.copy(bytes_.data(), prefix.size());
    char* end = std::to_chars(bytes_.data() + prefix.size(), bytes_.data() + bytes_.size(), number).ptr;
    size_ = static_cast<size_t>(end - bytes_.data());
  }
  std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, 48> bytes_;
  size_t size_;
};

class TryPlan {
 public:
  explicit TryPlan(const Options& options)
      : seed_(options.seed),
        users_(options.users),
        tries_(options.tries),
        doubled_(options.double_clicks),
        requests_("t" + std::to_string(options.seed) + "-") {}

  uint32_t UserOf(uint32_t attempt) const { return static_cast<uint32_t>(Mix(attempt) % users_); }
  bool IsDoubled(uint32_t attempt) const { return Share(Mix(~uint64_t{attempt})) < doubled_; }

  ShortText UserName(uint32_t user) const { return {"u", user}; }
  ShortText RequestName(uint32_t attempt) const { return {requests_, attempt}; }
  // What a name stands for; nullopt: nobody, and nothing, of ours.
  std::optional<uint32_t> UserNamed(std::string_view name) const { return Numbered(name, "u", users_); }
  std::optional<uint32_t> AttemptNamed(std::string_view request) const {
    return Numbered(request, requests_, tries_);
  }

  // Uniform in [0, 1).
  static double Share(uint64_t random) { return static_cast<double>(random >> 11) * 0x1p-53; }
  // SplitMix64 (Steele, Lea, Flood 2014), one step from `n`.
  uint64_t Mix(uint64_t n) const {
    uint64_t z = seed_ * 0xD1342543DE82EF95u + (n + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

 private:
  static std::optional<uint32_t> Numbered(std::string_view name, std::string_view prefix, uint64_t below) {
    if (name.substr(0, prefix.size()) != prefix) return std::nullopt;
    uint32_t number = 0;
    const char* end = name.data() + name.size();
    const auto [stopped, error] = std::from_chars(name.data() + prefix.size(), end, number);
    if (error != std::errc() || stopped != end || number >= below) return std::nullopt;
    return number;
  }

  uint64_t seed_;
  uint64_t users_;
  uint64_t tries_;
  double doubled_;
  std::string requests_;
};

}  // namespace sluice::flash_sale
