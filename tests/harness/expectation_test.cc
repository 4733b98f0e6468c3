#include "tests/harness/expectation.h"

#include <gtest/gtest.h>

namespace sluice::tests {
namespace {

bool OneLine(const std::string& expected, const std::string& actual) {
  Captures captures;
  return Matches({expected}, {actual}, captures);
}

TEST(ExpectationTest, ComparesByteForByte) {
  EXPECT_TRUE(OneLine("(integer) 3", "(integer) 3"));
  EXPECT_FALSE(OneLine("(integer) 3", "(integer) 30"));
  EXPECT_FALSE(OneLine("a.c", "abc"));  // no pattern but the placeholders
  EXPECT_FALSE(OneLine("<id> a.c", "1-1 abc"));
}

TEST(ExpectationTest, PlaceholdersStandForWhatVaries) {
  EXPECT_TRUE(OneLine("(integer) <int>", "(integer) -12"));
  EXPECT_FALSE(OneLine("(integer) <int>", "(integer) 1.5"));
  EXPECT_TRUE(OneLine("\"<id>\"", "\"170-3\""));
  EXPECT_FALSE(OneLine("\"<id>\"", "\"170\""));
  EXPECT_TRUE(OneLine("\"<any>\"", "\"\""));
  EXPECT_FALSE(OneLine("\"<any>\"", "(nil)"));
}

TEST(ExpectationTest, CapturesAreUsedLater) {
  Captures captures;
  ASSERT_TRUE(Matches({"\"<id:a>\"", "<int:n>"}, {"\"5-1\"", "7"}, captures));
  EXPECT_EQ(Substitute("$a $n $ $b", captures), "5-1 7 $ $b");
  EXPECT_TRUE(Matches({"$a"}, {"5-1"}, captures));
  EXPECT_FALSE(Matches({"$a"}, {"5-2"}, captures));
  Captures twice;
  EXPECT_FALSE(Matches({"<int:x> <int:x>"}, {"1 2"}, twice));
  EXPECT_TRUE(twice.empty());
}

TEST(ExpectationTest, AnEllipsisSkipsLines) {
  Captures captures;
  EXPECT_TRUE(Matches({"a", "  ...", "d"}, {"a", "b", "c", "d"}, captures));
  EXPECT_TRUE(Matches({"a", "...", "d"}, {"a", "d"}, captures));
  EXPECT_TRUE(Matches({"a", "..."}, {"a"}, captures));
  EXPECT_FALSE(Matches({"a", "...", "d"}, {"a", "d", "e"}, captures));
  EXPECT_FALSE(Matches({"a"}, {"a", "b"}, captures));
  EXPECT_FALSE(Matches({"a", "b"}, {"a"}, captures));
}

}  // namespace
}  // namespace sluice::tests
