// The same random conversations with Debian's redis-server 7.0 and with Sluice: what is heard must be the
// same, byte for byte, but for what stands in the list below.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/differential/stream_talk.h"
#include "tests/harness/memory_stage.h"
#include "tests/harness/redis_process.h"
#include "tests/harness/socket_client.h"

namespace sluice::tests {
namespace {

using Kind = StreamTalk::Kind;

// ---- What may differ, and why ----

// Texts that later versions of Redis changed, by command; Sluice has the newest.
struct TextChange {
  std::string before;
  std::string after;
};
const std::multimap<std::string, TextChange> kNewerTexts = {
    {"XREAD",
     {"ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.",
      "ERR Unbalanced 'xread' list of streams: for each stream key an ID, '+', or '$' must be specified."}},
    {"XREADGROUP",
     {"ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.",
      "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified."}},
    // Since 7.2 the highest deleted ID is looked at, and first: both are refused.
    {"XSETID",
     {"ERR The ID specified in XSETID is smaller than the target stream top item",
      "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"}},
};

// Fields that 7.0 does not have yet.
const std::set<std::string> kNewerFields = {"inactive",     "active-time",     "idmp-duration",
                                            "idmp-maxsize", "pids-tracked",    "iids-tracked",
                                            "iids-added",   "iids-duplicates", "nacked-count"};

// Times: each server has its own clock. And the shape of Redis's radix tree, which depends on the bytes of
// IDs: there is no such tree here.
const std::set<std::string> kInner = {"seen-time", "idle", "radix-tree-nodes"};

// Where entries were deleted in the middle: nodes are arithmetic here; and 7.0 may count a lag wrongly or not
// at all (fixed in 8.0), while Sluice counts exactly. The model test says what is right then.
const std::set<std::string> kOfHoles = {"lag", "entries-read", "radix-tree-keys"};

// Since 7.2 XSETID refuses an ID below the highest deleted one. The streams part here.
bool PartsTheStreams(const Words& words, const Reply& theirs, const Reply& ours) {
  return words[0] == "XSETID" && theirs.type == Reply::Type::kSimple &&
         ours.text == "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id";
}

// A lag that 7.0 cannot tell is a number here, always. And until 8.0 entries that were trimmed before the
// group was given them counted as not read. `ours` is right then.
void ForgiveLag(Reply& theirs, const Reply& ours) {
  const size_t common = std::min(theirs.elements.size(), ours.elements.size());
  for (size_t i = 0; i < common; ++i) {
    Reply& element = theirs.elements[i];
    const Reply& answer = ours.elements[i];
    const std::string name = i > 0 ? theirs.elements[i - 1].text : "";
    const bool numbers = element.type == Reply::Type::kInteger && answer.type == Reply::Type::kInteger;
    if (name == "lag" && (!numbers || std::stoll(element.text) > std::stoll(answer.text))) element = answer;
    if (name == "entries-read" && numbers && std::stoll(element.text) < std::stoll(answer.text))
      element = answer;
    ForgiveLag(element, answer);
  }
}

// Idle times are told apart only by how coarse they were asked for.
std::string Coarse(const std::string& idle_ms) {
  return "about " + std::to_string(std::min(std::stoll(idle_ms), 1'000'000'000ll) / 1'000'000) + "000 s";
}

// ---- The comparison ----

// `reply` without what may differ.
class Comparable {
 public:
  Comparable(const Words& words, Kind kind) : words_(words), kind_(kind) {}

  Reply Of(Reply reply) const {
    if (reply.type == Reply::Type::kError) {
      const auto [begin, end] = kNewerTexts.equal_range(words_[0]);
      for (auto change = begin; change != end; ++change) {
        if (reply.text == change->second.before) reply.text = change->second.after;
      }
    } else if (words_[0] == "XINFO") {
      if (words_[1] == "STREAM") {
        Fields(reply);
      } else {
        for (Reply& element : reply.elements) Fields(element);
      }
    } else if (words_[0] == "XPENDING" && words_.size() > 3) {
      for (Reply& entry : reply.elements) {
        if (entry.elements.size() == 4) entry.elements[2].text = Coarse(entry.elements[2].text);
      }
    }
    return reply;
  }

 private:
  void Fields(Reply& map) const {
    std::vector<Reply> kept;
    for (size_t i = 0; i + 1 < map.elements.size(); i += 2) {
      const std::string& name = map.elements[i].text;
      Reply& value = map.elements[i + 1];
      if (kNewerFields.contains(name)) continue;
      if (kInner.contains(name)) value.text = "inner";
      if (kind_ == Kind::kHoled && kOfHoles.contains(name))
        value = Reply{Reply::Type::kSimple, "of holes", {}};
      if (name == "pending") {
        // [id, consumer, delivered, count] of a group, [id, delivered, count] of a consumer.
        for (Reply& entry : value.elements) entry.elements[entry.elements.size() - 2].text = "then";
      }
      if (name == "groups" || name == "consumers") {
        for (Reply& element : value.elements) Fields(element);
      }
      kept.push_back(map.elements[i]);
      kept.push_back(value);
    }
    map.elements = std::move(kept);
  }

  const Words& words_;
  Kind kind_;
};

std::string Said(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

class StreamDifference : public testing::Test {
 protected:
  static constexpr const char* kNodeEntries = "4";  // small, so that short streams have several nodes
  static constexpr int kSteps = 230;

  void SetUp() override {
    ASSERT_TRUE(RedisProcess::Installed()) << "redis-server is missing; tools/test installs it";
    redis_.emplace(Words{"--stream-node-max-bytes", "0", "--stream-node-max-entries", kNodeEntries});
    ASSERT_TRUE(client_.Connect(redis_->port()));
  }

  // Has one conversation; how many commands it had. Stops at its first difference.
  size_t Compare(uint64_t seed, Kind kind) {
    std::vector<Words> talk = {{"FLUSHALL"}, {"HELLO", seed % 2 == 0 ? "2" : "3"}, {"SET", "text", "v"}};
    StreamTalk maker(seed, kind);
    while (talk.size() < kSteps) {
      for (Words& words : maker.Next()) talk.push_back(std::move(words));
    }
    std::string wire;
    for (const Words& words : talk) wire += EncodeRequest(words);
    EXPECT_TRUE(client_.SendBytes(wire));

    Config config = DefaultConfig();
    config.stream_node_max_entries = std::stoull(kNodeEntries);
    MemoryStage stage(config);
    bool same = true;
    std::vector<std::string> before;
    for (const Words& words : talk) {
      const Stage::Heard theirs = client_.Receive(10'000);
      EXPECT_EQ(theirs.outcome, Stage::Outcome::kReply);
      if (!same || theirs.outcome != Stage::Outcome::kReply) continue;
      Stage::Heard ours = stage.Ask("", words);
      if (ours.outcome == Stage::Outcome::kBlocked) {
        stage.Advance(5);
        ours = stage.Receive("");
      }
      if (words[0] == "HELLO") continue;
      if (PartsTheStreams(words, theirs.reply, ours.reply)) {
        same = false;
        continue;
      }
      const Comparable comparable(words, kind);
      Reply known = comparable.Of(theirs.reply);
      const Reply answer = comparable.Of(ours.reply);
      if (words[0] == "XINFO") ForgiveLag(known, answer);
      const std::string expected = FormatReply(known);
      const std::string heard = FormatReply(answer);
      same = expected == heard;
      if (!same) {
        std::string last;
        for (size_t i = before.size() > 12 ? before.size() - 12 : 0; i < before.size(); ++i)
          last += before[i] + "\n";
        ADD_FAILURE() << "seed " << seed << " step " << before.size() << "\n"
                      << last << "> " << Said(words) << "\nRedis:\n"
                      << expected << "\nSluice:\n"
                      << heard;
      }
      before.push_back(Said(words));
    }
    return talk.size();
  }

  // Until `commands` were said, or too much was wrong.
  void CompareMany(Kind kind, size_t commands) {
    size_t said = 0;
    size_t wrong = 0;
    for (uint64_t seed = 1; said < commands && wrong < 5; ++seed) {
      said += Compare(seed, kind);
      if (HasFailure()) ++wrong;
    }
    RecordProperty("commands", std::to_string(said));
  }

  std::optional<RedisProcess> redis_;
  SocketClient client_;
};

TEST_F(StreamDifference, WhereNothingIsDeletedInTheMiddle) {
  CompareMany(Kind::kWhole, 100'000);
}

TEST_F(StreamDifference, WhereEntriesAreDeletedAnywhere) {
  CompareMany(Kind::kHoled, 100'000);
}

}  // namespace
}  // namespace sluice::tests
