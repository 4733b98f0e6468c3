#include "server/engine/step_index.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

#include "storage/check.h"
#include "storage/pages.h"

namespace sluice::engine {
namespace {

constexpr size_t kFirstCells = 16;
constexpr size_t kMovedAtOnce = 32;  // with load at most 3/4 this outruns any growth
constexpr size_t kMappedCells = ZeroedCells::kPopulatedCells;  // from here on pages are cheaper than memset
// Growing is prepared while from five to six eighths of the cells are used: for each that an insert takes,
// sixteen of up to twice as many come in.
constexpr size_t kPreparedAnInsert = 16;

constexpr size_t kChangesAGivingBack = 256;

}  // namespace

ZeroedCells::ZeroedCells(size_t count) : size_(count) {
  if (count < kMappedCells) {
    cells_ = static_cast<uint64_t*>(std::calloc(count, sizeof(uint64_t)));
    if (cells_ == nullptr) throw std::bad_alloc();
    return;
  }
  char* memory = storage::MapPages(count * sizeof(uint64_t));
  if (memory == nullptr) throw std::bad_alloc();
  cells_ = reinterpret_cast<uint64_t*>(memory);
}

ZeroedCells::~ZeroedCells() {
  if (size_ < kMappedCells) {
    std::free(cells_);
  } else {
    munmap(cells_, size_ * sizeof(uint64_t));
  }
}

ZeroedCells::ZeroedCells(ZeroedCells&& other) noexcept
    : cells_(std::exchange(other.cells_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      populated_(std::exchange(other.populated_, 0)) {}

ZeroedCells& ZeroedCells::operator=(ZeroedCells&& other) noexcept {
  std::swap(cells_, other.cells_);
  std::swap(size_, other.size_);
  std::swap(populated_, other.populated_);
  return *this;
}

bool ZeroedCells::PopulateSome() {
  if (size_ < kMappedCells || populated_ == size_) return false;
  storage::PopulatePages(reinterpret_cast<char*>(cells_ + populated_), kPopulatedCells * sizeof(uint64_t));
  populated_ += kPopulatedCells;
  return populated_ < size_;
}

bool ZeroedCells::FreeSome(size_t& pieces) {
  constexpr size_t kStepCells = 256 * 1024 / sizeof(uint64_t);
  constexpr size_t kPiecesOfStep = 64;  // as many pages
  while (size_ >= kMappedCells + kStepCells) {
    if (pieces == 0) return true;
    munmap(cells_ + size_ - kStepCells, kStepCells * sizeof(uint64_t));
    size_ -= kStepCells;
    pieces -= std::min(pieces, kPiecesOfStep);
  }
  return false;
}

void StepIndex::Insert(uint64_t hash, uint32_t slot) {
  MoveSome();
  if (used_ >= prepare_at_) Prepare();
  if ((used_ + 1) * 4 > fresh_.size() * 3) Grow();
  Put(Cell(TagOf(hash), slot));
  ++size_;
}

void StepIndex::Erase(uint64_t hash, uint32_t slot) {
  const uint64_t cell = Cell(TagOf(hash), slot);
  CHECK(EraseIn(fresh_, cell) || EraseIn(old_, cell));
  --size_;
  MoveSome();
}

void StepIndex::Clear() {
  *this = StepIndex();
}

void StepIndex::Put(uint64_t cell) {
  const size_t mask = fresh_.size() - 1;
  size_t i = static_cast<uint32_t>(cell >> 32) & mask;
  while (Taken(fresh_.data()[i])) i = (i + 1) & mask;
  if (fresh_.data()[i] == kEmpty) ++used_;
  fresh_.data()[i] = cell;
}

bool StepIndex::EraseIn(ZeroedCells& cells, uint64_t cell) {
  if (cells.size() == 0) return false;
  const size_t mask = cells.size() - 1;
  for (size_t i = static_cast<uint32_t>(cell >> 32) & mask; cells.data()[i] != kEmpty; i = (i + 1) & mask) {
    if (cells.data()[i] != cell) continue;
    cells.data()[i] = kGone;
    return true;
  }
  return false;
}

void StepIndex::MoveSome() {
  if (old_.size() == 0) {
    if (left_.size() != 0 && ++moved_ % kChangesAGivingBack == 0) GiveBackSome();
    return;
  }
  for (size_t n = 0; n < kMovedAtOnce && moved_ < old_.size(); ++n, ++moved_) {
    uint64_t& cell = old_.data()[moved_];
    if (!Taken(cell)) continue;
    Put(cell);
    cell = kGone;
  }
  if (moved_ < old_.size()) return;
  left_ = std::exchange(old_, ZeroedCells());
  if (left_.size() < kMappedCells) left_ = ZeroedCells();
}

void StepIndex::GiveBackSome() {
  size_t pieces = 1;
  if (!left_.FreeSome(pieces)) left_ = ZeroedCells();
}

void StepIndex::Grow() {
  // A second growth before the first has ended cannot happen while kMovedAtOnce outruns the inserts, save
  // after many erasures; then what is left is moved at once.
  while (old_.size() != 0) MoveSome();
  if (next_.size() != WantedCells()) next_ = ZeroedCells(WantedCells());
  old_ = std::exchange(fresh_, std::exchange(next_, ZeroedCells()));
  moved_ = 0;
  used_ = 0;
  prepare_at_ = fresh_.size() < kMappedCells ? SIZE_MAX : fresh_.size() / 8 * 5;
  MoveSome();
}

size_t StepIndex::WantedCells() const {
  if (fresh_.size() == 0) return kFirstCells;
  return size_ * 2 > fresh_.size() ? fresh_.size() * 2 : fresh_.size();
}

void StepIndex::Prepare() {
  if (next_.size() == 0) next_ = ZeroedCells(WantedCells());
  prepare_at_ = next_.PopulateSome() ? used_ + ZeroedCells::kPopulatedCells / kPreparedAnInsert : SIZE_MAX;
}

}  // namespace sluice::engine
