// A hash index that never stops the world.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "storage/prefetch.h"

namespace sluice::engine {

// Zeroed cells. A large array comes straight from the system and costs nothing until it is populated.
class ZeroedCells {
 public:
  static constexpr size_t kPopulatedCells = 64 * 1024 / sizeof(uint64_t);

  ZeroedCells() = default;
  explicit ZeroedCells(size_t count);
  ~ZeroedCells();
  ZeroedCells(ZeroedCells&& other) noexcept;
  ZeroedCells& operator=(ZeroedCells&& other) noexcept;

  uint64_t* data() { return cells_; }
  const uint64_t* data() const { return cells_; }
  size_t size() const { return size_; }
  // Brings the next kPopulatedCells of a large array in, from the front. False: all are there.
  bool PopulateSome();
  // Gives memory back from the end, where there is much; as FreeSome() of dropped.h.
  bool FreeSome(size_t& pieces);

 private:
  uint64_t* cells_ = nullptr;
  size_t size_ = 0;
  size_t populated_ = 0;  // cells
};

// Maps 64-bit hashes to 32-bit slots of a table that somebody else owns; the caller compares keys. Open
// addressing in cells of {upper half of the hash, slot + 1}. Growing keeps the old cells beside the new ones
// and moves a few with every change, so no insert pays for all: a flat table's one rehash of ten million
// entries would take 0.8 s. The new ones' memory comes in before they are needed, a little at a time: a page
// that the system has to zero costs more than many inserts.
class StepIndex {
 public:
  size_t size() const { return size_; }
  size_t memory_bytes() const {
    return (fresh_.size() + old_.size() + left_.size() + next_.size()) * sizeof(uint64_t);
  }

  // The slot under `hash` for which `equals(slot)` holds.
  template <typename Equals>
  std::optional<uint32_t> Find(uint64_t hash, Equals&& equals) const {
    const uint32_t tag = TagOf(hash);
    if (auto slot = FindIn(fresh_, tag, equals)) return slot;
    if (old_.size() != 0) return FindIn(old_, tag, equals);
    return std::nullopt;
  }

  // Where Find() looks first comes into the cache: a hint, for whoever will ask soon.
  void Prefetch(uint64_t hash) const {
    PrefetchIn(fresh_, TagOf(hash));
    PrefetchIn(old_, TagOf(hash));
  }

  // Adds `slot`, which must not be there.
  void Insert(uint64_t hash, uint32_t slot);
  // Removes `slot`, which must be there under `hash`.
  void Erase(uint64_t hash, uint32_t slot);
  void Clear();
  // Of an index that nobody needs any more: as FreeSome() of dropped.h.
  bool FreeSome(size_t& pieces) {
    return left_.FreeSome(pieces) || old_.FreeSome(pieces) || next_.FreeSome(pieces) ||
           fresh_.FreeSome(pieces);
  }

 private:
  static constexpr uint64_t kEmpty = 0;
  static constexpr uint64_t kGone =
      1ull << 32;  // was taken once: probing goes on behind it. No cell has slot + 1 == 0.

  static uint32_t TagOf(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }
  static uint64_t Cell(uint32_t tag, uint32_t slot) {
    return (static_cast<uint64_t>(tag) << 32) | (slot + 1ull);
  }
  static bool Taken(uint64_t cell) { return static_cast<uint32_t>(cell) != 0; }

  static void PrefetchIn(const ZeroedCells& cells, uint32_t tag) {
    if (cells.size() != 0) storage::Prefetch(cells.data() + (tag & (cells.size() - 1)));
  }

  template <typename Equals>
  static std::optional<uint32_t> FindIn(const ZeroedCells& cells, uint32_t tag, Equals&& equals) {
    if (cells.size() == 0) return std::nullopt;
    const size_t mask = cells.size() - 1;
    for (size_t i = tag & mask;; i = (i + 1) & mask) {
      const uint64_t cell = cells.data()[i];
      if (cell == kEmpty) return std::nullopt;
      if (!Taken(cell) || static_cast<uint32_t>(cell >> 32) != tag) continue;
      const uint32_t slot = static_cast<uint32_t>(cell) - 1;
      if (equals(slot)) return slot;
    }
  }

  // The cells that growing takes.
  size_t WantedCells() const;
  void Prepare();
  void Put(uint64_t cell);
  static bool EraseIn(ZeroedCells& cells, uint64_t cell);
  void MoveSome();
  void GiveBackSome();
  void Grow();

  ZeroedCells fresh_;
  ZeroedCells old_;               // being moved into fresh_, from the front
  ZeroedCells left_;              // all moved; being given back
  size_t moved_ = 0;              // cells of old_ already looked at; then changes since that ended
  size_t size_ = 0;               // entries
  size_t used_ = 0;               // cells of fresh_ that are not empty
  ZeroedCells next_;              // for the next growth, being populated
  size_t prepare_at_ = SIZE_MAX;  // at so many used_ the next step of that is due
};

}  // namespace sluice::engine
