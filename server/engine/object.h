// A key and its value.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "server/engine/object_id.h"
#include "server/engine/stock_item.h"
#include "server/engine/stream.h"

namespace sluice::engine {

// As recorded: never renumber.
enum class ObjectType : uint8_t { kString = 1, kStream = 2, kStockItem = 3 };

// What TYPE says.
constexpr std::string_view TypeName(ObjectType type) {
  switch (type) {
    case ObjectType::kString:
      return "string";
    case ObjectType::kStream:
      return "stream";
    case ObjectType::kStockItem:
      return "seckill";
  }
  return "none";
}

struct Object {
  ObjectId id = kNoObject;
  uint8_t db = 0;          // where it is stored; Keyspace::DatabaseOf() says what clients call that
  uint32_t flush = 0;      // how often that had been flushed when the object came there
  uint64_t expire_ms = 0;  // unix time at which it is dead; 0: never
  std::string key;
  std::variant<std::string, std::unique_ptr<Stream>, std::unique_ptr<StockItem>> value;

  // Dead, though nobody has recorded its end yet.
  // An item with something on hold lives on until nothing is.
  bool IsDue(uint64_t now_ms) const { return expire_ms != 0 && expire_ms <= now_ms && !HasHolds(); }
  bool HasHolds() const { return type() == ObjectType::kStockItem && item().held() != 0; }
  ObjectType type() const { return static_cast<ObjectType>(value.index() + 1); }
  const std::string& string() const { return *std::get_if<std::string>(&value); }
  const Stream& stream() const { return **std::get_if<std::unique_ptr<Stream>>(&value); }
  const StockItem& item() const { return **std::get_if<std::unique_ptr<StockItem>>(&value); }
  // About what it takes, its slot and its key's place in the index included. What has many parts is judged by
  // its first `samples`.
  size_t memory_bytes(size_t samples) const;
};

}  // namespace sluice::engine
