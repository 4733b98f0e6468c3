#include "tests/harness/reply.h"

#include <charconv>
#include <optional>

namespace sluice::tests {
namespace {

// A reply deeper than this is no reply of ours: the parser must not run out of stack over a broken server.
constexpr int kMaxDepth = 32;

class Parser {
 public:
  explicit Parser(std::string_view bytes) : bytes_(bytes) {}

  ParseStatus Parse(Reply& reply, int depth = 0) {
    if (depth > kMaxDepth) return ParseStatus::kMalformed;
    if (position_ >= bytes_.size()) return ParseStatus::kNeedMore;
    const char type = bytes_[position_++];
    const std::optional<std::string_view> line = Line();
    if (!line) return ParseStatus::kNeedMore;
    if (line->find_first_of("\r\n") != std::string_view::npos) return ParseStatus::kMalformed;
    reply = Reply{.type = Reply::Type::kNull, .text = std::string(*line), .elements = {}};
    switch (type) {
      case '+': reply.type = Reply::Type::kSimple; return ParseStatus::kReply;
      case '-': reply.type = Reply::Type::kError; return ParseStatus::kReply;
      case ',': reply.type = Reply::Type::kDouble; return ParseStatus::kReply;
      case '(': reply.type = Reply::Type::kBigNumber; return ParseStatus::kReply;
      case ':':
        reply.type = Reply::Type::kInteger;
        return Number(*line) ? ParseStatus::kReply : ParseStatus::kMalformed;
      case '#':
        reply.type = Reply::Type::kBoolean;
        return *line == "t" || *line == "f" ? ParseStatus::kReply : ParseStatus::kMalformed;
      case '_':
        return line->empty() ? ParseStatus::kReply : ParseStatus::kMalformed;
      case '$': return Text(reply, *line, Reply::Type::kBulk);
      case '=': return Text(reply, *line, Reply::Type::kVerbatim);
      case '*': return Elements(reply, *line, Reply::Type::kArray, 1, depth);
      case '~': return Elements(reply, *line, Reply::Type::kSet, 1, depth);
      case '>': return Elements(reply, *line, Reply::Type::kPush, 1, depth);
      case '%': return Elements(reply, *line, Reply::Type::kMap, 2, depth);
      default: return ParseStatus::kMalformed;
    }
  }

  size_t position() const { return position_; }

 private:
  static std::optional<int64_t> Number(std::string_view digits) {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return value;
  }

  std::optional<std::string_view> Line() {
    const size_t end = bytes_.find("\r\n", position_);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = bytes_.substr(position_, end - position_);
    position_ = end + 2;
    return line;
  }

  ParseStatus Text(Reply& reply, std::string_view length_digits, Reply::Type type) {
    const std::optional<int64_t> length = Number(length_digits);
    if (length == -1 && type == Reply::Type::kBulk) {
      reply.type = Reply::Type::kNullBulk;
      reply.text.clear();
      return ParseStatus::kReply;
    }
    if (!length || *length < 0) return ParseStatus::kMalformed;
    const auto size = static_cast<size_t>(*length);
    if (bytes_.size() - position_ < size + 2) return ParseStatus::kNeedMore;
    if (bytes_.substr(position_ + size, 2) != "\r\n") return ParseStatus::kMalformed;
    reply.type = type;
    reply.text = bytes_.substr(position_, size);
    if (type == Reply::Type::kVerbatim && (size < 4 || reply.text[3] != ':')) return ParseStatus::kMalformed;
    position_ += size + 2;
    return ParseStatus::kReply;
  }

  ParseStatus Elements(Reply& reply, std::string_view count_digits, Reply::Type type, int64_t each, int depth) {
    const std::optional<int64_t> count = Number(count_digits);
    reply.text.clear();
    if (count == -1 && type == Reply::Type::kArray) {
      reply.type = Reply::Type::kNullArray;
      return ParseStatus::kReply;
    }
    if (!count || *count < 0) return ParseStatus::kMalformed;
    reply.type = type;
    for (int64_t i = 0; i < *count * each; ++i) {
      const ParseStatus status = Parse(reply.elements.emplace_back(), depth + 1);
      if (status != ParseStatus::kReply) return status;
    }
    return ParseStatus::kReply;
  }

  std::string_view bytes_;
  size_t position_ = 0;
};

void Format(const Reply& reply, const std::string& indent, std::string& out);

// "1) ", " 9) ", "10) ": the numbers of one aggregate are equally wide, and what hangs on an element is indented by
// that width.
void FormatElements(const Reply& reply, std::string_view name, char mark, const std::string& indent,
                    std::string& out) {
  if (reply.elements.empty()) {
    out.append("(empty ").append(name).append(")");
    return;
  }
  const size_t step = reply.type == Reply::Type::kMap ? 2 : 1;
  const size_t digits = std::to_string(reply.elements.size() / step).size();
  const std::string inner = indent + std::string(digits + 2, ' ');
  for (size_t i = 0; i < reply.elements.size(); i += step) {
    if (i > 0) out.append("\n").append(indent);
    const std::string number = std::to_string(i / step + 1);
    out.append(digits - number.size(), ' ').append(number);
    out.push_back(mark);
    out.push_back(' ');
    Format(reply.elements[i], inner, out);
    if (step == 1) continue;
    const Reply& value = reply.elements[i + 1];
    out.append(" =>");
    // An aggregate as a value begins on a line of its own, so that its columns do not depend on the key.
    if (value.elements.empty()) {
      out.push_back(' ');
      Format(value, inner, out);
    } else {
      const std::string deeper = inner + "   ";
      out.append("\n").append(deeper);
      Format(value, deeper, out);
    }
  }
}

void Format(const Reply& reply, const std::string& indent, std::string& out) {
  switch (reply.type) {
    case Reply::Type::kSimple: out.append("+").append(reply.text); return;
    case Reply::Type::kError: out.append("-").append(reply.text); return;
    case Reply::Type::kInteger: out.append("(integer) ").append(reply.text); return;
    case Reply::Type::kBulk: out.append(Quoted(reply.text)); return;
    case Reply::Type::kNullBulk: out.append("(nil)"); return;
    case Reply::Type::kNullArray: out.append("(nilarray)"); return;
    case Reply::Type::kNull: out.append("(null)"); return;
    case Reply::Type::kDouble: out.append("(double) ").append(reply.text); return;
    case Reply::Type::kBoolean: out.append(reply.text == "t" ? "(true)" : "(false)"); return;
    case Reply::Type::kBigNumber: out.append("(big number) ").append(reply.text); return;
    case Reply::Type::kVerbatim:
      out.append("(verbatim ").append(reply.text, 0, 3).append(") ").append(
          Quoted(std::string_view(reply.text).substr(4)));
      return;
    case Reply::Type::kArray: FormatElements(reply, "array", ')', indent, out); return;
    case Reply::Type::kSet: FormatElements(reply, "set", '~', indent, out); return;
    case Reply::Type::kMap: FormatElements(reply, "map", '#', indent, out); return;
    case Reply::Type::kPush: FormatElements(reply, "push", '>', indent, out); return;
  }
}

}  // namespace

ParseStatus ParseReply(std::string_view bytes, Reply& reply, size_t& consumed) {
  Parser parser(bytes);
  const ParseStatus status = parser.Parse(reply);
  consumed = status == ParseStatus::kReply ? parser.position() : 0;
  return status;
}

std::string FormatReply(const Reply& reply) {
  std::string out;
  Format(reply, "", out);
  return out;
}

std::string Quoted(std::string_view bytes) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"': out.append("\\\""); break;
      case '\\': out.append("\\\\"); break;
      case '\n': out.append("\\n"); break;
      case '\r': out.append("\\r"); break;
      case '\t': out.append("\\t"); break;
      default:
        if (byte < 0x20 || byte >= 0x7f) {
          out.append("\\x");
          out.push_back(kHex[byte >> 4]);
          out.push_back(kHex[byte & 15]);
        } else {
          out.push_back(c);
        }
    }
  }
  out.push_back('"');
  return out;
}

}  // namespace sluice::tests
