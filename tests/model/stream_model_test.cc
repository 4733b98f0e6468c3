// Random work on a stream and its groups, against a model that is obviously right; with crashes and clean
// stops in between. MemoryStage compares the state's hash over each of those by itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "tests/harness/memory_stage.h"
#include "tests/harness/seeds.h"
#include "tests/model/stream_model.h"

namespace sluice::tests {
namespace {

using Words = std::vector<std::string>;

class StreamWork {
 public:
  explicit StreamWork(uint64_t seed) : random_(seed), stage_(DefaultConfig()) {
    // What the stage's clock says is heard once, from an ID that it makes.
    const std::string id = Ask({"XADD", "clock", "*", "f", "v"}).text;
    model_.now_ms = std::stoull(id.substr(0, id.find('-')));
    Compare({"XGROUP", "CREATE", "s", "g", "0", "MKSTREAM"}, model_.Create("g", {0, 0}));
  }

  void Step() {
    const std::string group = Below(4) == 0 ? "h" : "g";
    const std::string consumer = std::string(1, static_cast<char>('a' + Below(3)));
    switch (Below(24)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
      case 5: {
        const ModelId id = NextId();
        return Compare({"XADD", "s", Text(id), "f", Text(id)}, model_.Add(id, Text(id)));
      }
      case 6: {
        const ModelId id = NextId();
        const uint64_t length = Below(12);
        const auto [word, references] = AnyReferences();
        return Compare({"XADD", "s", word, "MAXLEN", std::to_string(length), Text(id), "f", "trimming"},
                       model_.AddTrimming(id, "trimming", length, references));
      }
      case 7: {
        const ModelId id = AnyId();
        const auto [word, references] = AnyReferences();
        return Compare({"XTRIM", "s", "MINID", Text(id), word}, model_.Trim(id, references));
      }
      case 8: {
        const ModelIds ids = AnyIds();
        const auto [word, references] = AnyReferences();
        return Compare(WithIds({"XDELEX", "s", word}, ids, true), model_.Delete(ids, references));
      }
      case 9: {
        const ModelIds ids = AnyIds();
        const auto [word, references] = AnyReferences();
        return Compare(WithIds({"XACKDEL", "s", group, word}, ids, true),
                       model_.AckDelete(group, ids, references));
      }
      case 10:
      case 11: {
        const ModelIds ids = AnyIds();
        return Compare(WithIds({"XACK", "s", group}, ids, false), model_.Ack(group, ids));
      }
      case 12: {
        const ModelId id = Below(2) == 0 ? ModelId{0, 0} : AnyId();
        if (Below(2) == 0)
          return Compare({"XGROUP", "CREATE", "s", group, Text(id)}, model_.Create(group, id));
        return Compare({"XGROUP", "SETID", "s", group, Text(id)}, model_.SetId(group, id));
      }
      case 13:
        if (Below(4) == 0) return Compare({"XGROUP", "DESTROY", "s", group}, model_.Destroy(group));
        return Compare({"XGROUP", "DELCONSUMER", "s", group, consumer},
                       model_.DeleteConsumer(group, consumer));
      case 14:
      case 15:
      case 16:
      case 17: {
        const uint64_t count = 1 + Below(6);
        const bool no_ack = Below(8) == 0;
        const uint64_t idle = Below(3) * 50;
        const bool claims = Below(2) == 0;
        Words words = {"XREADGROUP", "GROUP", group, consumer, "COUNT", std::to_string(count)};
        if (no_ack) words.push_back("NOACK");
        if (claims) words.insert(words.end(), {"CLAIM", std::to_string(idle)});
        words.insert(words.end(), {"STREAMS", "s", ">"});
        return Compare(words, model_.ReadNew(group, consumer, count, no_ack,
                                             claims ? std::optional(idle) : std::nullopt));
      }
      case 18: {
        const ModelId after = AnyId();
        return Compare({"XREADGROUP", "GROUP", group, consumer, "STREAMS", "s", Text(after)},
                       model_.ReadHistory(group, consumer, after));
      }
      case 19: {
        const ModelIds ids = AnyIds();
        const uint64_t idle = Below(3) * 50;
        const bool force = Below(3) == 0;
        Words words = WithIds({"XCLAIM", "s", group, consumer, std::to_string(idle)}, ids, false);
        if (force) words.push_back("FORCE");
        return Compare(words, model_.Claim(group, consumer, idle, ids, force));
      }
      case 20: {
        const uint64_t idle = Below(3) * 50;
        const uint64_t count = 1 + Below(5);
        return Compare(
            {"XAUTOCLAIM", "s", group, consumer, std::to_string(idle), "-", "COUNT", std::to_string(count)},
            model_.AutoClaim(group, consumer, idle, count));
      }
      case 21:
      case 22: {
        const ModelIds ids = AnyIds();
        const bool force = Below(3) == 0;
        const uint64_t verdict = Below(3);
        const char* const verdicts[] = {"SILENT", "FAIL", "FATAL"};
        Words words = WithIds({"XNACK", "s", group, verdicts[verdict]}, ids, true);
        if (force) words.push_back("FORCE");
        return Compare(words, model_.GiveBack(group, static_cast<StreamModel::Verdict>(verdict), ids, force));
      }
      default: {
        const uint64_t ms = Below(40);
        stage_.Advance(ms);
        model_.now_ms += ms;
        // Now and then the log goes on in the next segment, so that entries are read from files and sidecars.
        if (Below(3) == 0) Ask({"XADD", "filling", "MAXLEN", "0", "*", "f", std::string(30'000, '#')});
        if (Below(8) == 0) stage_.Crash();
        if (Below(16) == 0) stage_.Reopen();
        return CompareAll();
      }
    }
  }

  void CompareAll() {
    Compare({"XRANGE", "s", "-", "+"}, model_.Range());
    Compare({"XREVRANGE", "s", "+", "-"}, Reversed(model_.Range()));
    for (const char* group : {"g", "h"}) {
      Compare({"XPENDING", "s", group, "-", "+", "1000"}, model_.Pending(group));
    }
    for (const Reply& group : Ask({"XINFO", "GROUPS", "s"}).elements) {
      const std::string& name = group.elements.at(1).text;
      EXPECT_EQ(FormatReply(group.elements.at(11)), FormatReply(model_.Lag(name))) << "lag of " << name;
    }
  }

 private:
  uint64_t Below(uint64_t limit) { return random_() % limit; }
  ModelId NextId() { return {std::max<uint64_t>(model_.last_id().first + Below(2), 1), Below(4)}; }
  ModelId AnyId() {
    const uint64_t last = model_.last_id().first;
    return {last - std::min<uint64_t>(last, Below(12)), Below(4)};
  }
  ModelIds AnyIds() {
    ModelIds ids;
    for (uint64_t n = 1 + Below(5); n > 0; --n) ids.push_back(AnyId());
    return ids;
  }
  std::pair<std::string, ModelReferences> AnyReferences() {
    switch (Below(3)) {
      case 0:
        return {"KEEPREF", ModelReferences::kKeep};
      case 1:
        return {"DELREF", ModelReferences::kDelete};
      default:
        return {"ACKED", ModelReferences::kRespect};
    }
  }
  static Words WithIds(Words words, const ModelIds& ids, bool counted) {
    if (counted) words.insert(words.end(), {"IDS", std::to_string(ids.size())});
    for (ModelId id : ids) words.push_back(Text(id));
    return words;
  }
  static Reply Reversed(Reply reply) {
    std::reverse(reply.elements.begin(), reply.elements.end());
    return reply;
  }

  Reply Ask(const Words& words) { return stage_.Ask("", words).reply; }

  void Compare(const Words& words, const Reply& expected) {
    std::string said;
    for (const std::string& word : words) said += word + " ";
    said_.push_back(said);
    const std::string heard = FormatReply(Ask(words));
    if (heard == FormatReply(expected)) return;
    std::string before;
    for (size_t i = said_.size() > 15 ? said_.size() - 15 : 0; i < said_.size(); ++i)
      before += said_[i] + "\n";
    ADD_FAILURE() << before << "expected\n" << FormatReply(expected) << "\nheard\n" << heard;
  }

  std::mt19937_64 random_;
  MemoryStage stage_;
  StreamModel model_;
  std::vector<std::string> said_;
};

TEST(StreamModel, AgreesOverManySeeds) {
  for (uint64_t seed = 1; seed <= Seeds(1000) && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    StreamWork work(seed);
    for (int step = 0; step < 400 && !testing::Test::HasFailure(); ++step) {
      ASSERT_NO_THROW(work.Step()) << "step " << step;
    }
    work.CompareAll();
  }
}

}  // namespace
}  // namespace sluice::tests
