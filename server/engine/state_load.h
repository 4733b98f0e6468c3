// Reads the state that a checkpoint holds.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include <absl/container/flat_hash_map.h>

#include "server/engine/keyspace.h"
#include "server/engine/stock_item_state.h"
#include "server/engine/stream_state.h"
#include "storage/result.h"

namespace sluice::engine {

// Whatever the bytes are, the outcome is the state or an error, never a crash; and what is taken of memory is
// bounded by a small multiple of the bytes.
class StateLoad {
 public:
  // `bytes`: of all blocks together, at least. `seen_ms`: unix time at which consumers count as seen that
  // were never active.
  StateLoad(uint64_t hash_seed, uint64_t bytes, uint64_t seen_ms)
      : hash_seed_(hash_seed), bytes_(bytes), seen_ms_(seen_ms), keys_(hash_seed) {}

  // Takes the next block of records; kCorrupt where one does not fit.
  storage::Result<void> Take(std::string_view block);
  // After the last one, the state; kCorrupt where something is missing. Streams lack the places of their
  // entries (Engine::Attach).
  storage::Result<Keyspace> Finish();

  uint64_t records() const { return records_; }

 private:
  // A string of which a part has not come.
  class StringLoad {
   public:
    StringLoad(std::string& value, uint64_t most_bytes) : value_(value), most_bytes_(most_bytes) {}
    bool Take(const StringPart& record);
    bool Finish() const { return begun_ && missing_ == 0; }

   private:
    std::string& value_;
    const uint64_t most_bytes_;
    bool begun_ = false;
    uint64_t missing_ = 0;
  };
  using ObjectLoad = std::variant<StringLoad, StreamLoad, StockItemLoad>;

  bool TakeRecord(const StateBegin& record);
  bool TakeRecord(const FreeSlot& record);
  bool TakeRecord(const KeyState& record);
  bool TakeRecord(const StringPart& record);
  // What belongs to an object: its load takes it.
  bool TakeRecord(const auto& record);
  ObjectLoad* LoadOf(ObjectId id);

  const uint64_t hash_seed_;
  const uint64_t bytes_;
  const uint64_t seen_ms_;
  Keyspace keys_;
  bool begun_ = false;
  uint64_t slots_ = 0;  // named so far
  uint64_t records_ = 0;
  // Of streams and items; of strings for as long as a part is missing.
  absl::flat_hash_map<ObjectId, std::unique_ptr<ObjectLoad>> loads_;
};

}  // namespace sluice::engine
