#include "server/engine/event_codec.h"

#include <bit>
#include <cstring>
#include <type_traits>

#include "server/engine/stream.h"

namespace sluice::engine {
namespace {

static_assert(std::endian::native == std::endian::little, "records are written as they stand in memory");

template <typename T>
inline constexpr bool kPlain = std::is_integral_v<T> || std::is_enum_v<T> || std::is_same_v<T, StreamId>;

struct Sizer {
  size_t bytes = 1;  // the type

  template <typename T>
  requires kPlain<T>
  void operator()(const T&) { bytes += sizeof(T); }
  void operator()(std::string_view view) { bytes += sizeof(uint32_t) + view.size(); }
  template <typename T>
  void operator()(std::span<const T> list) {
    bytes += sizeof(uint32_t) + list.size_bytes();
  }
  void operator()(const std::optional<uint64_t>& value) { bytes += value ? 1 + sizeof(uint64_t) : 1; }
};

struct Writer {
  char* out;

  void Put(const void* bytes, size_t count) {
    std::memcpy(out, bytes, count);
    out += count;
  }
  template <typename T>
  requires kPlain<T>
  void operator()(const T& value) { Put(&value, sizeof value); }
  void operator()(std::string_view view) {
    (*this)(static_cast<uint32_t>(view.size()));
    if (!view.empty()) Put(view.data(), view.size());
  }
  template <typename T>
  void operator()(std::span<const T> list) {
    (*this)(static_cast<uint32_t>(list.size()));
    if (!list.empty()) Put(list.data(), list.size_bytes());
  }
  void operator()(const std::optional<uint64_t>& value) {
    (*this)(static_cast<uint8_t>(value.has_value()));
    if (value) (*this)(*value);
  }
};

struct Reader {
  std::string_view in;
  std::vector<StreamId>* ids;
  std::vector<ObjectId>* objects;
  bool ok = true;

  bool Take(void* bytes, size_t count) {
    if (in.size() < count) {
      ok = false;
      in = {};
      return false;
    }
    std::memcpy(bytes, in.data(), count);
    in.remove_prefix(count);
    return true;
  }
  template <typename T>
  requires kPlain<T>
  void operator()(T& value) {
    if (!Take(&value, sizeof value)) value = T{};
  }
  void operator()(std::string_view& view) {
    uint32_t bytes = 0;
    (*this)(bytes);
    if (in.size() < bytes) {
      ok = false;
      return;
    }
    view = in.substr(0, bytes);
    in.remove_prefix(bytes);
  }
  void operator()(std::span<const StreamId>& list) { ReadList(*ids, list); }
  void operator()(std::span<const ObjectId>& list) { ReadList(*objects, list); }
  template <typename T>
  void ReadList(std::vector<T>& into, std::span<const T>& list) {
    uint32_t count = 0;
    (*this)(count);
    if (in.size() / sizeof(T) < count) {
      ok = false;
      return;
    }
    into.resize(count);
    if (count != 0) Take(into.data(), count * sizeof(T));
    list = into;
  }
  void operator()(std::optional<uint64_t>& value) {
    uint8_t present = 0;
    (*this)(present);
    if (present > 1) ok = false;
    if (present != 1) return;
    uint64_t number = 0;
    (*this)(number);
    value = number;
  }
};

// Tries each alternative of Event in turn: the first whose kType is `type` is read.
template <size_t I = 0>
bool ReadAs(uint8_t type, Reader& reader, Event& event) {
  if constexpr (I == std::variant_size_v<Event>) {
    return false;
  } else {
    using E = std::variant_alternative_t<I, Event>;
    if (type != E::kType) return ReadAs<I + 1>(type, reader, event);
    E read{};
    E::Visit(read, reader);
    event = read;
    return reader.ok;
  }
}

}  // namespace

size_t EncodedSize(const Event& event) {
  return std::visit(
      [](const auto& e) {
        Sizer sizer;
        e.Visit(e, sizer);
        return sizer.bytes;
      },
      event);
}

char* Encode(const Event& event, char* out) {
  return std::visit(
      [out](const auto& e) {
        Writer writer{out};
        writer(e.kType);
        e.Visit(e, writer);
        return writer.out;
      },
      event);
}

std::optional<Event> EventReader::Next() {
  if (!ok_ || next_ == body_.size()) return std::nullopt;
  offset_ = next_;
  Reader reader{body_.substr(next_), &ids_, &objects_};
  uint8_t type = 0;
  reader(type);
  Event event;
  ok_ = ReadAs(type, reader, event);
  if (!ok_) return std::nullopt;
  next_ = body_.size() - reader.in.size();
  return event;
}

// The layout of AppendEntry, read where it stands: this is the path of every message that is delivered.
EntryView ReadEntry(storage::Place place) {
  const char* in = place.data() + 1 + sizeof(AppendEntry::body_offset) + sizeof(ObjectId);
  EntryView entry;
  std::memcpy(&entry.id, in, sizeof entry.id);
  in += sizeof entry.id;
  std::memcpy(&entry.pairs, in, sizeof entry.pairs);
  in += sizeof entry.pairs;
  uint32_t bytes;
  std::memcpy(&bytes, in, sizeof bytes);
  entry.fields = {in + sizeof bytes, bytes};
  return entry;
}

}  // namespace sluice::engine
