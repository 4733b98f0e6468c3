// How members of events and of a checkpoint's records stand in bytes: one list of members (Visit) sizes,
// writes and reads them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "server/engine/object_id.h"
#include "server/engine/stream_id.h"

namespace sluice::engine {

static_assert(std::endian::native == std::endian::little, "records are written as they stand in memory");

template <typename T>
inline constexpr bool kPlainField = std::is_integral_v<T> || std::is_enum_v<T> || std::is_same_v<T, StreamId>;

struct FieldSizer {
  size_t bytes = 0;

  template <typename T>
  requires kPlainField<T>
  void operator()(const T&) { bytes += sizeof(T); }
  void operator()(std::string_view view) { bytes += sizeof(uint32_t) + view.size(); }
  template <typename T>
  void operator()(std::span<const T> list) {
    bytes += sizeof(uint32_t) + list.size_bytes();
  }
  void operator()(const std::optional<uint64_t>& value) { bytes += value ? 1 + sizeof(uint64_t) : 1; }
};

struct FieldWriter {
  char* out;

  void Put(const void* bytes, size_t count) {
    std::memcpy(out, bytes, count);
    out += count;
  }
  template <typename T>
  requires kPlainField<T>
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

struct FieldReader {
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
  requires kPlainField<T>
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

// Passes over what FieldReader would read.
struct FieldSkipper {
  std::string_view in;
  bool ok = true;

  void Pass(size_t count) {
    if (in.size() < count) {
      ok = false;
      in = {};
    } else {
      in.remove_prefix(count);
    }
  }
  void PassList(size_t bytes_each) {
    uint32_t count = 0;
    if (in.size() >= sizeof count) std::memcpy(&count, in.data(), sizeof count);
    Pass(sizeof count);
    Pass(count * bytes_each);
  }
  template <typename T>
  requires kPlainField<T>
  void operator()(const T&) { Pass(sizeof(T)); }
  void operator()(std::string_view) { PassList(1); }
  template <typename T>
  void operator()(std::span<const T>) {
    PassList(sizeof(T));
  }
  void operator()(const std::optional<uint64_t>&) {
    const uint8_t present = in.empty() ? 0 : static_cast<uint8_t>(in.front());
    if (present > 1) ok = false;
    Pass(present == 1 ? 1 + sizeof(uint64_t) : 1);
  }
};

// Any of the structures of a std::variant is written as {u8 type, members}.
template <typename Variant>
size_t EncodedSizeOf(const Variant& any) {
  return std::visit(
      [](const auto& one) {
        FieldSizer sizer;
        sizer(one.kType);
        one.Visit(one, sizer);
        return sizer.bytes;
      },
      any);
}

// Writes at `out`, which has room for EncodedSizeOf(any), and returns the end.
template <typename Variant>
char* EncodeAt(const Variant& any, char* out) {
  return std::visit(
      [out](const auto& one) {
        FieldWriter writer{out};
        writer(one.kType);
        one.Visit(one, writer);
        return writer.out;
      },
      any);
}

// Reads the alternative of Variant whose kType is `type`; false where none has it, or where it is malformed.
template <size_t I = 0, typename Variant>
bool ReadAs(uint8_t type, FieldReader& reader, Variant& any) {
  if constexpr (I == std::variant_size_v<Variant>) {
    return false;
  } else {
    using One = std::variant_alternative_t<I, Variant>;
    if (type != One::kType) return ReadAs<I + 1>(type, reader, any);
    One read{};
    One::Visit(read, reader);
    any = read;
    return reader.ok;
  }
}

// Passes over the alternative whose kType is `type`; false where none has it.
template <typename Variant, size_t I = 0>
bool SkipAs(uint8_t type, FieldSkipper& skipper) {
  if constexpr (I == std::variant_size_v<Variant>) {
    return false;
  } else {
    using One = std::variant_alternative_t<I, Variant>;
    if (type != One::kType) return SkipAs<Variant, I + 1>(type, skipper);
    constexpr One kNothing{};
    One::Visit(kNothing, skipper);
    return true;
  }
}

}  // namespace sluice::engine
