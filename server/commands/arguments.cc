#include "server/commands/arguments.h"

#include <charconv>
#include <cmath>

#include "protocol/wire.h"

namespace sluice::commands {
namespace {

constexpr size_t kMaxIdBytes = 127;  // as Redis bounds the text of an ID

std::optional<uint64_t> ParseUnsigned(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<int64_t> ParseInteger(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const std::string_view digits = text[0] == '-' ? text.substr(1) : text;
  if (digits.empty() || (digits[0] == '0' && text.size() > 1)) return std::nullopt;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> ParseDouble(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || std::isnan(value)) return std::nullopt;
  return value;
}

bool IsWord(std::string_view text, std::string_view word) {
  if (text.size() != word.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c) != word[i]) return false;
  }
  return true;
}

std::string ToLower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::optional<engine::StreamId> ParseStreamId(std::string_view text, uint64_t missing_seq) {
  if (text.size() > kMaxIdBytes) return std::nullopt;
  const size_t dash = text.find('-');
  const auto ms = ParseUnsigned(text.substr(0, dash));
  if (!ms) return std::nullopt;
  if (dash == std::string_view::npos) return engine::StreamId{*ms, missing_seq};
  const auto seq = ParseUnsigned(text.substr(dash + 1));
  if (!seq) return std::nullopt;
  return engine::StreamId{*ms, *seq};
}

std::optional<engine::StreamId> ParseLooseStreamId(std::string_view text, uint64_t missing_seq) {
  if (text == "-") return engine::kMinStreamId;
  if (text == "+") return engine::kMaxStreamId;
  return ParseStreamId(text, missing_seq);
}

std::optional<RangeBound> ParseRangeBound(std::string_view text, uint64_t missing_seq) {
  if (text.size() > 1 && text[0] == '(') {
    const auto id = ParseStreamId(text.substr(1), missing_seq);
    if (!id) return std::nullopt;
    return RangeBound{*id, true};
  }
  const auto id = ParseLooseStreamId(text, missing_seq);
  if (!id) return std::nullopt;
  return RangeBound{*id, false};
}

void AppendBulk(std::string& out, std::string_view bytes) {
  char header[protocol::kMaxLine];
  out.append(header, protocol::WriteLine(header, '$', bytes.size()));
  out.append(bytes);
  out.append("\r\n", 2);
}

}  // namespace sluice::commands
