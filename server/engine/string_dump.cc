#include "server/engine/string_dump.h"

#include <algorithm>
#include <utility>

namespace sluice::engine {

void StringDump::BeforeWrite(uint64_t offset, size_t bytes) {
  if (value_ == &own_ || offset >= size_ || bytes == 0) return;
  const size_t last = (std::min<uint64_t>(size_, offset + bytes) - 1) / kPart;
  for (size_t part = offset / kPart; part <= last; ++part) Show(part);
}

void StringDump::TakeOver(std::string& value) {
  if (value_ == &own_) return;
  own_ = std::exchange(value, {});
  value_ = &own_;
}

bool StringDump::Continue() {
  while (next_ < shown_.size() && shown_[next_]) ++next_;
  if (next_ == shown_.size()) return false;
  Show(next_);
  return true;
}

void StringDump::Show(size_t part) {
  if (shown_[part]) return;
  shown_[part] = true;
  const size_t offset = part * kPart;
  dump_(offset, std::string_view(*value_).substr(offset, std::min(kPart, size_ - offset)));
}

}  // namespace sluice::engine
