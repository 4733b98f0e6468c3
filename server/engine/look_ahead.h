// What the next requests will look up, brought into the processor's cache before they are executed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server/engine/keyspace.h"

namespace sluice::engine {

// Where there are many keys, or an item has many buyers, each request meets memory that the cache does not
// hold, one miss behind the other: the index, the slot, the stream, its newest run. For some requests at once
// these ways are gone side by side, so that their misses overlap. Hints only: nothing is decided here, and a
// name that is no key costs a look-up that finds nothing.
class LookAhead {
 public:
  // So many at once: as many misses as a core has under way, and what they bring stays in the nearest cache.
  static constexpr size_t kMost = 16;

  // Whether it is worth while for requests like one that names `key` and `member`.
  static bool PaysFor(const Keyspace& keys, uint8_t db, std::string_view key);

  // `member`: a buyer, where the key is an item.
  void Add(std::string_view key, std::string_view member) {
    wanted_[count_++] = {.key = key, .member = member};
  }
  size_t size() const { return count_; }
  // Goes all the ways.
  void Walk(const Keyspace& keys, uint8_t db);

 private:
  struct Wanted {
    std::string_view key;
    std::string_view member;
    uint64_t hash = 0;
    const Object* object = nullptr;
  };

  std::array<Wanted, kMost> wanted_;
  size_t count_ = 0;
};

}  // namespace sluice::engine
