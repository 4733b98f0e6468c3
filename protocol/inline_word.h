// The words of an inline command: "SET greeting \"hello\\n\"" as a person types it into a terminal.
#pragma once

#include <string>
#include <string_view>

namespace sluice::protocol {

enum class InlineWord {
  kWord,        // `word` holds it
  kEnd,         // no word is left
  kUnbalanced,  // a quote is not closed, or something other than white space follows the one that closes
};

// Takes the next word off the front of `line` (without its line end) and decodes it into `word`, whose former
// content is lost. The rules are those of Redis's inline commands:
//   plain    ends at a space, tab, CR or LF; a quote inside it begins a quoted part, which ends the word
//   "..."    \n \r \t \b \a and \xHH are bytes, a backslash before any other byte stands for that byte
//   '...'    only \' is special
InlineWord TakeInlineWord(std::string_view& line, std::string& word);

}  // namespace sluice::protocol
