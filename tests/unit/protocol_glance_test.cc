#include "protocol/glance.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "protocol/request_parser.h"
#include "tests/harness/socket_client.h"

namespace sluice::protocol {
namespace {

TEST(Glance, SeesTheFirstWordsAndTheEnd) {
  const std::string wire = tests::EncodeRequest({"XADD", "key", "*", "f", std::string(3000, 'v')});
  const std::string with_another = wire + "*1\r\n";
  const Glance glance = GlanceAt(with_another);
  EXPECT_EQ(glance.second, "key");
  EXPECT_EQ(glance.third, "*");
  RequestParser parser;
  ASSERT_EQ(parser.Parse(with_another), RequestParser::Status::kRequest);
  EXPECT_EQ(glance.bytes, parser.consumed());
  EXPECT_EQ(glance.bytes, wire.size());
  const std::string alone = tests::EncodeRequest({"PING"});
  EXPECT_EQ(GlanceAt(alone).bytes, alone.size());
  EXPECT_EQ(GlanceAt(alone).second, "");
  EXPECT_EQ(GlanceAt(tests::EncodeRequest({"GET", ""})).second, "");
}

TEST(Glance, LooksAtABoundedNumberOfWords) {
  const std::vector<std::string> most(Glance::kMostWords, "w");
  EXPECT_EQ(GlanceAt(tests::EncodeRequest(most)).bytes, tests::EncodeRequest(most).size());
  const std::vector<std::string> more(Glance::kMostWords + 1, "w");
  EXPECT_EQ(GlanceAt(tests::EncodeRequest(more)).bytes, 0u);
}

TEST(Glance, SaysNothingOfWhatIsNotWhole) {
  const std::string wire = tests::EncodeRequest({"SECKILL.BUY", "item", "user"});
  for (size_t bytes = 0; bytes < wire.size(); ++bytes) {
    EXPECT_EQ(GlanceAt(std::string_view(wire).substr(0, bytes)).bytes, 0u) << bytes;
  }
}

// Where it ends up must be where the parser ends, or nowhere: the requests behind would be taken for others.
TEST(Glance, SaysNothingOfWhatIsMalformed) {
  for (const std::string wire : {"PING\r\n", "*\r\n", "*-1\r\n", "*1\r\n$-1\r\n", "*2\r\n$3\r\nGET\r\n:1\r\n",
                                 "*1\r\n$4294967296\r\nx\r\n", "*1000000000000\r\n", "\r\n", "*x\r\n",
                                 "*2\r\n$3\r\nGET\r\n$\r\n\r\n", "*9\r\n$1\r\nx\r\n"}) {
    EXPECT_EQ(GlanceAt(wire).bytes, 0u) << wire;
  }
}

}  // namespace
}  // namespace sluice::protocol
