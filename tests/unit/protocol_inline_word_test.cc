#include "protocol/inline_word.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace sluice::protocol {
namespace {

using namespace std::string_literals;
using Words = std::vector<std::string>;

// All words of `line`; a last one "<unbalanced>" if that is how it ends.
Words Split(std::string_view line) {
  Words words;
  std::string word = "left over";
  for (;;) {
    switch (TakeInlineWord(line, word)) {
      case InlineWord::kWord:
        words.push_back(word);
        break;
      case InlineWord::kEnd:
        return words;
      case InlineWord::kUnbalanced:
        words.emplace_back("<unbalanced>");
        return words;
    }
  }
}

TEST(InlineWord, SplitsAtWhiteSpace) {
  EXPECT_EQ(Split("PING"), (Words{"PING"}));
  EXPECT_EQ(Split("  SET \t key   value  "), (Words{"SET", "key", "value"}));
  EXPECT_EQ(Split("SET a\rb\r"), (Words{"SET", "a", "b"}));
  EXPECT_EQ(Split("ECHO \v\fx\vy\fz"), (Words{"ECHO", "x\vy\fz"}));
  EXPECT_EQ(Split("ECHO a\0b\xff"s), (Words{"ECHO", "a\0b\xff"s}));
  EXPECT_EQ(Split(R"(a\nb \x41)"), (Words{R"(a\nb)", R"(\x41)"}));
}

TEST(InlineWord, FindsNoneInWhiteSpace) {
  EXPECT_EQ(Split(""), Words());
  EXPECT_EQ(Split(" \t\r\v\f"), Words());
}

TEST(InlineWord, DecodesDoubleQuotes) {
  EXPECT_EQ(Split(R"("a b" "")"), (Words{"a b", ""}));
  EXPECT_EQ(Split(R"("\n\r\t\b\a\\\"")"), (Words{"\n\r\t\b\a\\\""}));
  EXPECT_EQ(Split(R"("\x00\x7f\xfF\x0a")"), (Words{"\x00\x7f\xff\x0a"s}));
  EXPECT_EQ(Split(R"("\q\xZZ\x4g\x4")"), (Words{"qxZZx4gx4"}));
  EXPECT_EQ(Split(R"("it's")"), (Words{"it's"}));
}

TEST(InlineWord, DecodesSingleQuotes) {
  EXPECT_EQ(Split(R"('a b' '')"), (Words{"a b", ""}));
  EXPECT_EQ(Split(R"('it\'s')"), (Words{"it's"}));
  EXPECT_EQ(Split(R"('\n\x41"\\ ')"), (Words{R"(\n\x41"\\ )"}));
}

TEST(InlineWord, AQuoteMayBeginInsideAWordButEndsIt) {
  EXPECT_EQ(Split(R"(ab"c d")"), (Words{"abc d"}));
  EXPECT_EQ(Split(R"(ab'c d' e)"), (Words{"abc d", "e"}));
  EXPECT_EQ(Split("\"a\"\vb"), (Words{"a", "b"}));
}

TEST(InlineWord, RefusesUnbalancedQuotes) {
  for (const char* line : {R"("a)", R"('a)", R"(")", R"(')", R"("a"b)", R"('a'b)", R"(a"c d"e)", R"("a""b")",
                           R"('a''b')", R"("a\")", R"('a\')", R"('a\\')", R"("\)", R"('\)", R"("\x)",
                           R"("\x4)", R"("\x41)", R"("""test-key""")"}) {
    EXPECT_EQ(Split(line), Words{"<unbalanced>"}) << line;
    EXPECT_EQ(Split("GET "s + line), (Words{"GET", "<unbalanced>"})) << line;
  }
}

}  // namespace
}  // namespace sluice::protocol
