// How a stream stands in a checkpoint: written and read.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "server/engine/state_dump.h"
#include "server/engine/state_record.h"
#include "server/engine/stream.h"

namespace sluice::engine {

// Writes a stream's own record and those of its groups and consumers, and begins the dumps of what may be
// long. `stream` lives until those have ended.
void DumpStream(ObjectId id, Stream& stream, StateDump& dump);

// Fills one stream from its records. Each call says false where a record does not fit those before it. What
// the log tells, the places of its entries, comes later, with Attach().
class StreamLoad {
 public:
  // `seen_ms`: when consumers count as seen that were never active.
  StreamLoad(Stream& stream, uint64_t seen_ms) : stream_(stream), seen_ms_(seen_ms) {}

  bool Take(const StreamState& record);
  bool Take(const DeletedPart& record);
  bool Take(const GroupState& record);
  bool Take(const ConsumerState& record);
  bool Take(const PendingPart& record);
  bool Take(const ProducedMessage& record);
  bool Take(const RetentionState& record);
  // All has come; false where something is missing.
  bool Finish();

 private:
  struct Message {
    StreamId entry;
    std::string producer;
    std::string message;
  };

  Stream& stream_;
  const uint64_t seen_ms_;
  bool begun_ = false;
  StreamState expected_{};                 // counts; its views are not read
  std::map<uint32_t, GroupState> groups_;  // likewise
  std::map<uint64_t, Message> messages_;
};

}  // namespace sluice::engine
