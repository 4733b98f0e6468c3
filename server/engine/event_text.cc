#include "server/engine/event_text.h"

#include <array>
#include <charconv>
#include <span>
#include <type_traits>

namespace sluice::engine {
namespace {

// An event's name, and those of its members in the order of its Visit(), with blanks in between.
struct EventRow {
  uint8_t type;
  std::string_view name;
  std::string_view members;
};
constexpr EventRow kRows[] = {
    {1, "CreateKey", "object db type key"},
    {2, "RemoveKey", "object"},
    {3, "RenameKey", "object db key"},
    {4, "FlushKeys", "db"},
    {5, "SetString", "object value"},
    {6, "SetExpiry", "object unix_ms"},
    {7, "SwapDatabases", "first second"},
    {8, "WriteString", "object offset bytes"},
    {16, "AppendEntry", "body_offset stream id pairs fields"},
    {17, "TrimStream", "stream last"},
    {18, "DeleteEntries", "stream ids"},
    {19, "SetStreamId", "stream last entries_added max_deleted"},
    {20, "CreateGroup", "stream group last_delivered entries_read name"},
    {21, "SetGroupId", "stream group last_delivered entries_read"},
    {22, "DestroyGroup", "stream group"},
    {23, "CreateConsumer", "stream group consumer now_ms name"},
    {24, "DeleteConsumer", "stream group consumer"},
    {25, "Deliver", "stream group consumer now_ms last entries_read no_ack"},
    {26, "Redeliver", "stream group consumer now_ms ids"},
    {27, "Release", "stream group ids"},
    {28, "Claim", "stream group consumer now_ms delivered_ms count deliveries ids"},
    {29, "TrimEntries", "stream ids"},
    {30, "GiveBack", "stream group count deliveries ids"},
    {31, "LimitProducers", "stream seconds messages"},
    {32, "RememberMessage", "stream entry most producer message"},
    {33, "CountDuplicate", "stream"},
    {34, "ForgetMessages", "stream through_ms"},
    {35, "SetRetention", "stream ms bytes"},
    {49, "AddStock", "item delta"},
    {51, "SetSaleRules",
     "item start_ms end_ms limit max_quantity hold_ms rate rate_ms max_backlog idem_ms keep_quota events "
     "stream "
     "event_stream backlog_group"},
    {52, "AddStockOnce", "item delta now_ms request"},
    {53, "PlaceOrder", "item order now_ms deadline_ms quantity flags user request"},
    {54, "BindOrders", "item order items stream"},
    {55, "SettleOrders", "item state flags now_ms orders"},
    {56, "ReacquireOrder", "item order now_ms"},
    {57, "ExtendOrder", "item order deadline_ms"},
    {58, "PauseSale", "item pause now_ms"},
    {59, "ForgetOrders", "item closed_ms order restocks"},
    {60, "ForgetOrder", "item order"},
};

const EventRow* FindRow(uint8_t type) {
  for (const EventRow& row : kRows) {
    if (row.type == type) return &row;
  }
  return nullptr;
}

constexpr size_t kMostIds = 8;  // of a list, shown

std::string Text(StreamId id) {
  return std::to_string(id.ms) + "-" + std::to_string(id.seq);
}

// Writes " name=value" for each member that Visit() names.
struct MemberWriter {
  std::string& out;
  std::string_view members;
  const KeyNames& names;
  size_t most_bytes;

  void Name() {
    const size_t blank = members.find(' ');
    out += ' ';
    out += members.empty() ? "member" : members.substr(0, blank);
    out += '=';
    members = blank == std::string_view::npos ? std::string_view() : members.substr(blank + 1);
  }
  template <typename T>
  requires std::is_integral_v<T>
  void operator()(const T& value) {
    Name();
    out += std::to_string(value);
  }
  template <typename T>
  requires std::is_enum_v<T>
  void operator()(const T& value) {
    Name();
    if constexpr (std::is_same_v<T, ObjectId>) {
      const std::string* key = names.Find(value);
      out +=
          key != nullptr ? QuotedBytes(*key, most_bytes) : "#" + std::to_string(static_cast<uint64_t>(value));
    } else {
      out += std::to_string(static_cast<uint64_t>(value));
    }
  }
  void operator()(const StreamId& id) {
    Name();
    out += Text(id);
  }
  void operator()(const std::string_view& bytes) {
    Name();
    out += QuotedBytes(bytes, most_bytes);
  }
  void operator()(const std::span<const StreamId>& ids) {
    Name();
    out += std::to_string(ids.size()) + "[";
    for (size_t i = 0; i < ids.size() && i < kMostIds; ++i) out += (i == 0 ? "" : " ") + Text(ids[i]);
    out += ids.size() > kMostIds ? " ...]" : "]";
  }
  void operator()(const std::span<const ObjectId>& objects) {
    Name();
    out += std::to_string(objects.size()) + "[";
    for (size_t i = 0; i < objects.size() && i < kMostIds; ++i) {
      out += (i == 0 ? "" : " ") + std::to_string(static_cast<uint64_t>(objects[i]));
    }
    out += objects.size() > kMostIds ? " ...]" : "]";
  }
  void operator()(const std::optional<uint64_t>& value) {
    Name();
    out += value ? std::to_string(*value) : "none";
  }
};

}  // namespace

void KeyNames::Note(const Event& event) {
  if (const auto* create = std::get_if<CreateKey>(&event)) {
    names_[static_cast<uint64_t>(create->object)] = create->key;
  } else if (const auto* rename = std::get_if<RenameKey>(&event)) {
    names_[static_cast<uint64_t>(rename->object)] = rename->key;
  } else if (const auto* remove = std::get_if<RemoveKey>(&event)) {
    names_.erase(static_cast<uint64_t>(remove->object));
  }
}

const std::string* KeyNames::Find(ObjectId object) const {
  const auto found = names_.find(static_cast<uint64_t>(object));
  return found == names_.end() ? nullptr : &found->second;
}

std::string EventText(const Event& event, const KeyNames& names, size_t most_bytes) {
  return std::visit(
      [&](const auto& e) {
        const EventRow* row = FindRow(e.kType);
        std::string text = row != nullptr ? std::string(row->name) : "event " + std::to_string(e.kType);
        MemberWriter writer{text, row != nullptr ? row->members : "", names, most_bytes};
        e.Visit(e, writer);
        return text;
      },
      event);
}

std::string QuotedBytes(std::string_view bytes, size_t most) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text = "\"";
  for (const char c : bytes.substr(0, most)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (c == '\r') {
      text += "\\r";
    } else if (c == '\n') {
      text += "\\n";
    } else if (byte < 0x20 || byte >= 0x7f) {
      text += "\\x";
      text += kHex[byte >> 4];
      text += kHex[byte & 15];
    } else {
      text += c;
    }
  }
  text += '"';
  if (bytes.size() > most) text += "...(" + std::to_string(bytes.size()) + " bytes)";
  return text;
}

}  // namespace sluice::engine
