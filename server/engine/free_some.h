// Taking a large container apart a little at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace sluice::engine {

// Erases from the front of a tree. A piece is about what one call of free() costs: the four elements that
// share a node of the usual size are one. Reduces `pieces`; true where some are left in the tree.
template <typename Tree>
bool EraseSome(Tree& tree, size_t& pieces) {
  constexpr size_t kInPiece = 4;
  const size_t erased = std::min(tree.size(), pieces * kInPiece);
  tree.erase(tree.begin(), std::next(tree.begin(), static_cast<std::ptrdiff_t>(erased)));
  pieces -= (erased + kInPiece - 1) / kInPiece;
  return !tree.empty();
}

// Takes whole elements, each of which owns much, from the front of a tree: `free_some(element, pieces)` takes
// one of them apart, and is true where it has to go on.
template <typename Tree, typename FreeOne>
bool EraseLarge(Tree& tree, size_t& pieces, FreeOne&& free_some) {
  while (!tree.empty() && pieces > 0) {
    if (free_some(*tree.begin(), pieces)) return true;
    tree.erase(tree.begin());
    pieces -= std::min<size_t>(pieces, 1);
  }
  return !tree.empty();
}

}  // namespace sluice::engine
