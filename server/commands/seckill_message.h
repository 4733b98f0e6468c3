// The messages that a sale appends to its streams.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "protocol/wire.h"
#include "server/engine/decimal.h"
#include "server/engine/stock_item.h"

namespace sluice::commands {

// Fields as RESP bulk strings, on the stack as long as names are short.
class OrderMessage {
 public:
  // A field's name of up to 8 letters, whose bulk string is made when the program is.
  class Name {
   public:
    template <size_t N>
    consteval Name(const char (&text)[N]) {
      static_assert(N > 1 && N <= 9);
      Put('$').Put('0' + N - 1).Put('\r').Put('\n');
      for (size_t i = 0; i + 1 < N; ++i) Put(text[i]);
      Put('\r').Put('\n');
    }

   private:
    friend class OrderMessage;
    consteval Name& Put(char c) {
      bulk_[size_++] = c;
      return *this;
    }

    char bulk_[16] = {};  // copied as a whole
    uint8_t size_ = 0;
  };

  OrderMessage() = default;
  OrderMessage(const OrderMessage&) = delete;
  OrderMessage& operator=(const OrderMessage&) = delete;

  OrderMessage& Field(const Name& name, std::string_view value) {
    PutName(name, value.size());
    end_ = protocol::WriteBulk(end_, value);
    return *this;
  }
  OrderMessage& Field(const Name& name, uint64_t value) {
    char text[engine::kDecimalRoom];
    return Field(name, std::string_view(text, engine::WriteDecimal(text, value)));
  }
  OrderMessage& Field(const Name& name, engine::StreamId id) {
    return Field(name, engine::StreamIdText(id).view());
  }
  // A value that is a bulk string already.
  OrderMessage& BulkField(const Name& name, const protocol::AlteredBytes& bulk) {
    PutName(name, bulk.size());
    end_ = bulk.WriteTo(end_);
    return *this;
  }
  // A name that is made up as the message is.
  OrderMessage& MadeField(std::string_view name, std::string_view value) {
    MakeRoom(2 * protocol::kBulkFrame + name.size() + value.size());
    end_ = protocol::WriteBulk(protocol::WriteBulk(end_, name), value);
    ++pairs_;
    return *this;
  }
  // What becomes of an order that the item remembers: item, order, user, qty, and reqid where there is one.
  OrderMessage& Order(std::string_view item_key, const engine::StockItem& item, const engine::Order& order) {
    Field("item", item_key).Field("order", order.id).Field("user", item.buyers().NameOf(order.buyer));
    Field("qty", order.quantity);
    if (order.request != engine::RequestTable::kNone) Field("reqid", item.requests().IdOf(order.request));
    return *this;
  }

  std::string_view fields() const { return {begin_, end_}; }
  uint32_t pairs() const { return pairs_; }

 private:
  void PutName(const Name& name, size_t value_bytes) {
    MakeRoom(sizeof name.bulk_ + protocol::kBulkFrame + value_bytes);
    std::memcpy(end_, name.bulk_, sizeof name.bulk_);
    end_ += name.size_;
    ++pairs_;
  }
  void MakeRoom(size_t bytes) {
    if (static_cast<size_t>(limit_ - end_) < bytes) [[unlikely]]
      Grow(bytes);
  }
  void Grow(size_t bytes) {
    const auto used = static_cast<size_t>(end_ - begin_);
    const size_t room = 2 * used + bytes;
    auto heap = std::make_unique<char[]>(room);
    std::memcpy(heap.get(), begin_, used);
    heap_ = std::move(heap);
    begin_ = heap_.get();
    end_ = begin_ + used;
    limit_ = begin_ + room;
  }

  char inline_[512];
  std::unique_ptr<char[]> heap_;  // once inline_ is too small
  char* begin_ = inline_;
  char* end_ = inline_;
  const char* limit_ = inline_ + sizeof inline_;
  uint32_t pairs_ = 0;
};

}  // namespace sluice::commands
