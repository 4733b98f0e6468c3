// Streams' indexes and segments' sidecars: what goes from memory into the one, and what comes back from it.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "server/engine/engine.h"
#include "storage/log.h"
#include "storage/sidecar_builder.h"

namespace sluice::engine {

// What a sidecar indexes: every AppendEntry in a record's body. An IndexVisitor; any thread.
void VisitEntries(std::string_view body, storage::IndexSink& sink);

// Nothing here changes state: an index follows from the log.
class Indexer {
 public:
  explicit Indexer(Engine& engine) : engine_(engine) {}

  // A slice of work: streams give back memory for what the sidecars that came to `log` hold. False where
  // nothing is left.
  bool SealSome(storage::Log& log);

  // Puts the indexes of all streams together that an engine has whose state was read: segment by segment,
  // then record by record, in the log's order (see Log::Start). EndAttaching() is kCorrupt where the log
  // holds less than the state says.
  void Attach(const storage::Segment& segment);
  void AttachRecord(storage::Place place, std::string_view body);
  storage::Result<void> EndAttaching();

 private:
  Stream* StreamOf(ObjectId id);
  void PrefetchBehind(std::span<const storage::IndexRun> runs, size_t at);
  // Calls `visit(Stream&, std::span<const storage::IndexRun> its_runs)` for each living stream with runs in
  // `segment`, from the run `*at` on, for about `most` runs; false at the end.
  template <typename Visit>
  bool ForEachStream(const storage::Segment& segment, size_t* at, size_t most, Visit&& visit);

  Engine& engine_;
  const storage::Segment* segment_ = nullptr;  // whose runs are being sealed
  size_t next_run_ = 0;
};

}  // namespace sluice::engine
