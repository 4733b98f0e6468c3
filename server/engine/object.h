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
  uint8_t db = 0;
  std::string key;
  std::variant<std::string, std::unique_ptr<Stream>, std::unique_ptr<StockItem>> value;

  ObjectType type() const { return static_cast<ObjectType>(value.index() + 1); }
  const std::string& string() const { return *std::get_if<std::string>(&value); }
  const Stream& stream() const { return **std::get_if<std::unique_ptr<Stream>>(&value); }
  const StockItem& item() const { return **std::get_if<std::unique_ptr<StockItem>>(&value); }
};

}  // namespace sluice::engine
