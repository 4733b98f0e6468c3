#include "protocol/glance.h"

#include "protocol/integer_line.h"

namespace sluice::protocol {

Glance GlanceAt(std::string_view input) {
  Glance glance;
  const char* at = input.data();
  const char* const end = at + input.size();
  // The number of the line that begins with `type`; below 0: there is none.
  const auto take = [&at, end](char type) -> int64_t {
    if (at == end || *at != type) return -1;
    const Integer number = ReadInteger(at + 1, end);
    if (number.next == nullptr) return -1;
    at = number.next;
    return number.value;
  };
  const int64_t words = take('*');
  if (words < 0 || words > static_cast<int64_t>(Glance::kMostWords)) return {};
  for (int64_t i = 0; i < words; ++i) {
    const int64_t bytes = take('$');
    if (bytes < 0 || end - at < 2 || bytes > end - at - 2) return {};
    if (i == 1) glance.second = {at, static_cast<size_t>(bytes)};
    if (i == 2) glance.third = {at, static_cast<size_t>(bytes)};
    at += bytes + 2;
  }
  glance.bytes = static_cast<size_t>(at - input.data());
  return glance;
}

}  // namespace sluice::protocol
