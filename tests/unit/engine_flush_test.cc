// A flush ends any number of keys at once, and what it and others drop is freed a little at a time.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/engine/dropped.h"
#include "tests/harness/loose_engine.h"

namespace sluice::engine {
namespace {

using tests::LooseEngine;

size_t FreeAll(LooseEngine& loose) {
  size_t slices = 1;
  while (loose.FreeSome()) ++slices;
  return slices;
}

TEST(Flush, EndsEveryKeyOfADatabaseAtOnce) {
  LooseEngine loose;
  const ObjectId first = loose.Create(ObjectType::kString, "a", 0);
  const ObjectId other = loose.Create(ObjectType::kString, "a", 1);
  loose.Apply(SetExpiry{first, 1000});
  loose.Apply(SetExpiry{other, 2000});
  const Keyspace& keys = loose.engine().keys();
  EXPECT_EQ(keys.FirstToExpire()->id, first);

  loose.Apply(FlushKeys{0});
  EXPECT_EQ(keys.size(0), 0u);
  EXPECT_EQ(keys.expiring(0), 0u);
  EXPECT_EQ(keys.Find(first), nullptr);
  EXPECT_EQ(keys.Find(0, "a"), nullptr);
  EXPECT_EQ(keys.At(SlotOf(first)), nullptr);
  EXPECT_TRUE(keys.has_dead());
  // The other database is what it was.
  EXPECT_EQ(keys.Find(1, "a")->id, other);
  EXPECT_EQ(keys.FirstToExpire()->id, other);
  EXPECT_TRUE(keys.any_expiring());

  // Its slot is not given again before the dead one is out of it.
  EXPECT_EQ(SlotOf(keys.NextId()), 2u);
  FreeAll(loose);
  EXPECT_FALSE(keys.has_dead());
  EXPECT_EQ(keys.NextId(), MakeObjectId(SlotOf(first), 2));
  EXPECT_EQ(keys.Find(1, "a")->id, other);
}

TEST(Flush, GoesByNamesThatWereExchanged) {
  LooseEngine loose;
  const ObjectId first = loose.Create(ObjectType::kString, "a", 0);
  const ObjectId second = loose.Create(ObjectType::kString, "b", 1);
  loose.Apply(SwapDatabases{0, 1});
  loose.Apply(FlushKeys{0});
  EXPECT_EQ(loose.engine().Find(1, "a")->id, first);
  EXPECT_EQ(loose.engine().keys().Find(second), nullptr);
  // What moves into a database that was flushed lives there.
  loose.Apply(RenameKey{first, 0, "moved"});
  EXPECT_EQ(loose.engine().Find(0, "moved")->id, first);
  FreeAll(loose);
  EXPECT_EQ(loose.engine().Find(0, "moved")->id, first);
  loose.Apply(FlushKeys{0});
  EXPECT_EQ(loose.engine().keys().Find(first), nullptr);
}

// What a replay meets: a key is created in the slot of one that a flush has ended.
TEST(Flush, LeavesRoomForWhoNamesASlot) {
  LooseEngine swept;
  LooseEngine unswept;
  for (LooseEngine* loose : {&swept, &unswept}) {
    for (int i = 0; i < 3; ++i) loose->Create(ObjectType::kStream, "s" + std::to_string(i));
    loose->Apply(FlushKeys{kAllDatabases});
    if (loose == &swept) FreeAll(*loose);
    loose->Apply(CreateKey{MakeObjectId(1, 2), 0, ObjectType::kString, "s"});
  }
  EXPECT_EQ(swept.engine().StateHash(), unswept.engine().StateHash());
  FreeAll(unswept);
  EXPECT_EQ(swept.engine().StateHash(), unswept.engine().StateHash());
  EXPECT_EQ(unswept.engine().Find(0, "s")->id, MakeObjectId(1, 2));
}

TEST(Flush, TwiceInARowTakesBoth) {
  LooseEngine loose;
  for (int i = 0; i < 3000; ++i) loose.Create(ObjectType::kString, "a" + std::to_string(i));
  loose.Apply(FlushKeys{0});
  EXPECT_TRUE(loose.FreeSome());  // the walk stands in the middle
  for (int i = 0; i < 3000; ++i) loose.Create(ObjectType::kString, "b" + std::to_string(i));
  loose.Apply(FlushKeys{0});
  const ObjectId kept = loose.Create(ObjectType::kString, "kept");
  const size_t slots = loose.engine().keys().slots();
  FreeAll(loose);
  EXPECT_FALSE(loose.engine().keys().has_dead());
  EXPECT_EQ(loose.engine().Find(0, "kept")->id, kept);
  // Every slot but one is to be had again.
  for (size_t i = 0; i + 1 < slots; ++i) loose.Create(ObjectType::kString, "c" + std::to_string(i));
  EXPECT_EQ(loose.engine().keys().slots(), slots);
}

TEST(Flush, LeavesNoAlarmOfADeadItemInFront) {
  LooseEngine loose;
  for (uint8_t db = 0; db < 2; ++db) {
    const ObjectId item = loose.Create(ObjectType::kStockItem, "item", db);
    loose.Apply(AddStock{item, 5});
    loose.Apply(PlaceOrder{.item = item,
                           .order = {1, 1},
                           .now_ms = 1,
                           .deadline_ms = 100u + db,
                           .quantity = 1,
                           .flags = 0,
                           .user = "ann",
                           .request = {}});
  }
  EXPECT_EQ(loose.engine().deadlines().time_ms(), 100);
  loose.Apply(FlushKeys{0});
  size_t most = 8;
  EXPECT_TRUE(loose.DropDeadAlarms(most));
  EXPECT_EQ(most, 7u);
  EXPECT_FALSE(loose.DropDeadAlarms(most));
  EXPECT_EQ(loose.engine().deadlines().time_ms(), 101);
  FreeAll(loose);
  EXPECT_EQ(loose.engine().deadlines().time_ms(), 101);
  loose.Apply(FlushKeys{1});
  FreeAll(loose);
  EXPECT_TRUE(loose.engine().deadlines().empty());
}

// Each kind of large thing, dropped in each way there is, goes in many slices.
TEST(Dropped, LargeThingsAreTakenApart) {
  LooseEngine loose(64 << 20);
  constexpr uint64_t kEntries = 100'000;
  const ObjectId stream = loose.Create(ObjectType::kStream, "s");
  loose.Apply(CreateGroup{stream, 0, {}, {}, "g"});
  loose.Apply(CreateConsumer{stream, 0, 0, 1, "c"});
  // Each in a run of its own.
  for (uint64_t i = 1; i <= kEntries; ++i) loose.Append(stream, {i << 20, 0});
  loose.Apply(Deliver{stream, 0, 0, 1, {kEntries << 20, 0}, {}, 0});
  for (uint64_t i = 1; i <= kEntries; i += 2) {
    const std::string message = std::to_string(i);
    loose.Apply(RememberMessage{stream, {i << 20, 0}, UINT64_MAX, "p", message});
  }
  FreeAll(loose);

  // A piece is about a call of free(), a slice a thousand: so many slices there must be at least.
  loose.Apply(LimitProducers{stream, 1, 1});
  EXPECT_GE(FreeAll(loose), kEntries / 2 * 4 / 1024);
  const StreamId middle[] = {{2 << 20, 0}};
  loose.Apply(DeleteEntries{stream, middle});
  loose.Apply(DestroyGroup{stream, 0});
  EXPECT_GE(FreeAll(loose), (kEntries / 64 + 3 * kEntries / 256) / 1024) << "chunks of cells, runs of orders";
  loose.Apply(RemoveKey{stream});
  EXPECT_GE(FreeAll(loose), kEntries / 1024);

  const ObjectId text = loose.Create(ObjectType::kString, "t");
  loose.Apply(WriteString{text, 20 << 20, "x"});
  loose.Apply(RemoveKey{text});
  EXPECT_GE(FreeAll(loose), 4u);

  const ObjectId item = loose.Create(ObjectType::kStockItem, "item");
  loose.Apply(AddStock{item, INT32_MAX});
  for (uint64_t i = 1; i <= kEntries; ++i) {
    const std::string user = "a user with a name that does not fit in place " + std::to_string(i);
    loose.Apply(PlaceOrder{.item = item,
                           .order = {i, 1},
                           .now_ms = 1,
                           .deadline_ms = 1 + i,
                           .quantity = 1,
                           .flags = 0,
                           .user = user,
                           .request = user});
  }
  loose.Apply(FlushKeys{kAllDatabases});
  EXPECT_GE(FreeAll(loose), 2 * kEntries / 4 / 1024);
  EXPECT_TRUE(loose.engine().deadlines().empty());
  EXPECT_FALSE(loose.engine().keys().has_dead());
}

}  // namespace
}  // namespace sluice::engine
