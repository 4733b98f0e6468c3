// An engine without a log: events stand in a piece of memory that plays the segment.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/engine/engine.h"
#include "server/engine/event_codec.h"
#include "storage/segment.h"

namespace sluice::tests {

class LooseEngine {
 public:
  explicit LooseEngine(size_t bytes = 8 << 20)
      : memory_(new char[bytes], std::default_delete<char[]>()), end_(memory_.get()), segments_(1) {
    segments_[0] = std::make_unique<storage::Segment>(1, storage::Lsn{0}, memory_);
  }

  // Applies `event` as if it stood in the log's newest segment.
  void Apply(const engine::Event& event) {
    const storage::Segment* segment = segments_.back().get();
    const storage::Place place{segment, static_cast<uint32_t>(end_ - segment->data())};
    end_ = engine::Encode(event, end_);
    engine_.Apply(event, place);
  }

  // What follows stands in another segment.
  void BeginSegment() {
    segments_.push_back(std::make_unique<storage::Segment>(
        segments_.size() + 1, storage::Lsn{static_cast<uint64_t>(end_ - memory_.get())},
        std::shared_ptr<const char>(memory_, end_)));
  }

  engine::ObjectId Create(engine::ObjectType type, std::string_view key, uint8_t db = 0) {
    const engine::ObjectId id = engine_.keys().NextId();
    Apply(engine::CreateKey{id, db, type, key});
    return id;
  }

  // Appends an entry with one field and value.
  void Append(engine::ObjectId stream, engine::StreamId id, std::string_view value = "v") {
    const std::string fields =
        "$1\r\nf\r\n$" + std::to_string(value.size()) + "\r\n" + std::string(value) + "\r\n";
    Apply(engine::AppendEntry{.body_offset = 0, .stream = stream, .id = id, .pairs = 1, .fields = fields});
  }

  const engine::Engine& engine() const { return engine_; }
  bool FreeSome() { return engine_.FreeSome(); }
  bool DropDeadAlarms(size_t& most) { return engine_.DropDeadAlarms(most); }
  const engine::Stream& stream(engine::ObjectId id) const { return engine_.keys().Find(id)->stream(); }

 private:
  std::shared_ptr<char> memory_;
  char* end_;
  std::vector<std::unique_ptr<storage::Segment>> segments_;
  engine::Engine engine_{0};
};

}  // namespace sluice::tests
