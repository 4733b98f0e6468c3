#include "server/engine/state_dump.h"

#include <algorithm>
#include <utility>

#include "server/engine/field_codec.h"
#include "server/engine/stock_item_state.h"
#include "server/engine/stream_state.h"

namespace sluice::engine {
namespace {

constexpr size_t kBlockBytes = 64 * 1024;
// What a step costs besides the bytes that it writes, in bytes: a slot and a part are cache misses.
constexpr uint64_t kStepCost = 64;

}  // namespace

StateDump::StateDump(Keyspace& keys, Out out)
    : keys_(keys), out_(std::move(out)), flushes_(keys.flushes()), written_(keys.slots()) {
  std::string stored;
  for (uint8_t db = 0; db < kDatabases; ++db) stored += static_cast<char>(keys.StoredAt(db));
  Put(StateBegin{.slots = static_cast<uint32_t>(keys.slots()), .stored = stored});
}

void StateDump::BeforeChange(const Event& event) {
  // What these end is moved to Take() as it is, or lies dead in its slot for a while.
  if (std::holds_alternative<RemoveKey>(event) || std::holds_alternative<FlushKeys>(event)) return;
  const ObjectId id = TargetOf(event);
  if (id == kNoObject) return;
  Touch(SlotOf(id));
  if (strings_.empty()) return;
  const auto found = strings_.find(id);
  if (found == strings_.end()) return;
  if (const auto* write = std::get_if<engine::WriteString>(&event)) {
    found->second->BeforeWrite(write->offset, write->bytes.size());
  } else if (std::holds_alternative<SetString>(event)) {
    found->second->TakeOver(*std::get_if<std::string>(&keys_.Mutable(id)->value));
  }
}

void StateDump::Touch(uint32_t slot) {
  if (slot < written_.size() && !written_[slot]) WriteSlot(slot);
}

void StateDump::Take(Object object, std::deque<Dropped>& dropped) {
  const uint32_t slot = SlotOf(object.id);
  if (slot < written_.size() && !written_[slot]) {
    // Ended before this began: the slot counts as free.
    if (!LivedThen(object)) {
      dropped.emplace_back(std::move(object));
      return;
    }
    written_[slot] = true;
    removed_.push_back(std::move(object));
    return;
  }
  if (const auto found = strings_.find(object.id); found != strings_.end())
    found->second->TakeOver(*std::get_if<std::string>(&object.value));
  (parts_.empty() ? dropped : kept_).emplace_back(std::move(object));
}

bool StateDump::Continue(size_t bytes, std::deque<Dropped>& dropped) {
  const uint64_t enough = cost_ + bytes;
  while (cost_ < enough) {
    cost_ += kStepCost;
    if (!parts_.empty()) {
      if (!parts_.front()()) parts_.pop_front();
    } else if (!kept_.empty()) {
      dropped.push_back(std::move(kept_.back()));
      kept_.pop_back();
    } else if (!removed_.empty()) {
      Write(removed_.front());
      kept_.emplace_back(std::move(removed_.front()));
      removed_.pop_front();
    } else if (next_slot_ < written_.size()) {
      Touch(next_slot_++);
    } else {
      Flush();
      return false;
    }
  }
  return true;
}

void StateDump::WriteSlot(uint32_t slot) {
  written_[slot] = true;
  Object* object = const_cast<Object*>(keys_.HeldAt(slot));
  if (object == nullptr || !LivedThen(*object)) {
    return Put(FreeSlot{.slot = slot, .generation = keys_.GenerationAt(slot)});
  }
  Write(*object);
}

void StateDump::Write(Object& object) {
  Put(KeyState{.object = object.id,
               .stored = object.db,
               .type = object.type(),
               .expire_ms = object.expire_ms,
               .key = object.key});
  switch (object.type()) {
    case ObjectType::kString:
      return WriteString(object);
    case ObjectType::kStream:
      return DumpStream(object.id, **std::get_if<std::unique_ptr<Stream>>(&object.value), *this);
    case ObjectType::kStockItem:
      return DumpStockItem(object.id, **std::get_if<std::unique_ptr<StockItem>>(&object.value), *this);
  }
}

void StateDump::WriteString(Object& object) {
  const std::string& value = object.string();
  if (value.size() <= StringDump::kPart) {
    return Put(StringPart{.object = object.id, .size = value.size(), .offset = 0, .bytes = value});
  }
  const ObjectId id = object.id;
  const auto part = [this, id, size = value.size()](uint64_t offset, std::string_view bytes) {
    Put(StringPart{.object = id, .size = size, .offset = offset, .bytes = bytes});
  };
  auto dump = std::make_shared<StringDump>(value, part);
  // What is removed already moves once more, when it is kept.
  if (keys_.Find(id) != &object) dump->TakeOver(*std::get_if<std::string>(&object.value));
  strings_[id] = dump;
  AddPart([this, id, dump] {
    if (dump->Continue()) return true;
    strings_.erase(id);
    return false;
  });
}

void StateDump::Put(const StateRecord& record) {
  const size_t bytes = EncodedSizeOf(record);
  if (bytes > block_.size() - used_) block_.resize(std::max(used_ + bytes, kBlockBytes + kBlockBytes / 4));
  EncodeAt(record, block_.data() + used_);
  messages_ |= TellsOfMessages(static_cast<uint8_t>(block_[used_]));
  used_ += bytes;
  cost_ += bytes;
  ++records_;
  if (used_ >= kBlockBytes) Flush();
}

void StateDump::Flush() {
  if (used_ == 0) return;
  block_.resize(std::exchange(used_, 0));
  using Block = storage::CheckpointBlock;
  out_(std::exchange(block_, {}), std::exchange(messages_, false) ? Block::kRecords : Block::kNoMessages);
}

}  // namespace sluice::engine
