#include "server/engine/pending_list.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <tuple>
#include <vector>

#include "tests/harness/seeds.h"

namespace sluice::engine {
namespace {

std::vector<StreamId> ById(const PendingList& list) {
  std::vector<StreamId> ids;
  list.Scan(kMinStreamId, [&](const Pending& pending) {
    ids.push_back(pending.id);
    return true;
  });
  return ids;
}

constexpr uint64_t kEntries = 500'000;

// Bytes of the heap that each of kEntries takes which `fill` puts into a list, in the order of IDs.
double BytesAnEntry(const std::function<void(PendingList&)>& fill) {
  PendingList list;
  const size_t before = mallinfo2().uordblks;
  fill(list);
  const size_t taken = mallinfo2().uordblks - before;
  EXPECT_EQ(list.size(), kEntries);
  return static_cast<double>(taken) / static_cast<double>(kEntries);
}

StreamId IdOf(uint64_t i) {
  return {1'700'000'000'000 + i / 3, i % 3};
}

TEST(PendingList, AnEntryTakesAtMost48BytesWhereDeliveriesAreContiguous) {
  const double each = BytesAnEntry([](PendingList& list) {
    for (uint64_t i = 0; i < kEntries; ++i) {
      list.Put({.id = IdOf(i),
                .delivered_ms = 1'700'000'000'000 + i / 100,
                .deliveries = 1,
                .consumer = static_cast<uint32_t>(i / 100 % 8)});
    }
  });
  RecordProperty("bytes_an_entry", std::to_string(each));
  if (!tests::kSanitized) {
    EXPECT_GT(each, 30) << "nothing was measured";
    EXPECT_LE(each, 48);
  }
}

TEST(PendingList, AnEntryTakesAFewBytesWhereManyAreDeliveredTogether) {
  const double each = BytesAnEntry([](PendingList& list) {
    for (uint64_t i = 0; i < kEntries; i += 100) {
      PendingList::Delivery delivery(list, static_cast<uint32_t>(i / 100 % 8), 1'700'000'000'000 + i / 100);
      for (uint64_t k = i; k < i + 100; ++k) delivery.Add(IdOf(k));
    }
  });
  RecordProperty("bytes_an_entry", std::to_string(each));
  if (!tests::kSanitized) {
    EXPECT_GT(each, 3) << "nothing was measured";
    EXPECT_LE(each, 6);
  }
}

TEST(PendingList, GivesItsMemoryBackOnceItIsEmpty) {
  PendingList list;
  for (uint64_t i = 0; i < 100'000; ++i)
    list.Put({.id = {1, i}, .delivered_ms = 1, .deliveries = 1, .consumer = 0});
  const size_t full = list.memory_bytes();
  for (uint64_t i = 0; i < 100'000; ++i) EXPECT_TRUE(list.Erase({1, i}));
  EXPECT_TRUE(list.empty());
  EXPECT_LT(list.memory_bytes(), full / 100);
  list.Put({.id = {5, 5}, .delivered_ms = 1, .deliveries = 1, .consumer = 0});
  EXPECT_EQ(ById(list), (std::vector<StreamId>{{5, 5}}));
}

TEST(PendingList, CountsBeyond32BitsAreKept) {
  PendingList list;
  for (uint64_t count : {uint64_t{UINT32_MAX} - 1, uint64_t{UINT32_MAX}, uint64_t{INT64_MAX}, uint64_t{3}}) {
    list.Put({.id = {1, 1}, .delivered_ms = 1, .deliveries = count, .consumer = 0});
    EXPECT_EQ(list.Find({1, 1})->deliveries, count);
  }
}

TEST(PendingList, WhatIsNobodysWaitsLongestInTheOrderOfGivingBack) {
  PendingList list;
  for (uint64_t i = 1; i <= 4; ++i)
    list.Put({.id = {i, 0}, .delivered_ms = 10 - i, .deliveries = 1, .consumer = 0});
  list.Put({.id = {3, 0}, .delivered_ms = 0, .deliveries = 1, .consumer = kNobody});
  list.Put({.id = {1, 0}, .delivered_ms = 0, .deliveries = 1, .consumer = kNobody});
  std::vector<uint64_t> order;
  list.ScanLongestWaiting([&](const Pending& pending) {
    order.push_back(pending.id.ms);
    return true;
  });
  EXPECT_EQ(order, (std::vector<uint64_t>{3, 1, 4, 2}));
  EXPECT_EQ(list.size_of(kNobody), 2u);
  EXPECT_EQ(list.size_of(0), 2u);
}

TEST(PendingList, IsWhatAPlainMapIs) {
  std::mt19937_64 random(7);
  auto list = std::make_unique<PendingList>();
  std::map<StreamId, Pending> plain;
  for (int step = 0; step < 200'000; ++step) {
    const StreamId id{random() % 40, random() % 8};
    const uint64_t now = random() % 50;
    const auto consumer = static_cast<uint32_t>(random() % 4);
    switch (random() % 8) {
      case 0:
      case 1:
      case 2: {
        const Pending pending{id, now, random() % 3 == 0 ? UINT64_MAX / 2 : random() % 9, consumer};
        list->Put(pending);
        plain[id] = pending;
        break;
      }
      case 7:
        if (random() % 200 == 0) {
          list->EraseConsumer(consumer);
          std::erase_if(plain, [&](const auto& entry) { return entry.second.consumer == consumer; });
        }
        break;
      case 6: {
        // What is delivered comes in the order of IDs; some of it may be pending already.
        PendingList::Delivery delivery(*list, consumer, now);
        for (uint64_t seq = id.seq; seq < 8; ++seq) {
          delivery.Add({id.ms, seq});
          plain[{id.ms, seq}] = {{id.ms, seq}, now, 1, consumer};
        }
        break;
      }
      default:
        EXPECT_EQ(list->Erase(id), plain.erase(id) == 1);
    }
    if (step % 1000 != 0) continue;
    std::vector<StreamId> ids;
    std::vector<std::tuple<uint64_t, StreamId>> waiting;
    for (const auto& [key, pending] : plain) {
      ids.push_back(key);
      waiting.emplace_back(pending.delivered_ms, key);
      const auto found = list->Find(key);
      ASSERT_TRUE(found);
      EXPECT_EQ(std::tuple(found->delivered_ms, found->deliveries, found->consumer),
                std::tuple(pending.delivered_ms, pending.deliveries, pending.consumer));
    }
    EXPECT_EQ(ById(*list), ids);
    std::sort(waiting.begin(), waiting.end());
    std::vector<std::tuple<uint64_t, StreamId>> listed;
    list->ScanLongestWaiting([&](const Pending& pending) {
      listed.emplace_back(pending.delivered_ms, pending.id);
      return true;
    });
    EXPECT_EQ(listed, waiting);
    size_t shared = 0;
    for (uint32_t one = 0; one < 4; ++one) {
      size_t share = 0;
      list->ScanOf(one, kMinStreamId, [&](const Pending& pending) {
        EXPECT_EQ(pending.consumer, one);
        ++share;
        return true;
      });
      EXPECT_EQ(share, list->size_of(one));
      shared += share;
    }
    EXPECT_EQ(shared, list->size());
  }
}

// A list beside a plain map that is told the same.
class Twins {
 public:
  void Put(const Pending& pending) {
    list_->Put(pending);
    // Among what is nobody's the order is that of giving back.
    plain_[pending.id] = {pending, pending.owned() ? pending.delivered_ms : turns_++};
  }
  void Deliver(uint32_t consumer, uint64_t now_ms, const std::vector<StreamId>& ids) {
    PendingList::Delivery delivery(*list_, consumer, now_ms);
    for (const StreamId id : ids) {
      delivery.Add(id);
      plain_[id] = {{id, now_ms, 1, consumer}, now_ms};
    }
  }
  void Erase(StreamId id) { EXPECT_EQ(list_->Erase(id), plain_.erase(id) == 1); }
  void EraseConsumer(uint32_t consumer) {
    list_->EraseConsumer(consumer);
    std::erase_if(plain_, [&](const auto& entry) { return entry.second.pending.consumer == consumer; });
  }
  // One of what is pending, from the front (0) to the back (1); there is one.
  StreamId Pick(double where) const {
    const auto n = static_cast<size_t>(where * static_cast<double>(plain_.size()));
    return std::next(plain_.begin(), static_cast<ptrdiff_t>(std::min(n, plain_.size() - 1)))->first;
  }
  bool empty() const { return plain_.empty(); }

  void BeginDump() {
    dumped_.clear();
    expected_ = Contents(*list_);
    next_turn_ = list_->next_turn();
    list_->BeginDump(
        [this](std::span<const DumpedPending> some) { dumped_.emplace_back(some.begin(), some.end()); });
    dumping_ = true;
  }
  bool dumping() const { return dumping_; }
  // Once all is shown, another list is made of it, and takes the place of this one.
  void ContinueDump() {
    if (list_->ContinueDump()) return;
    dumping_ = false;
    PendingList restored;
    for (const auto& some : dumped_) ASSERT_TRUE(restored.Restore(some, next_turn_));
    EXPECT_EQ(Contents(restored), expected_);
    if (!dumped_.empty()) {
      EXPECT_EQ(restored.next_turn(), next_turn_);
      EXPECT_FALSE(restored.Restore(dumped_.front(), next_turn_)) << "it is there already";
    }
  }

  void Compare() const {
    std::vector<StreamId> ids;
    std::vector<std::tuple<bool, uint64_t, StreamId>> waiting;
    std::map<uint32_t, std::vector<StreamId>> shares;
    for (const auto& [id, entry] : plain_) {
      ids.push_back(id);
      waiting.emplace_back(entry.pending.owned(), entry.since, id);
      shares[entry.pending.consumer].push_back(id);
      const auto found = list_->Find(id);
      ASSERT_TRUE(found);
      EXPECT_EQ(Tie(*found), Tie(entry.pending));
    }
    std::sort(waiting.begin(), waiting.end());
    EXPECT_EQ(list_->size(), ids.size());
    EXPECT_EQ(ById(*list_), ids);
    if (!ids.empty()) {
      EXPECT_EQ(list_->first_id(), ids.front());
      EXPECT_EQ(list_->last_id(), ids.back());
      // From the middle on, too.
      const StreamId middle = ids[ids.size() / 2];
      std::vector<StreamId> rest;
      list_->Scan(middle, [&](const Pending& pending) { return rest.push_back(pending.id), true; });
      EXPECT_TRUE(std::equal(rest.begin(), rest.end(), ids.begin() + static_cast<ptrdiff_t>(ids.size() / 2),
                             ids.end()));
    }
    std::vector<StreamId> waited;
    list_->ScanLongestWaiting([&](const Pending& pending) { return waited.push_back(pending.id), true; });
    ASSERT_EQ(waited.size(), waiting.size());
    for (size_t i = 0; i < waited.size(); ++i) ASSERT_EQ(waited[i], std::get<2>(waiting[i])) << i;
    for (const auto& [consumer, share] : shares) {
      std::vector<StreamId> listed;
      list_->ScanOf(consumer, kMinStreamId, [&, consumer = consumer](const Pending& pending) {
        EXPECT_EQ(pending.consumer, consumer);
        return listed.push_back(pending.id), true;
      });
      EXPECT_EQ(listed, share);
      EXPECT_EQ(list_->size_of(consumer), share.size());
    }
  }

 private:
  struct Entry {
    Pending pending;
    uint64_t since;
  };
  using Content = std::vector<std::tuple<StreamId, uint64_t, uint64_t, uint32_t>>;  // in the order of waiting

  static std::tuple<StreamId, uint64_t, uint64_t, uint32_t> Tie(const Pending& pending) {
    return {pending.id, pending.delivered_ms, pending.deliveries, pending.consumer};
  }
  static Content Contents(const PendingList& list) {
    Content content;
    list.ScanLongestWaiting([&](const Pending& pending) { return content.push_back(Tie(pending)), true; });
    return content;
  }

  std::unique_ptr<PendingList> list_ = std::make_unique<PendingList>();
  std::map<StreamId, Entry> plain_;
  uint64_t turns_ = 0;
  bool dumping_ = false;
  Content expected_;
  uint64_t next_turn_ = 0;
  std::vector<std::vector<DumpedPending>> dumped_;
};

// A group's life: batches in the order of IDs, acknowledged mostly from the front, some claimed, delivered
// again, given back; the group set back; consumers gone; a checkpoint beside it.
TEST(PendingList, IsWhatAPlainMapIsInAGroupsLife) {
  for (uint64_t seed = 0; seed < tests::Seeds(20); ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const auto below = [&random](uint64_t limit) { return random() % limit; };
    const auto somewhere = [&] { return below(3) == 0 ? static_cast<double>(below(1000)) / 1000 : 0; };
    Twins twins;
    StreamId next{1'700'000'000'000, 0};
    uint64_t now = 1000;
    for (int step = 0; step < 1500; ++step) {
      now += below(3);
      if (below(50) == 0) now -= std::min<uint64_t>(now, below(20));  // the clock was set
      const auto consumer = static_cast<uint32_t>(below(4));
      switch (below(12)) {
        case 0:
        case 1:
        case 2: {
          if (below(40) == 0 && !twins.empty())
            next = twins.Pick(static_cast<double>(below(1000)) / 1000);  // XGROUP SETID
          std::vector<StreamId> ids;
          for (uint64_t left = 1 + below(below(4) == 0 ? 600 : 20); left > 0; --left) {
            ids.push_back(next);
            const uint64_t leap = below(200);
            if (leap == 0) {
              next = {next.ms + (1 << 20), below(2) == 0 ? 0 : uint64_t{1} << 40};
            } else if (leap < 30) {
              next = {next.ms + leap, below(5)};
            } else {
              next.seq += 1 + below(3);
            }
          }
          twins.Deliver(consumer, now, ids);
          break;
        }
        case 3:
        case 4:
        case 5:
        case 6:
          for (uint64_t left = below(150); left > 0 && !twins.empty(); --left)
            twins.Erase(twins.Pick(somewhere()));
          twins.Erase({now, 7});  // never pending
          break;
        case 7:
          for (uint64_t left = below(10); left > 0 && !twins.empty(); --left)
            twins.Put({twins.Pick(somewhere()), now, 1 + below(3), consumer});
          break;
        case 8:
          if (!twins.empty()) twins.Put({twins.Pick(somewhere()), 0, below(4), kNobody});
          break;
        case 9:
          if (below(30) == 0) twins.EraseConsumer(below(10) == 0 ? kNobody : consumer);
          break;
        default:
          twins.dumping() ? twins.ContinueDump() : twins.BeginDump();
      }
      if (step % 50 == 0) twins.Compare();
      if (testing::Test::HasFailure()) return;
    }
    for (; twins.dumping();) twins.ContinueDump();
    twins.Compare();
  }
}

}  // namespace
}  // namespace sluice::engine
