// A request at a glance: where it ends, and its first words, before anybody has parsed it.
#pragma once

#include <cstddef>
#include <string_view>

namespace sluice::protocol {

struct Glance {
  std::string_view second;  // words; empty: there is none
  std::string_view third;
  size_t bytes = 0;  // of the whole request; 0: it is not whole, no multibulk request, or malformed
};

// The request at the front of `input`. For hints only: what RequestParser refuses may pass here.
Glance GlanceAt(std::string_view input);

}  // namespace sluice::protocol
