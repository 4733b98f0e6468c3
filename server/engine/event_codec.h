// Events <-> bytes in a record's body.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "server/engine/event.h"

namespace sluice::engine {

// A record's body is one event or several, one behind the other: {u8 type, members}. Integers are
// little-endian and of fixed width; a view is a u32 of bytes and the bytes; IDs are two u64; a list is a u32
// count and its elements; an optional u64 is a u8 (0 or 1) and the u64 where it is 1.

// How many bytes Encode() writes.
size_t EncodedSize(const Event& event);
// Writes `event` at `out`, which has room for EncodedSize(event), and returns the end.
char* Encode(const Event& event, char* out);

// Reads a record's body event by event. Views of an event point into the body; its lists live until the next
// call.
class EventReader {
 public:
  explicit EventReader(std::string_view body) : body_(body) {}

  // The next event; nullopt at the end of the body, or where it is malformed: then ok() is false.
  std::optional<Event> Next();
  // The next event that is an entry of a stream; the others are passed over.
  std::optional<AppendEntry> NextEntry();
  bool ok() const { return ok_; }
  // Where the event that was returned last begins in the body.
  size_t offset() const { return offset_; }

 private:
  std::string_view body_;
  size_t offset_ = 0;
  size_t next_ = 0;
  bool ok_ = true;
  std::vector<StreamId> ids_;
  std::vector<ObjectId> objects_;
};

}  // namespace sluice::engine
