// Figures as JSON.
#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace sluice::flash_sale {

// An object that is written member by member.
class JsonObject {
 public:
  template <std::same_as<bool> Bool>
  JsonObject& Add(std::string_view name, Bool value) {
    return Member(name, value ? "true" : "false");
  }
  JsonObject& Add(std::string_view name, uint64_t value) { return Member(name, std::to_string(value)); }
  JsonObject& Add(std::string_view name, double value) {
    char text[40];
    std::snprintf(text, sizeof text, "%.3f", std::isfinite(value) ? value : 0.0);
    return Member(name, text);
  }
  JsonObject& Add(std::string_view name, std::string_view value) { return Member(name, Quoted(value)); }
  JsonObject& Add(std::string_view name, const JsonObject& value) { return Member(name, value.text()); }

  std::string text() const { return "{" + members_ + "}"; }

 private:
  JsonObject& Member(std::string_view name, const std::string& value) {
    if (!members_.empty()) members_ += ", ";
    members_ += Quoted(name) + ": " + value;
    return *this;
  }
  static std::string Quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') {
        out += '\\';
        out += c;
      } else if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) {
        // What names hold may be any bytes: shown as Latin-1.
        char escape[8];
        std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
        out += escape;
      } else {
        out += c;
      }
    }
    return out + '"';
  }

  std::string members_;
};

}  // namespace sluice::flash_sale
