// What of the log was alive at a checkpoint.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/engine/event_codec.h"
#include "server/engine/object_id.h"
#include "server/engine/stream_id.h"
#include "storage/checkpoint_reader.h"
#include "storage/compactor.h"
#include "storage/segment_rewriter.h"
#include "storage/sidecar.h"

namespace sluice::engine {

// Below a checkpoint only messages count, since everything else is state, which it holds; and a message is
// alive if its stream held it then. What was dead then is dead for ever. One thread.
class StreamLiveness : public storage::Liveness {
 public:
  // Reads the checkpoint: of streams their heads and deletions, of the rest nothing.
  static storage::Result<std::unique_ptr<storage::Liveness>> Read(storage::CheckpointReader& checkpoint);

  std::optional<uint64_t> LiveBytes(const storage::SealedSegment& segment) const override;

  // What becomes of a record in a segment below the checkpoint. A record of several events stays whole while
  // one of its messages lives. Of a message that was deleted in the middle of its stream a stub remains, an
  // AppendEntry without fields: the index counts it.
  storage::Fate Decide(storage::Lsn lsn, std::string_view body, std::string* replacement) override;

 private:
  struct Head {
    uint64_t object = 0;
    storage::Lsn emptied_at{};
    StreamId first{};
    std::vector<StreamId> deleted;  // ascending
  };
  enum class Standing : uint8_t { kAlive, kDeleted, kGone };

  using Heads = std::vector<Head>;
  // The first at or behind `from` whose object is not below `object`. O(log n) of how far that is.
  Heads::const_iterator Seek(Heads::const_iterator from, uint64_t object) const;
  const Head* Find(uint64_t object) const;
  Standing StandingOf(const AppendEntry& entry, storage::Lsn lsn) const;

  Heads streams_;  // those that held something, by object: the order of segments' indexes
};

}  // namespace sluice::engine
