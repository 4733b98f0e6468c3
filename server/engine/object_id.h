// The identity of a key's value, from its creation to its end.
#pragma once

#include <cstdint>

namespace sluice::engine {

// 64 bits that are never used twice in the life of a store: the object's slot in the table below, its
// generation above. Records name objects by it, so a DEL needs no clean-up: what names a dead generation is
// dead.
enum class ObjectId : uint64_t {};

inline constexpr ObjectId kNoObject{0};

constexpr ObjectId MakeObjectId(uint32_t slot, uint32_t generation) {
  return ObjectId{(static_cast<uint64_t>(generation) << 32) | slot};
}
constexpr uint32_t SlotOf(ObjectId id) {
  return static_cast<uint32_t>(static_cast<uint64_t>(id));
}
constexpr uint32_t GenerationOf(ObjectId id) {
  return static_cast<uint32_t>(static_cast<uint64_t>(id) >> 32);
}

}  // namespace sluice::engine
