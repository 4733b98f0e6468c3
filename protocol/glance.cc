#include "protocol/glance.h"

namespace sluice::protocol {
namespace {

// The number of the line "<type><number>\r\n" at `at`, which moves behind it. False where there is none of up
// to nine digits.
bool TakeNumber(std::string_view input, size_t& at, char type, size_t& number) {
  if (at >= input.size() || input[at] != type) return false;
  number = 0;
  const size_t first = ++at;
  for (; at < input.size() && input[at] >= '0' && input[at] <= '9'; ++at) {
    number = number * 10 + static_cast<size_t>(input[at] - '0');
  }
  if (at == first || at - first > 9) return false;
  at += 2;
  return at <= input.size();
}

}  // namespace

Glance GlanceAt(std::string_view input) {
  Glance glance;
  size_t at = 0;
  size_t words = 0;
  if (!TakeNumber(input, at, '*', words) || words > Glance::kMostWords) return {};
  for (size_t i = 0; i < words; ++i) {
    size_t bytes = 0;
    if (!TakeNumber(input, at, '$', bytes) || input.size() - at < bytes + 2) return {};
    if (i == 1) glance.second = input.substr(at, bytes);
    if (i == 2) glance.third = input.substr(at, bytes);
    at += bytes + 2;
  }
  glance.bytes = at;
  return glance;
}

}  // namespace sluice::protocol
