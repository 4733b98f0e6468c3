#include "server/commands/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::commands {
namespace {

TEST(Glob, MatchesAsRedisDoes) {
  EXPECT_TRUE(GlobMatches("*", ""));
  EXPECT_TRUE(GlobMatches("", ""));
  EXPECT_FALSE(GlobMatches("", "a"));
  EXPECT_TRUE(GlobMatches("h?llo", "hello"));
  EXPECT_FALSE(GlobMatches("h?llo", "hllo"));
  EXPECT_TRUE(GlobMatches("h*llo", "heeeello"));
  EXPECT_TRUE(GlobMatches("h[ae]llo", "hallo"));
  EXPECT_FALSE(GlobMatches("h[ae]llo", "hillo"));
  EXPECT_TRUE(GlobMatches("h[^e]llo", "hallo"));
  EXPECT_FALSE(GlobMatches("h[^e]llo", "hello"));
  EXPECT_TRUE(GlobMatches("h[a-c]llo", "hbllo"));
  EXPECT_TRUE(GlobMatches("h[c-a]llo", "hbllo"));
  EXPECT_TRUE(GlobMatches("h\\*llo", "h*llo"));
  EXPECT_FALSE(GlobMatches("h\\*llo", "hello"));
  EXPECT_TRUE(GlobMatches("h[\\]]llo", "h]llo"));
  EXPECT_TRUE(GlobMatches("a*b*c", "a-b-b-c"));
  EXPECT_FALSE(GlobMatches("a*b*c", "a-b-b-"));
  EXPECT_FALSE(GlobMatches("HELLO", "hello"));
  EXPECT_TRUE(GlobMatches("HE[K-M]LO", "hello", true));
  EXPECT_TRUE(GlobMatches("[a", "a"));
  EXPECT_TRUE(GlobMatches("\\", "\\"));
}

// Ten thousand stars, and a text that fails at its end: quadratic at worst, where backtracking into each star
// would not come back before the test's limit.
TEST(Glob, StarsDoNotMultiply) {
  std::string pattern;
  for (int i = 0; i < 10000; ++i) pattern += "*a";
  EXPECT_FALSE(GlobMatches(pattern + "b", std::string(20000, 'a')));
  EXPECT_TRUE(GlobMatches(std::string(10000, '*'), std::string(20000, 'a')));
}

}  // namespace
}  // namespace sluice::commands
