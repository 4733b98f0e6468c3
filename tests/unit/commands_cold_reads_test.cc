// Commands that meet with messages that are not in memory: they wait, alone, and are answered as if they had
// not.
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "server/config.h"
#include "tests/harness/memory_stage.h"

namespace sluice::tests {
namespace {

constexpr int kEntries = 500;  // of about a kilobyte: eight segments
constexpr uint64_t kTrustMs = 1000;

// With what is read ahead past the page cache, and with all that is read through it.
class ColdReadsTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    const std::string value(1000, 'x');
    for (int i = 1; i <= kEntries; ++i) {
      ASSERT_EQ(stage_.Ask("w", {"XADD", "s", std::to_string(i), "v", value}).outcome,
                Stage::Outcome::kReply);
    }
    ASSERT_EQ(Say("w", "XGROUP CREATE s g 0"), "+OK");
  }

  // The text of the reply; "(blocked)" where the call waits.
  std::string Say(const std::string& client, const std::string& line) {
    std::istringstream in(line);
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    return TextOf(stage_.Ask(client, words));
  }
  std::string Hear(const std::string& client) { return TextOf(stage_.Peek(client)); }
  // The IDs of the entries in a reply's text, "1-0 2-0 ".
  static std::string Ids(const std::string& text) {
    std::string ids;
    for (size_t at = 0; (at = text.find('"', at)) != std::string::npos;) {
      const size_t end = text.find('"', at + 1);
      const std::string word = text.substr(at + 1, end - at - 1);
      if (word.find('-') != std::string::npos) ids += word + " ";
      at = end + 1;
    }
    return ids;
  }
  storage::ColdReadStatus status() const { return stage_.journal().cold_reads().status(); }
  // What was in memory is so no more, and is not trusted to be.
  void DropPages() {
    stage_.pages().DropAll();
    stage_.Advance(kTrustMs);
  }
  void FetchAll() {
    while (stage_.FetchPages()) {
    }
  }

  MemoryStage stage_{DefaultConfig(), {.fetches_pages = false, .passes_page_cache = GetParam()}};

 private:
  static std::string TextOf(const Stage::Heard& heard) {
    switch (heard.outcome) {
      case Stage::Outcome::kReply:
        return FormatReply(heard.reply);
      case Stage::Outcome::kBlocked:
        return "(blocked)";
      case Stage::Outcome::kNothing:
        return "(nothing)";
      case Stage::Outcome::kClosed:
        return "(closed)";
    }
    return "";
  }
};

TEST_P(ColdReadsTest, ACallThatWaitsIsAnsweredOnceItsPagesHaveCome) {
  EXPECT_EQ(Say("a", "XRANGE s 10 12"), "(blocked)");
  EXPECT_EQ(Hear("a"), "(nothing)");
  EXPECT_TRUE(stage_.FetchPages()) << "the index";
  EXPECT_EQ(Hear("a"), "(nothing)");
  EXPECT_TRUE(stage_.FetchPages()) << "the entries";
  EXPECT_EQ(Ids(Hear("a")), "10-0 11-0 12-0 ");
  EXPECT_EQ(status().waited, 2u);
  EXPECT_EQ(status().in_place, 0u);
  EXPECT_GT(status().bytes, 64u << 10);
  // And the next one finds them.
  EXPECT_EQ(Ids(Say("a", "XRANGE s 13 14")), "13-0 14-0 ");
  EXPECT_EQ(status().waited, 2u);
}

TEST_P(ColdReadsTest, WhatIsInMemoryIsAskedAboutOnceASecond) {
  EXPECT_EQ(Say("a", "XRANGE s 10 12"), "(blocked)");
  FetchAll();
  EXPECT_EQ(Ids(Hear("a")), "10-0 11-0 12-0 ");
  const uint64_t asked = stage_.pages().asked;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Ids(Say("a", "XRANGE s 10 12")), "10-0 11-0 12-0 ");
  EXPECT_EQ(stage_.pages().asked, asked);
  stage_.Advance(kTrustMs);
  EXPECT_EQ(Ids(Say("a", "XRANGE s 10 12")), "10-0 11-0 12-0 ");
  EXPECT_EQ(stage_.pages().asked, asked + 2) << "the index and a window";
}

TEST_P(ColdReadsTest, TheTailIsNeverAskedAbout) {
  EXPECT_EQ(Ids(Say("a", "XREVRANGE s + - COUNT 2")), "500-0 499-0 ");
  EXPECT_EQ(Ids(Say("a", "XREAD STREAMS s 498")), "499-0 500-0 ");
  EXPECT_EQ(stage_.pages().asked, 0u);
}

TEST_P(ColdReadsTest, WhoHasWaitedTwiceReadsInPlace) {
  stage_.pages().full = true;
  EXPECT_EQ(Say("a", "XRANGE s 10 12"), "(blocked)");
  EXPECT_TRUE(stage_.FetchPages());
  EXPECT_EQ(Hear("a"), "(nothing)");
  EXPECT_TRUE(stage_.FetchPages());
  EXPECT_EQ(Ids(Hear("a")), "10-0 11-0 12-0 ");
  EXPECT_EQ(status().waited, 2u);
  EXPECT_EQ(status().in_place, 1u);
}

TEST_P(ColdReadsTest, ATransactionReadsInPlace) {
  EXPECT_EQ(Say("a", "MULTI"), "+OK");
  EXPECT_EQ(Say("a", "XREADGROUP GROUP g c COUNT 2 STREAMS s >"), "+QUEUED");
  EXPECT_EQ(Say("a", "XRANGE s 200 200"), "+QUEUED");
  EXPECT_EQ(Ids(Say("a", "EXEC")), "1-0 2-0 200-0 ");
  EXPECT_EQ(status().waited, 0u);
  EXPECT_EQ(status().in_place, 1u);
  // The next command waits again.
  EXPECT_EQ(Say("a", "XRANGE s 300 300"), "(blocked)");
}

TEST_P(ColdReadsTest, OthersAreServedMeanwhile) {
  EXPECT_EQ(Say("a", "XRANGE s 10 12"), "(blocked)");
  EXPECT_EQ(Say("b", "PING"), "+PONG");
  EXPECT_EQ(Say("b", "XADD s 501 v new"), "\"501-0\"");
  EXPECT_EQ(Ids(Say("b", "XRANGE s 500 +")), "500-0 501-0 ");
  EXPECT_EQ(Say("c", "XRANGE s 400 400"), "(blocked)");
  FetchAll();
  EXPECT_EQ(Ids(Hear("a")), "10-0 11-0 12-0 ");
  EXPECT_EQ(Ids(Hear("c")), "400-0 ");
}

TEST_P(ColdReadsTest, NothingIsDecidedBeforeThePagesAreThere) {
  const uint64_t hash = stage_.StateHash();
  EXPECT_EQ(Say("a", "XREADGROUP GROUP g c COUNT 3 STREAMS s >"), "(blocked)");
  stage_.FetchPages();
  EXPECT_EQ(Hear("a"), "(nothing)");
  EXPECT_EQ(stage_.StateHash(), hash) << "not even the consumer exists";
  // Who comes later and needs no disk goes first; then each has what is his.
  EXPECT_EQ(Say("b", "XREADGROUP GROUP g d COUNT 2 STREAMS s >"), "(blocked)");
  FetchAll();
  EXPECT_EQ(Ids(Hear("a")), "1-0 2-0 3-0 ");
  EXPECT_EQ(Ids(Hear("b")), "4-0 5-0 ");
  EXPECT_NE(stage_.StateHash(), hash);
  EXPECT_EQ(Ids(Say("b", "XPENDING s g - + 10 c")), "1-0 2-0 3-0 ");
  EXPECT_EQ(status().in_place, 0u);
}

TEST_P(ColdReadsTest, ScatteredEntriesComeTogether) {
  EXPECT_EQ(Say("a", "XGROUP SETID s g 500"), "+OK");
  EXPECT_EQ(Ids(Say("a", "XCLAIM s g c 0 10 100 200 300 FORCE JUSTID")), "") << "the indexes first";
  FetchAll();
  EXPECT_EQ(Ids(Hear("a")), "10-0 100-0 200-0 300-0 ");
  DropPages();
  const uint64_t before = status().waited;
  EXPECT_EQ(Say("a", "XAUTOCLAIM s g d 0 0"), "(blocked)");
  stage_.FetchPages();
  EXPECT_EQ(Hear("a"), "(nothing)") << "one wait for all indexes, one for all entries";
  stage_.FetchPages();
  EXPECT_EQ(Ids(Hear("a")), "0-0 10-0 100-0 200-0 300-0 ");
  EXPECT_EQ(status().waited, before + 2);
  EXPECT_EQ(status().in_place, 0u);
}

TEST_P(ColdReadsTest, ACatchUpReaderIsReadAheadFor) {
  std::string ids;
  std::string expected;
  uint64_t waits = 0;
  for (int i = 1; i <= kEntries; ++i) expected += std::to_string(i) + "-0 ";
  while (ids.size() < expected.size()) {
    std::string text = Say("a", "XREADGROUP GROUP g c COUNT 10 NOACK STREAMS s >");
    if (text == "(blocked)") {
      ++waits;
      FetchAll();
      text = Hear("a");
    }
    ASSERT_NE(Ids(text), "");
    ids += Ids(text);
  }
  EXPECT_EQ(ids, expected);
  EXPECT_EQ(waits, 1u) << "from the first wait on, pages are there before he is";
  EXPECT_EQ(status().in_place, 0u);
}

TEST_P(ColdReadsTest, WhoIsKilledWaitsForNothing) {
  EXPECT_EQ(Say("a", "XRANGE s 10 12"), "(blocked)");
  EXPECT_EQ(Say("b", "CLIENT KILL SKIPME yes TYPE normal"), "(integer) 2");
  EXPECT_EQ(Hear("a"), "(closed)");
  EXPECT_FALSE(stage_.FetchPages()) << "nobody waits for it";
  EXPECT_EQ(Say("b", "PING"), "+PONG");
}

TEST_P(ColdReadsTest, TheStreamMayGoMeanwhile) {
  EXPECT_EQ(Say("a", "XRANGE s 10 12"), "(blocked)");
  EXPECT_EQ(Say("b", "XREADGROUP GROUP g c STREAMS s >"), "(blocked)");
  EXPECT_EQ(Say("c", "DEL s"), "(integer) 1");
  FetchAll();
  EXPECT_EQ(Hear("a"), "(empty array)");
  EXPECT_EQ(Hear("b"), "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option");
}

TEST_P(ColdReadsTest, SegmentsMayBeCompactedAndRemovedMeanwhile) {
  EXPECT_EQ(Say("a", "XRANGE s - + COUNT 2"), "(blocked)");
  EXPECT_EQ(Say("b", "XTRIM s MINID 200"), "(integer) 199");
  for (int i = 1; i <= 3; ++i) {
    ASSERT_EQ(Say("b", "SAVE"), "(blocked)");
    ASSERT_EQ(Hear("b"), "+OK");
    ASSERT_EQ(Say("b", "SET k " + std::to_string(i)), "+OK");
  }
  ASSERT_GT(stage_.journal().compactor().status().segments_removed, 0u);
  FetchAll();
  EXPECT_EQ(Ids(Hear("a")), "200-0 201-0 ");
}

TEST_P(ColdReadsTest, ABlockedReaderStaysInItsPlaceWhileItsPagesCome) {
  EXPECT_EQ(Say("w", "XGROUP SETID s g 500"), "+OK");
  EXPECT_EQ(Say("a", "XREADGROUP GROUP g c BLOCK 0 COUNT 2 STREAMS s >"), "(blocked)");
  EXPECT_EQ(Say("b", "XREADGROUP GROUP g d BLOCK 0 COUNT 2 STREAMS s >"), "(blocked)");
  EXPECT_EQ(Say("w", "XGROUP SETID s g 100"), "+OK");
  EXPECT_EQ(Hear("a"), "(nothing)");
  FetchAll();
  EXPECT_EQ(Ids(Hear("a")), "101-0 102-0 ");
  EXPECT_EQ(Ids(Hear("b")), "103-0 104-0 ") << "who stood behind has not been forgotten";
}

TEST_P(ColdReadsTest, ABlockedReadersTimeMayBeOverFirst) {
  EXPECT_EQ(Say("w", "XGROUP SETID s g 500"), "+OK");
  EXPECT_EQ(Say("a", "XREADGROUP GROUP g c BLOCK 100 STREAMS s >"), "(blocked)");
  EXPECT_EQ(Say("w", "XGROUP SETID s g 100"), "+OK");
  stage_.Advance(100);
  EXPECT_EQ(Hear("a"), "(nilarray)");
  EXPECT_FALSE(stage_.FetchPages()) << "nobody waits for it";
  EXPECT_EQ(Say("a", "PING"), "+PONG");
}

TEST_P(ColdReadsTest, APauseOfWritesHoldsWhatHasWaited) {
  EXPECT_EQ(Say("a", "XREADGROUP GROUP g c COUNT 1 STREAMS s >"), "(blocked)");
  EXPECT_EQ(Say("b", "CLIENT PAUSE 5000 WRITE"), "+OK");
  FetchAll();
  EXPECT_EQ(Hear("a"), "(nothing)");
  stage_.Advance(5000);
  FetchAll();  // the pause was long enough to trust nothing
  EXPECT_EQ(Ids(Hear("a")), "1-0 ");
}

TEST_P(ColdReadsTest, ACallThatWaitedCountsOnce) {
  EXPECT_EQ(Say("a", "XRANGE s 10 12"), "(blocked)");
  FetchAll();
  EXPECT_EQ(Ids(Hear("a")), "10-0 11-0 12-0 ");
  const std::string stats = Say("a", "INFO commandstats");
  EXPECT_NE(stats.find("cmdstat_xrange:calls=1,"), std::string::npos) << stats;
}

TEST_P(ColdReadsTest, OtherCommandsThatReadEntriesWaitToo) {
  for (const char* line : {"XREAD COUNT 1 STREAMS s 0", "XREVRANGE s 20 20", "XINFO STREAM s", "COPY s t",
                           "XINFO STREAM s FULL COUNT 1", "XDEL s 30"}) {
    DropPages();
    EXPECT_EQ(Say("a", line), "(blocked)") << line;
    FetchAll();
    EXPECT_NE(Hear("a"), "(nothing)") << line;
  }
  EXPECT_EQ(Say("a", "XLEN t"), "(integer) 500");
  EXPECT_EQ(Say("a", "XLEN s"), "(integer) 499");
  EXPECT_EQ(status().in_place, 0u);
}

INSTANTIATE_TEST_SUITE_P(, ColdReadsTest, testing::Bool(), [](const testing::TestParamInfo<bool>& past) {
  return std::string(past.param ? "PastThePageCache" : "ThroughThePageCache");
});

}  // namespace
}  // namespace sluice::tests
