#include "server/engine/buyer_table.h"

#include <algorithm>
#include <cstring>

#include "server/engine/hash.h"

namespace sluice::engine {
namespace {

constexpr size_t kFirstBlock = 256;
constexpr size_t kLargestBlock = 64 * 1024;

}  // namespace

uint64_t BuyerTable::CountOf(std::string_view user) const {
  auto slot = index_.Find(HashBytes(user, seed_), [&](uint32_t i) { return NameAt(i) == user; });
  return slot ? buyers_[*slot].count : 0;
}

void BuyerTable::Add(std::string_view user, uint64_t quantity) {
  const uint64_t hash = HashBytes(user, seed_);
  auto slot = index_.Find(hash, [&](uint32_t i) { return NameAt(i) == user; });
  if (!slot) {
    const std::string_view kept = Keep(user);
    slot = buyers_.Add();
    buyers_.Change(*slot) = {kept.data(), static_cast<uint32_t>(kept.size()), 0};
    index_.Insert(hash, *slot);
  }
  buyers_.Change(*slot).count += static_cast<uint32_t>(quantity);
}

void BuyerTable::BeginRestore(uint32_t count) {
  while (buyers_.size() < count) buyers_.Add();
}

bool BuyerTable::Restore(uint32_t number, std::string_view user, uint32_t count) {
  if (number >= buyers_.size() || buyers_[number].name != nullptr) return false;
  const uint64_t hash = HashBytes(user, seed_);
  if (index_.Find(hash, [&](uint32_t i) { return NameAt(i) == user; })) return false;
  const std::string_view kept = Keep(user);
  buyers_.Change(number) = {kept.data(), static_cast<uint32_t>(kept.size()), count};
  index_.Insert(hash, number);
  return true;
}

std::string_view BuyerTable::Keep(std::string_view name) {
  if (blocks_.empty() || block_size_ - block_used_ < name.size()) {
    const size_t grown = std::min(std::max(kFirstBlock, block_size_ * 2), kLargestBlock);
    block_size_ = std::max(grown, name.size());
    block_used_ = 0;
    blocks_.push_back(std::make_unique<char[]>(block_size_));
  }
  char* kept = blocks_.back().get() + block_used_;
  std::memcpy(kept, name.data(), name.size());
  block_used_ += name.size();
  name_bytes_ += name.size();
  return {kept, name.size()};
}

size_t BuyerTable::memory_bytes() const {
  return sizeof *this + index_.memory_bytes() + buyers_.size() * sizeof(Buyer) + name_bytes_;
}

}  // namespace sluice::engine
