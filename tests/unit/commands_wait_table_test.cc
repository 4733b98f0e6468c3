#include "server/commands/wait_table.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "tests/harness/heap_gauge.h"

namespace sluice::commands {
namespace {

using Names = std::vector<std::string>;

class WaitTableTest : public testing::Test {
 protected:
  // A call by the name of `who`, for `keys`.
  void Add(const std::string& who, const std::vector<std::string_view>& keys, std::string_view group = {},
           bool grouped = false, uint8_t db = 0) {
    BlockedCall& call = calls_[who];
    call.db = db;
    table_.Add(call, keys, group, grouped);
    names_[&call] = who;
  }
  void Remove(const std::string& who) {
    table_.Remove(calls_[who]);
    calls_.erase(who);
  }
  // Who is visited; each queue's first `answered` are answered on the way.
  Names Serve(size_t answered = 0) {
    Names seen;
    table_.ServeReady([&](WaitQueue& queue) {
      size_t left = answered;
      for (WaitTicket* ticket = queue.first(); ticket != nullptr;) {
        const std::string who = names_[ticket->call];
        ticket = ticket->behind;
        seen.push_back(who);
        if (left != 0) Remove(who), --left;
      }
    });
    return seen;
  }
  Names ServeKey(std::string_view key, uint8_t db = 0, size_t answered = 0) {
    table_.MarkReady(db, key);
    return Serve(answered);
  }

  std::map<std::string, BlockedCall> calls_;
  std::map<const BlockedCall*, std::string> names_;
  WaitTable table_{1};
};

TEST_F(WaitTableTest, FirstComeFirstServed) {
  Add("ann", {"s"});
  Add("bob", {"s"});
  Add("cid", {"s"});
  EXPECT_EQ(ServeKey("s"), (Names{"ann", "bob", "cid"}));
  Remove("bob");
  Add("bob", {"s"});
  EXPECT_EQ(ServeKey("s"), (Names{"ann", "cid", "bob"}));
  Remove("ann");
  EXPECT_EQ(ServeKey("s", 0, 1), (Names{"cid", "bob"}));
  EXPECT_EQ(ServeKey("s"), Names{"bob"});
  Remove("bob");
  EXPECT_TRUE(table_.empty());
  EXPECT_EQ(ServeKey("s"), Names{});
}

TEST_F(WaitTableTest, DatabasesAndKeysKeepApart) {
  Add("ann", {"s"}, {}, false, 0);
  Add("bob", {"s"}, {}, false, 3);
  Add("cid", {"t"}, {}, false, 3);
  EXPECT_EQ(ServeKey("s", 3), Names{"bob"});
  EXPECT_EQ(ServeKey("s", 1), Names{});
  table_.MarkAllReady(3);
  EXPECT_EQ(Serve().size(), 2u);
  EXPECT_EQ(ServeKey("s", 0), Names{"ann"});
}

TEST_F(WaitTableTest, OneCallWaitsForSeveralKeys) {
  Add("ann", {"s", "t", "s", "u"});
  Add("bob", {"t"});
  EXPECT_EQ(ServeKey("s"), Names{"ann"});  // once, though it names the key twice
  EXPECT_EQ(ServeKey("t", 0, 1), (Names{"ann", "bob"}));
  EXPECT_EQ(ServeKey("s"), Names{});
  EXPECT_EQ(ServeKey("u"), Names{});
  EXPECT_EQ(table_.size(), 1u);
}

// The queue that a key is found by goes on standing for the others when nobody waits in it any more.
TEST_F(WaitTableTest, GroupsOfOneKey) {
  Add("ann", {"s"}, "g", true);
  Add("bob", {"s"}, "h", true);
  Add("cid", {"s"});
  Add("dan", {"s"}, "", true);  // a group without a name is not no group
  EXPECT_EQ(ServeKey("s").size(), 4u);
  Remove("ann");
  EXPECT_EQ(ServeKey("s").size(), 3u);
  Remove("cid");
  Add("eve", {"s"}, "g", true);
  Add("fay", {"s"}, "h", true);
  EXPECT_EQ(ServeKey("s").size(), 4u);
  EXPECT_EQ(ServeKey("s", 0, 1).size(), 4u);  // one of each group
  EXPECT_EQ(ServeKey("s"), Names{"fay"});
  Remove("fay");
  EXPECT_EQ(ServeKey("s"), Names{});
}

TEST_F(WaitTableTest, WhoLeavesBetweenTheChangeAndTheVisitIsNotSeen) {
  Add("ann", {"s"}, "g", true);
  Add("bob", {"s"}, "h", true);
  table_.MarkReady(0, "s");
  table_.MarkReady(0, "s");
  Remove("ann");
  Remove("bob");
  EXPECT_EQ(Serve(), Names{});
  Add("cid", {"s"}, "h", true);
  table_.MarkReady(0, "s");
  Remove("cid");
  Add("dan", {"s"}, "k", true);
  EXPECT_EQ(Serve(), Names{"dan"});
}

// A visitor's own changes (XREADGROUP CLAIM) are visited too, in the same round.
TEST_F(WaitTableTest, KeysMarkedDuringAVisitAreVisited) {
  Add("ann", {"s"});
  Add("bob", {"t"});
  table_.MarkReady(0, "s");
  Names seen;
  table_.ServeReady([&](WaitQueue& queue) {
    const std::string who = names_[queue.first()->call];
    seen.push_back(who);
    Remove(who);
    table_.MarkReady(0, "s");
    table_.MarkReady(0, "t");
  });
  EXPECT_EQ(seen, (Names{"ann", "bob"}));
  EXPECT_FALSE(table_.any_ready());
  EXPECT_TRUE(table_.empty());
}

TEST_F(WaitTableTest, TheEarliestIsDueFirst) {
  EXPECT_EQ(table_.Earliest(), nullptr);
  Add("never", {"s"});
  EXPECT_EQ(table_.Earliest(), nullptr);
  calls_["late"].deadline_ms = 900;
  Add("late", {"s"});
  calls_["soon"].deadline_ms = 500;
  Add("soon", {"s"});
  EXPECT_EQ(table_.Earliest(), &calls_["soon"]);
  table_.SetRetry(calls_["late"], 400);
  EXPECT_EQ(table_.Earliest(), &calls_["late"]);
  EXPECT_EQ(table_.Earliest()->due_ms(), 400u);
  table_.SetRetry(calls_["late"], BlockedCall::kNever);
  EXPECT_EQ(table_.Earliest(), &calls_["soon"]);
  Remove("soon");
  EXPECT_EQ(table_.Earliest(), &calls_["late"]);
}

// Against lists that are looked through from end to end.
TEST_F(WaitTableTest, DoesWhatAPlainListDoes) {
  struct Waiter {
    std::string who, key, group;
  };
  std::vector<Waiter> model;
  std::mt19937 random(7);
  const auto pick = [&](uint32_t below) { return random() % below; };
  for (int step = 0; step < 20'000; ++step) {
    if (model.size() < 40 && pick(5) < 3) {
      const std::string key = "key" + std::to_string(pick(5));
      const std::string group = pick(2) != 0 ? "g" + std::to_string(pick(3)) : "";
      const std::string who = std::to_string(step);
      Add(who, {key}, group, !group.empty());
      model.push_back({who, key, group});
    } else if (!model.empty() && pick(2) == 0) {
      const size_t gone = pick(static_cast<uint32_t>(model.size()));
      Remove(model[gone].who);
      model.erase(model.begin() + static_cast<ptrdiff_t>(gone));
    } else {
      const std::string key = "key" + std::to_string(pick(5));
      const size_t answered = pick(3);
      std::map<std::string, Names> wanted;
      std::vector<Waiter> left;
      for (const Waiter& waiter : model) {
        if (waiter.key != key) {
          left.push_back(waiter);
          continue;
        }
        wanted[waiter.group].push_back(waiter.who);
        if (wanted[waiter.group].size() > answered) left.push_back(waiter);
      }
      std::map<std::string, Names> seen;
      table_.MarkReady(0, key);
      table_.ServeReady([&](WaitQueue& queue) {
        EXPECT_EQ(queue.key(), key);
        Names& names = seen[std::string(queue.group())];
        EXPECT_TRUE(names.empty()) << "two queues of one name";
        for (WaitTicket* ticket = queue.first(); ticket != nullptr;) {
          names.push_back(names_[ticket->call]);
          ticket = ticket->behind;
          if (names.size() <= answered) Remove(names.back());
        }
      });
      ASSERT_EQ(seen, wanted);
      model = std::move(left);
    }
    ASSERT_EQ(table_.size(), model.size());
  }
}

TEST_F(WaitTableTest, AChangeOfAKeyThatNobodyWaitsForAllocatesNothing) {
  for (int i = 0; i < 100; ++i) Add(std::to_string(i), {"somewhere"}, "g", true);
  const size_t before = tests::HeapNow().allocations;
  for (int i = 0; i < 100; ++i) table_.MarkReady(0, "a key with a name that no short string holds");
  EXPECT_EQ(tests::HeapNow().allocations, before);
  EXPECT_FALSE(table_.any_ready());
}

TEST_F(WaitTableTest, ForgetsTheKeysThatNobodyWaitsForAnyMore) {
  const auto come_and_go = [&](int i) {
    const std::string key = "key " + std::to_string(i) + " with a name that no short string holds";
    Add("ann", {key}, "g", true);
    Add("bob", {key}, "h", true);
    Add("cid", {key});
    if (i % 3 == 0) Remove("ann");        // the queue that the key is found by, first
    if (i % 3 == 1) ServeKey(key, 0, 1);  // all, in a visit
    for (const char* who : {"cid", "bob", "ann"}) {
      if (calls_.count(who) != 0) Remove(who);
    }
    names_.clear();
  };
  for (int i = 0; i < 100; ++i) come_and_go(i);
  const size_t before = tests::HeapNow().bytes;
  for (int i = 100; i < 1000; ++i) come_and_go(i);
  EXPECT_LE(tests::HeapNow().bytes, before + 4096);
  EXPECT_TRUE(table_.empty());
}

TEST(KeptRequestTest, GivesBackWhatItWasGiven) {
  const std::string seven_bits(127, 'a');
  const std::string eight_bits(128, 'b');
  const std::string long_one(100'000, 'c');
  const std::vector<std::vector<std::string_view>> requests = {{"PING"},
                                                               {"XREAD", "", std::string_view("\0\r\n", 3)},
                                                               {seven_bits, eight_bits, long_one, "end"},
                                                               std::vector<std::string_view>(300, "x")};
  std::vector<std::string_view> args = {"left over"};
  for (const auto& request : requests) {
    KeptRequest kept(request);
    const KeptRequest moved = std::move(kept);
    moved.Unpack(args);
    EXPECT_EQ(args, request);
  }
  KeptRequest().Unpack(args);
  EXPECT_TRUE(args.empty());
}

// What a call that waits costs beyond its connection: `request` of 1,000 clients, with every "#" replaced by
// the client's number.
size_t BytesPerWaiter(const Names& request, std::string_view group, bool waits_for_ever = false) {
  constexpr size_t kClients = 1000;
  WaitTable table(1);
  std::vector<std::unique_ptr<BlockedCall>> calls(kClients);
  Names words(request.size());
  std::vector<std::string_view> args(request.size());
  const size_t before = tests::HeapNow().bytes;
  size_t not_ours = 0;
  for (size_t i = 0; i < kClients; ++i) {
    const size_t at_first = tests::HeapNow().bytes;
    for (size_t w = 0; w < words.size(); ++w) {
      const size_t at = request[w].find('#');
      words[w] = request[w].substr(0, at);
      if (at != std::string::npos) words[w] += std::to_string(10'000 + i);
      args[w] = words[w];
    }
    not_ours += tests::HeapNow().bytes - at_first;
    calls[i] = std::make_unique<BlockedCall>();
    calls[i]->request = KeptRequest(args);
    if (!waits_for_ever) calls[i]->deadline_ms = 30'000 + i;
    table.Add(*calls[i], std::span(args).last(2).first(1), group, !group.empty());
  }
  return (tests::HeapNow().bytes - before - not_ours) / kClients;
}

// With their requests, and by what they are found and woken.
TEST(WaiterMemoryTest, IsUnder300Bytes) {
  const std::string id = "1763856000000-0";
  const size_t shared_group = BytesPerWaiter(
      {"XREADGROUP", "GROUP", "workers", "worker-#", "COUNT", "10", "BLOCK", "30000", "STREAMS", "jobs", ">"},
      "workers");
  const size_t shared = BytesPerWaiter({"XREAD", "BLOCK", "0", "STREAMS", "jobs", id}, "", true);
  const size_t own = BytesPerWaiter({"XREAD", "BLOCK", "30000", "STREAMS", "inbox:#", id}, "");
  const size_t own_group = BytesPerWaiter(
      {"XREADGROUP", "GROUP", "workers", "w", "BLOCK", "0", "STREAMS", "inbox:#", ">"}, "workers", true);
  EXPECT_LE(shared_group, 240u);
  EXPECT_LE(shared, 200u);
  EXPECT_LE(own, 300u);
  EXPECT_LE(own_group, 300u);
  EXPECT_GE(shared, sizeof(BlockedCall) + id.size());
}

}  // namespace
}  // namespace sluice::commands
