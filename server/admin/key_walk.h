// A walk over all keys that takes their figures for /metrics, a slice at a time.
#pragma once

#include <cstdint>
#include <memory>

#include "server/admin/metrics_snapshot.h"
#include "server/engine/engine.h"

namespace sluice::admin {

// A slice looks at keys for about half a millisecond, so that ten million keys are no stall. Keys that come
// or go meanwhile are met or not.
class KeyWalk {
 public:
  // Tells of at most `max_series` streams, groups and items together; the others are counted.
  KeyWalk(const engine::Engine& engine, uint64_t max_series)
      : engine_(engine), room_(max_series), found_(std::make_unique<KeyFigures>()) {}

  // Goes on; true once the walk is over. `unix_ms` is the tick's.
  bool Slice(uint64_t unix_ms);
  // After Slice() was true: what was found, once.
  std::unique_ptr<KeyFigures> Take() { return std::move(found_); }

 private:
  void Visit(const engine::Object& object, uint64_t unix_ms);
  void VisitStream(const engine::Object& object, uint64_t unix_ms);
  bool HasRoom(size_t label_bytes);

  const engine::Engine& engine_;
  uint64_t room_;
  size_t slot_ = 0;
  std::unique_ptr<KeyFigures> found_;
};

}  // namespace sluice::admin
