// A request at a glance: where it ends, and its first words, before anybody has parsed it.
#pragma once

#include <cstddef>
#include <string_view>

namespace sluice::protocol {

struct Glance {
  // More words than this are not looked at: a request that comes byte by byte is glanced at with each of
  // them.
  static constexpr size_t kMostWords = 64;

  std::string_view second;  // words; empty: there is none
  std::string_view third;
  // Of the whole request; 0: it is not whole, has too many words, is no multibulk, or malformed.
  size_t bytes = 0;
};

// The request at the front of `input`. For hints only: what RequestParser refuses may pass here.
Glance GlanceAt(std::string_view input);

}  // namespace sluice::protocol
