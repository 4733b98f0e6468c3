// Events <-> bytes in a record's body.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "server/engine/event.h"

namespace sluice::engine {

// A record's body is one event or several, one behind the other: {u8 type, members}. Integers are
// little-endian and of fixed width; a view is a u32 of bytes and the bytes; IDs are two u64; a list is a u32
// count and its elements; an optional u64 is a u8 (0 or 1) and the u64 where it is 1.

// Where the members of an encoded AppendEntry stand in it: every message is found and delivered by these.
struct EntryLayout {
  static constexpr size_t kBodyOffsetAt = 1;
  static constexpr size_t kStreamAt = kBodyOffsetAt + sizeof(AppendEntry::body_offset);
  static constexpr size_t kIdAt = kStreamAt + sizeof(AppendEntry::stream);
  static constexpr size_t kPairsAt = kIdAt + sizeof(AppendEntry::id);
  static constexpr size_t kFieldBytesAt = kPairsAt + sizeof(AppendEntry::pairs);  // a u32
  static constexpr size_t kFieldsAt = kFieldBytesAt + sizeof(uint32_t);

  // The member of type T at one of these.
  template <typename T>
  static T Load(const char* event, size_t at) {
    T value;
    std::memcpy(&value, event + at, sizeof value);
    return value;
  }
};

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
