#include "server/engine/pending_list.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
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

TEST(PendingList, AnEntryTakesAtMost48BytesWhereDeliveriesAreContiguous) {
  constexpr uint64_t kEntries = 500'000;
  PendingList list;
  const size_t before = mallinfo2().uordblks;
  for (uint64_t i = 0; i < kEntries; ++i) {
    // Batches of 100, to consumers in turn.
    list.Put({.id = {1'700'000'000'000 + i / 3, i % 3},
              .delivered_ms = 1'700'000'000'000 + i / 100,
              .deliveries = 1,
              .consumer = static_cast<uint32_t>(i / 100 % 8)});
  }
  const size_t taken = mallinfo2().uordblks - before;
  const double each = static_cast<double>(taken) / static_cast<double>(kEntries);
  RecordProperty("bytes_an_entry", std::to_string(each));
  EXPECT_EQ(list.size(), kEntries);
  if (!tests::kSanitized) {
    EXPECT_GT(each, 30) << "nothing was measured";
    EXPECT_LE(each, 48);
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

}  // namespace
}  // namespace sluice::engine
