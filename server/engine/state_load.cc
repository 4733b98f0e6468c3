#include "server/engine/state_load.h"

#include <algorithm>
#include <array>
#include <utility>

#include "server/engine/field_codec.h"

namespace sluice::engine {
namespace {

tl::unexpected<storage::Error> Corrupt(std::string message) {
  return tl::make_unexpected(storage::Error{storage::Error::Code::kCorrupt, std::move(message)});
}

constexpr uint64_t kLeastSlotBytes = 9;  // of the record that names a slot

}  // namespace

storage::Result<void> StateLoad::Take(std::string_view block) {
  std::vector<StreamId> ids;
  std::vector<ObjectId> objects;
  FieldReader reader{block, &ids, &objects};
  while (!reader.in.empty()) {
    uint8_t type = 0;
    reader(type);
    StateRecord record;
    if (!ReadAs(type, reader, record)) {
      return Corrupt("record " + std::to_string(records_) +
                     " is malformed, or of a type that this version does not know");
    }
    if (!std::visit([this](const auto& one) { return TakeRecord(one); }, record)) {
      return Corrupt("record " + std::to_string(records_) + ", of type " + std::to_string(type) +
                     ", does not fit those before it");
    }
    ++records_;
  }
  return {};
}

storage::Result<Keyspace> StateLoad::Finish() {
  if (!begun_ || slots_ != keys_.slots()) return Corrupt("records of some keys are missing");
  for (auto& [id, load] : loads_) {
    if (std::visit([](auto& one) { return one.Finish(); }, *load)) continue;
    return Corrupt("records of the object " + std::to_string(static_cast<uint64_t>(id)) + " are missing");
  }
  return std::move(keys_);
}

bool StateLoad::TakeRecord(const StateBegin& record) {
  if (begun_ || record.slots > bytes_ / kLeastSlotBytes || record.stored.size() != kDatabases) return false;
  std::array<uint8_t, kDatabases> stored;
  std::array<bool, kDatabases> taken{};
  for (size_t db = 0; db < kDatabases; ++db) {
    stored[db] = static_cast<uint8_t>(record.stored[db]);
    if (stored[db] >= kDatabases || std::exchange(taken[stored[db]], true)) return false;
  }
  begun_ = true;
  keys_.BeginRestore(record.slots, stored);
  return true;
}

bool StateLoad::TakeRecord(const FreeSlot& record) {
  ++slots_;
  return keys_.RestoreFree(record.slot, record.generation);
}

bool StateLoad::TakeRecord(const KeyState& record) {
  if (record.stored >= kDatabases) return false;
  Object* object = keys_.RestoreObject(record.object, record.stored, record.key);
  if (object == nullptr) return false;
  ++slots_;
  keys_.SetExpiry(record.object, record.expire_ms);
  switch (record.type) {
    case ObjectType::kString:
      loads_[record.object] =
          std::make_unique<ObjectLoad>(StringLoad(object->value.emplace<std::string>(), bytes_));
      return true;
    case ObjectType::kStream:
      loads_[record.object] = std::make_unique<ObjectLoad>(
          StreamLoad(*object->value.emplace<std::unique_ptr<Stream>>(std::make_unique<Stream>(record.object)),
                     seen_ms_));
      return true;
    case ObjectType::kStockItem:
      loads_[record.object] = std::make_unique<ObjectLoad>(StockItemLoad(
          *object->value.emplace<std::unique_ptr<StockItem>>(std::make_unique<StockItem>(hash_seed_))));
      return true;
  }
  return false;
}

StateLoad::ObjectLoad* StateLoad::LoadOf(ObjectId id) {
  const auto found = loads_.find(id);
  return found == loads_.end() ? nullptr : found->second.get();
}

bool StateLoad::TakeRecord(const StringPart& record) {
  auto* load = std::get_if<StringLoad>(LoadOf(record.object));
  if (load == nullptr || !load->Take(record)) return false;
  if (load->Finish()) loads_.erase(record.object);
  return true;
}

bool StateLoad::TakeRecord(const auto& record) {
  ObjectId id;
  if constexpr (requires { record.item; }) {
    id = record.item;
  } else {
    id = record.stream;
  }
  ObjectLoad* load = LoadOf(id);
  if (load == nullptr) return false;
  return std::visit(
      [&record](auto& one) {
        if constexpr (requires { one.Take(record); }) {
          return one.Take(record);
        } else {
          return false;
        }
      },
      *load);
}

bool StateLoad::StringLoad::Take(const StringPart& record) {
  if (!begun_) {
    if (record.size > most_bytes_) return false;
    begun_ = true;
    missing_ = record.size;
    value_.resize(record.size);
  }
  const uint64_t bytes = record.bytes.size();
  if (record.size != value_.size() || record.offset > record.size || bytes > record.size - record.offset ||
      bytes > missing_) {
    return false;
  }
  std::copy(record.bytes.begin(), record.bytes.end(), value_.begin() + static_cast<ptrdiff_t>(record.offset));
  missing_ -= bytes;
  return true;
}

}  // namespace sluice::engine
