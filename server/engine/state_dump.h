// The state at one moment, shown in slices while it goes on changing.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "server/engine/dropped.h"
#include "server/engine/event.h"
#include "server/engine/keyspace.h"
#include "server/engine/state_record.h"
#include "server/engine/string_dump.h"
#include "storage/checkpoint_format.h"

namespace sluice::engine {

// The happy path: slices walk over the slots and write down what is in each, as StateRecords. Large parts of
// an object (pending lists, buyers, deleted IDs, long strings) are begun then and go on in slices of their
// own, before the walk does.
//
// What changes meanwhile: the engine calls BeforeChange() with each event, and an object that has not been
// written yet is written first; its tables copy before they change. What is removed is moved here and written
// from here, so that the end of a million objects writes none of them at that moment.
class StateDump {
 public:
  // Takes a block of records, at least one: kRecords or kNoMessages.
  using Out = std::function<void(std::string block, storage::CheckpointBlock::Type type)>;

  // Shows `keys` as they are now. They outlive the dump.
  StateDump(Keyspace& keys, Out out);
  StateDump(const StateDump&) = delete;
  StateDump& operator=(const StateDump&) = delete;

  // `event` is about to be applied.
  void BeforeChange(const Event& event);
  // Takes what an event ended, where the dump needs it still; otherwise moves it on to `dropped`.
  void Take(Object object, std::deque<Dropped>& dropped);
  void Take(std::unique_ptr<ConsumerGroup> group) { kept_.emplace_back(std::move(group)); }
  void Take(std::unique_ptr<ProducerTable> producers) { kept_.emplace_back(std::move(producers)); }

  // Does some work, about `bytes` of records; what is needed no more goes to `dropped`. False once all is
  // shown, the last block included.
  bool Continue(size_t bytes, std::deque<Dropped>& dropped);

  uint64_t records() const { return records_; }

  // For those who write an object's records:
  void Put(const StateRecord& record);
  // `step` is called, now and then, until it returns false. What it reads lives until then.
  void AddPart(std::function<bool()> step) { parts_.push_back(std::move(step)); }

 private:
  void Touch(uint32_t slot);
  void WriteSlot(uint32_t slot);
  void Write(Object& object);
  void WriteString(Object& object);
  void Flush();

  // Of an object that is, or was, in a slot: it lived when the dump began, if the slot is not written yet.
  bool LivedThen(const Object& object) const { return object.flush == flushes_[object.db]; }

  Keyspace& keys_;
  Out out_;
  const Flushes flushes_;      // when the dump began
  std::vector<bool> written_;  // by slot, of those that there were
  uint32_t next_slot_ = 0;
  std::deque<std::function<bool()>> parts_;
  std::deque<Object> removed_;                                          // not written yet
  std::deque<Dropped> kept_;                                            // parts_ may still read them
  absl::flat_hash_map<ObjectId, std::shared_ptr<StringDump>> strings_;  // long ones under way
  std::string block_;                                                   // with room behind what is used of it
  size_t used_ = 0;
  bool messages_ = false;  // one of its records says what messages there are
  uint64_t cost_ = 0;
  uint64_t records_ = 0;
};

}  // namespace sluice::engine
