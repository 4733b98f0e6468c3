// The messages that a sale appends to its streams.
#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>

#include <absl/container/inlined_vector.h>

#include "server/engine/stock_item.h"

namespace sluice::commands {

// Fields as RESP bulk strings, on the stack as long as names are short.
class OrderMessage {
 public:
  OrderMessage& Field(std::string_view name, std::string_view value) {
    Bulk(name);
    Bulk(value);
    ++pairs_;
    return *this;
  }
  OrderMessage& Field(std::string_view name, uint64_t value) {
    char text[24];
    const char* end = std::to_chars(text, text + sizeof text, value).ptr;
    return Field(name, std::string_view(text, static_cast<size_t>(end - text)));
  }
  OrderMessage& Field(std::string_view name, engine::StreamId id) {
    return Field(name, engine::StreamIdText(id).view());
  }
  // What becomes of an order that the item remembers: item, order, user, qty, and reqid where there is one.
  OrderMessage& Order(std::string_view item_key, const engine::StockItem& item, const engine::Order& order) {
    Field("item", item_key).Field("order", order.id).Field("user", item.buyers().NameOf(order.buyer));
    Field("qty", order.quantity);
    if (order.request != engine::RequestTable::kNone) Field("reqid", item.requests().IdOf(order.request));
    return *this;
  }

  std::string_view fields() const { return {bytes_.data(), bytes_.size()}; }
  uint32_t pairs() const { return pairs_; }

 private:
  void Bulk(std::string_view bytes) {
    char header[24] = "$";
    char* end = std::to_chars(header + 1, header + sizeof header, bytes.size()).ptr;
    *end++ = '\r';
    *end++ = '\n';
    bytes_.insert(bytes_.end(), header, end);
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    bytes_.push_back('\r');
    bytes_.push_back('\n');
  }

  absl::InlinedVector<char, 480> bytes_;
  uint32_t pairs_ = 0;
};

}  // namespace sluice::commands
