// Comparing what was heard with what a golden file says, where some of it may vary.
//
// In an expected line these stand for what cannot be known beforehand:
//
//   <int>   an integer          <id>   a stream ID, ms-seq          <any>   anything, also nothing
//   <int:n>, <id:a>, <any:x>    the same, remembered: $n, $a, $x stand for it in later requests and replies
//   ...     alone on a line (indented or not): any number of lines
//
// Everything else must be there byte for byte.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace sluice::tests {

using Captures = std::map<std::string, std::string>;

// Replaces $name by what was remembered under that name; a $ that no known name follows stays as it is.
std::string Substitute(const std::string& text, const Captures& captures);

// Do the lines `actual` answer to the lines `expected`? What <..:name> matched is added to `captures` where they do.
bool Matches(const std::vector<std::string>& expected, const std::vector<std::string>& actual, Captures& captures);

}  // namespace sluice::tests
