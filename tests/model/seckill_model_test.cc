// Random work on a few items and their streams, against a model that is obviously right; with the clock
// moved, crashes and clean stops in between. After every command the item that it named is audited.
// MemoryStage compares the state's hash over each crash and stop by itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/harness/memory_stage.h"
#include "tests/harness/seeds.h"
#include "tests/model/seckill_model.h"

namespace sluice::tests {
namespace {

using Words = std::vector<std::string>;

constexpr uint64_t kMostClosed = 12;  // more than one item closes at one moment

Config SaleConfig() {
  Config config = DefaultConfig();
  config.hold_grace_ms = 0;
  config.seckill_closed_orders = kMostClosed;
  config.seckill_rate_users = 64;  // 16 MB for each stage otherwise
  return config;
}

// The elements of a reply, one behind the other.
std::string Flat(const Reply& reply) {
  switch (reply.type) {
    case Reply::Type::kNullBulk:
    case Reply::Type::kNullArray:
    case Reply::Type::kNull:
      return "nil";
    case Reply::Type::kArray: {
      std::string text;
      for (const Reply& element : reply.elements) {
        const std::string part = Flat(element);
        if (!text.empty() && !part.empty()) text += " ";
        text += part;
      }
      return text;
    }
    default:
      return reply.text;
  }
}

class SaleWork {
 public:
  explicit SaleWork(uint64_t seed) : random_(seed), stage_(SaleConfig()) {
    const std::string id = Ask({"XADD", "clock", "*", "f", "v"}).text;
    model_.now_ms = std::stoull(id.substr(0, id.find('-')));
    model_.most_closed = kMostClosed;
    for (const char* name : {"a", "b"}) Create(name);
  }

  void Step() {
    const std::string name = AnyName();
    switch (Below(26)) {
      case 0:
        return Create(name);
      case 1:
        if (Below(6) != 0) return Create(name);
        if (Below(2) == 0) return Compare({"DEL", name}, model_.Delete(name));
        {
          const std::string to = AnyName();
          return Compare({"RENAME", name, to}, model_.Rename(name, to));
        }
      case 2: {
        const SeckillModel::Rules rules = AnyRules();
        return Compare(WithRules({"SECKILL.CONFIG", name}, rules), model_.Configure(name, rules));
      }
      case 3: {
        const auto delta = static_cast<int64_t>(Below(9)) - 3;
        const std::string request = Below(2) == 0 ? "" : AnyRequest();
        Words words = {"SECKILL.ADDSTOCK", name, std::to_string(delta)};
        if (!request.empty()) words.insert(words.end(), {"REQID", request});
        return Compare(words, model_.AddStock(name, delta, request));
      }
      case 4: {
        if (Below(3) != 0) return Compare({"SECKILL.RESUME", name}, model_.Resume(name));
        const bool holds = Below(2) == 0;
        Words words = {"SECKILL.PAUSE", name};
        if (holds) words.push_back("HOLDS");
        return Compare(words, model_.Pause(name, holds));
      }
      case 5:
        return Compare({"SECKILL.RESUME", name}, model_.Resume(name));
      case 6:
      case 7:
      case 8:
        return BuyMany();
      case 9:
      case 10:
      case 11: {
        SeckillModel::Settle settle = AnyUserOrNone();
        settle.reacquire = Below(3) == 0;
        const SeckillModel::Named order = AnyOrder(name);
        Words words = Name({"SECKILL.CONFIRM", name}, order, settle);
        if (settle.reacquire) words.push_back("REACQUIRE");
        return Compare(words, model_.Confirm(name, order, settle));
      }
      case 12:
      case 13: {
        SeckillModel::Settle settle = AnyUserOrNone();
        settle.force = Below(3) == 0;
        settle.no_restock = Below(6) == 0;
        const SeckillModel::Named order = AnyOrder(name);
        Words words = Name({"SECKILL.CANCEL", name}, order, settle);
        if (settle.force) words.push_back("FORCE");
        if (settle.no_restock) words.push_back("NORESTOCK");
        return Compare(words, model_.Cancel(name, order, settle));
      }
      case 14: {
        const SeckillModel::Settle settle = AnyUserOrNone();
        const SeckillModel::Named order = AnyOrder(name);
        const uint64_t ms = 1 + Below(300);
        Words words = Name({"SECKILL.EXTEND", name}, order, {});
        words.push_back(std::to_string(ms));
        if (!settle.user.empty()) words.insert(words.end(), {"USER", settle.user});
        return Compare(words, model_.Extend(name, order, ms, settle));
      }
      case 15:
      case 16:
      case 17: {
        const uint64_t ms = Below(Below(8) == 0 ? 2000 : 60);
        stage_.Advance(ms);
        model_.Advance(ms);
        said_.push_back("advance " + std::to_string(ms));
        if (Below(6) == 0) {
          Below(2) == 0 ? stage_.Crash() : stage_.Reopen();
          model_.Restart();
          said_.push_back("crash");
        }
        return CompareAll();
      }
      default:
        return BuyOne(name);
    }
  }

  void CompareAll() {
    for (const std::string& name : model_.Names()) Check(name);
    for (const std::string key : {"s", "t", "e"}) Expect({"XLEN", key}, model_.StreamLength(key));
  }

 private:
  uint64_t Below(uint64_t limit) { return random_() % limit; }
  std::string AnyName() { return std::string(1, static_cast<char>('a' + Below(4))); }
  std::string AnyUser() { return "u" + std::to_string(Below(5)); }
  std::string AnyRequest() { return "r" + std::to_string(Below(12)); }
  SeckillModel::Settle AnyUserOrNone() { return {.user = Below(3) == 0 ? AnyUser() : ""}; }
  // Most often one that was heard of.
  SeckillModel::Named AnyOrder(const std::string&) {
    if (Below(2) == 0 || heard_.empty()) return {"", AnyRequest()};
    const size_t back = std::min<size_t>(heard_.size(), 1 + Below(12));
    return {heard_[heard_.size() - back], ""};
  }

  SeckillModel::Rules AnyRules() {
    SeckillModel::Rules rules;
    rules.limit = Below(4);
    rules.most = Below(4);
    rules.hold = Below(3) == 0 ? 0 : 20 + Below(150);
    if (Below(6) == 0) rules.rate = 1 + Below(3), rules.per = 10 + Below(100);
    if (Below(8) == 0) rules.start = model_.now_ms + Below(50);
    if (Below(8) == 0) rules.end = model_.now_ms + 51 + Below(50);
    if (Below(12) == 0) rules.backlog = 1 + Below(60);
    rules.idem = Below(4) == 0 ? Below(100) : 500 + Below(1000);
    rules.keep_quota = Below(4) == 0;
    rules.events = static_cast<int>(Below(3));
    const std::string streams[] = {"", "s", "s", "t"};
    rules.stream = streams[Below(4)];
    if (Below(4) == 0) rules.event_stream = "e";
    return rules;
  }
  static Words WithRules(Words words, const SeckillModel::Rules& rules) {
    const auto add = [&](const char* word, uint64_t value) {
      words.insert(words.end(), {word, std::to_string(value)});
    };
    const bool config = words[0] == "SECKILL.CONFIG";
    add("LIMIT", rules.limit), add("MAXQTY", rules.most), add("IDEM", rules.idem);
    add("START", rules.start), add("END", rules.end), add("MAXBACKLOG", rules.backlog);
    if (config || rules.hold != 0) add("HOLD", rules.hold);
    if (config || rules.rate != 0) add("RATE", rules.rate);
    if (rules.rate != 0) add("PER", rules.per);
    words.insert(words.end(), {"KEEPQUOTA", rules.keep_quota ? "yes" : "no"});
    if (config || rules.events != 0)
      words.insert(words.end(), {"EVENTS", rules.events == 0 ? "0" : rules.events == 1 ? "orders" : "all"});
    words.insert(words.end(), {"STREAM", rules.stream, "EVENTSTREAM", rules.event_stream});
    return words;
  }
  static Words Name(Words words, const SeckillModel::Named& order, const SeckillModel::Settle& settle) {
    if (order.first.empty()) {
      words.insert(words.end(), {"REQID", order.second});
    } else {
      words.push_back(order.first);
    }
    if (!settle.user.empty()) words.insert(words.end(), {"USER", settle.user});
    return words;
  }

  void Create(const std::string& name) {
    const SeckillModel::Rules rules = AnyRules();
    const uint64_t stock = 1 + Below(20);
    Compare(WithRules({"SECKILL.CREATE", name, "STOCK", std::to_string(stock)}, rules),
            model_.Create(name, stock, rules));
  }

  SeckillModel::Buy AnyBuy() {
    SeckillModel::Buy buy;
    buy.quantity = Below(3) == 0 ? 1 + Below(4) : 1;
    if (Below(2) == 0) buy.request = AnyRequest();
    if (Below(5) == 0) buy.hold = 1 + Below(100);
    buy.own_fields = Below(6) == 0;
    return buy;
  }
  static Words WithBuy(Words words, const SeckillModel::Buy& buy) {
    if (!buy.request.empty()) words.insert(words.end(), {"REQID", buy.request});
    if (buy.hold != 0) words.insert(words.end(), {"HOLD", std::to_string(buy.hold)});
    if (buy.own_fields) words.insert(words.end(), {"FIELDS", "1", "f", "v"});
    return words;
  }
  void BuyOne(const std::string& name) {
    const std::string user = AnyUser();
    const SeckillModel::Buy buy = AnyBuy();
    const std::string expected = model_.BuyOne(name, user, buy);
    if (Below(8) == 0 && !expected.starts_with("ERR")) {
      Compare(WithBuy({"SECKILL.TRY", name, user, "QTY", std::to_string(buy.quantity)}, buy),
              expected.substr(0, expected.find(' ')));
    } else {
      Compare(WithBuy({"SECKILL.BUY", name, user, "QTY", std::to_string(buy.quantity)}, buy), expected);
    }
    Expect({"SECKILL.USER", name, user}, model_.UserOf(name, user));
  }
  void BuyMany() {
    const std::string user = AnyUser();
    const SeckillModel::Buy buy = AnyBuy();
    std::vector<std::pair<std::string, uint64_t>> wanted;
    for (uint64_t n = 1 + Below(3); n > 0; --n) wanted.emplace_back(AnyName(), 1 + Below(2));
    Words words = {"SECKILL.MBUY", user, "ITEMS", std::to_string(wanted.size())};
    for (const auto& [name, quantity] : wanted) words.insert(words.end(), {name, std::to_string(quantity)});
    Compare(WithBuy(words, buy), model_.BuyMany(user, wanted, buy));
    for (const auto& [name, quantity] : wanted) Check(name);
  }

  Reply Ask(const Words& words) { return stage_.Ask("", words).reply; }

  // The item's counters as the model has them, an audit without fault, and one order in full.
  void Check(const std::string& name) {
    const std::string counters = model_.Counters(name);
    Expect({"SECKILL.GET", name}, counters, [](const Reply& reply) {
      std::string text;
      for (size_t i = 1; i < 12 && i < reply.elements.size(); i += 2)
        text += (text.empty() ? "" : " ") + reply.elements[i].text;
      return text.empty() ? Flat(reply) : text;
    });
    if (counters == "nil") return;
    const Reply audit = Ask({"SECKILL.AUDIT", name});
    if (audit.type != Reply::Type::kArray) Fail({"SECKILL.AUDIT", name}, "no fault", FormatReply(audit));
    const SeckillModel::Named order = AnyOrder(name);
    Expect(Name({"SECKILL.ORDER", name}, order, {}), model_.OrderOf(name, order), [](const Reply& reply) {
      std::string text;
      for (size_t i = 1; i < reply.elements.size(); i += 2)
        text += (text.empty() ? "" : " ") + Flat(reply.elements[i]);
      return text.empty() ? Flat(reply) : text;
    });
  }

  void Compare(const Words& words, const std::string& expected) {
    Expect(words, expected);
    const std::string& name = words[0] == "SECKILL.MBUY" ? words[4] : words[1];
    Check(name);
  }
  void Expect(const Words& words, const std::string& expected) { Expect(words, expected, Flat); }
  template <typename Show>
  void Expect(const Words& words, const std::string& expected, Show show) {
    std::string said;
    for (const std::string& word : words) said += (word.empty() ? "\"\"" : word) + " ";
    said_.push_back(said);
    const Reply reply = Ask(words);
    const std::string heard = show(reply);
    if (heard != expected) return Fail(words, expected, heard);
    if (words[0] == "SECKILL.BUY" && reply.elements.size() == 5) Hear(reply.elements[1]);
    if (words[0] == "SECKILL.MBUY" && reply.elements.size() == 4) Hear(reply.elements[2]);
  }
  void Hear(const Reply& order) {
    if (order.type == Reply::Type::kBulk) heard_.push_back(order.text);
  }
  void Fail(const Words& words, const std::string& expected, const std::string& heard) {
    std::string before;
    for (size_t i = said_.size() > 40 ? said_.size() - 40 : 0; i < said_.size(); ++i)
      before += said_[i] + "\n";
    ADD_FAILURE() << before << words[0] << "\nexpected\n" << expected << "\nheard\n" << heard;
  }

  std::mt19937_64 random_;
  MemoryStage stage_;
  SeckillModel model_;
  std::vector<std::string> said_;
  std::vector<std::string> heard_;  // IDs of orders
};

TEST(SeckillModel, AgreesOverManySeeds) {
  for (uint64_t seed = 1; seed <= Seeds(1000) && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SaleWork work(seed);
    for (int step = 0; step < 250 && !testing::Test::HasFailure(); ++step) {
      ASSERT_NO_THROW(work.Step()) << "step " << step;
    }
    if (!testing::Test::HasFailure()) work.CompareAll();
  }
}

}  // namespace
}  // namespace sluice::tests
