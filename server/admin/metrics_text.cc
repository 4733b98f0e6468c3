#include "server/admin/metrics_text.h"

#include <array>
#include <charconv>

namespace sluice::admin {
namespace {

// How many bytes the UTF-8 character at the front of `text` has; 0: it is none.
size_t CharacterBytes(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return 1;
  const size_t bytes = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
  if (byte(0) < 0xC2 || byte(0) > 0xF4 || text.size() < bytes) return 0;
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Longer than it need be, half of a surrogate pair, or beyond the last character.
  const bool wrong = (byte(0) == 0xE0 && byte(1) < 0xA0) || (byte(0) == 0xED && byte(1) > 0x9F) ||
                     (byte(0) == 0xF0 && byte(1) < 0x90) || (byte(0) == 0xF4 && byte(1) > 0x8F);
  return wrong ? 0 : bytes;
}

}  // namespace

std::string LabelValue(std::string_view value) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  while (!value.empty()) {
    const size_t bytes = CharacterBytes(value);
    const auto first = static_cast<unsigned char>(value[0]);
    if (bytes == 0 || first < 0x20 || first == 0x7F) {
      text += first == '\n' ? "\\n" : std::string("\\\\x") + kHex[first >> 4] + kHex[first & 15];
    } else if (first == '\\' || first == '"') {
      text += {'\\', value[0]};
    } else {
      text += value.substr(0, bytes);
    }
    value.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return text;
}

void MetricsText::Family(std::string_view name, std::string_view help, std::string_view type) {
  name_ = name;
  text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
  text_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
}

void MetricsText::Begin(Labels labels, std::string_view suffix) {
  text_.append(name_).append(suffix);
  char before = '{';
  for (const auto& [name, value] : labels) {
    text_ += before;
    text_.append(name).append("=\"").append(LabelValue(value)).append("\"");
    before = ',';
  }
  if (labels.size() != 0) text_ += '}';
  text_ += ' ';
}

void MetricsText::Sample(uint64_t value, Labels labels, std::string_view suffix) {
  Begin(labels, suffix);
  text_.append(std::to_string(value)).append("\n");
}

void MetricsText::Sample(double value, Labels labels, std::string_view suffix) {
  Begin(labels, suffix);
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  text_.append(digits.data(), end).append("\n");
}

}  // namespace sluice::admin
