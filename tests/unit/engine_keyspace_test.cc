#include "server/engine/keyspace.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace sluice::engine {
namespace {

TEST(Keyspace, FindsByNameAndByIdentity) {
  Keyspace keys(7);
  const ObjectId id = keys.NextId();
  keys.Create(id, 3, "key");
  ASSERT_NE(keys.Find(3, "key"), nullptr);
  EXPECT_EQ(keys.Find(3, "key")->id, id);
  EXPECT_EQ(keys.Find(id)->key, "key");
  EXPECT_EQ(keys.Find(2, "key"), nullptr);
  EXPECT_EQ(keys.size(3), 1u);
  EXPECT_EQ(keys.size(2), 0u);
}

TEST(Keyspace, AnIdentityIsNeverGivenTwice) {
  Keyspace keys(7);
  std::set<ObjectId> given;
  for (int i = 0; i < 1000; ++i) {
    const ObjectId id = keys.NextId();
    EXPECT_TRUE(given.insert(id).second);
    keys.Create(id, 0, "key");
    EXPECT_EQ(keys.Remove(id).id, id);
    EXPECT_EQ(keys.Find(id), nullptr);
  }
  EXPECT_EQ(keys.slots(), 1u);
}

TEST(Keyspace, ForetellsIdentities) {
  Keyspace keys(7);
  for (const char* key : {"a", "b", "c"}) keys.Create(keys.NextId(), 0, key);
  keys.Remove(keys.Find(0, "a")->id);
  keys.Remove(keys.Find(0, "b")->id);
  const ObjectId next[] = {keys.NextId(0), keys.NextId(1), keys.NextId(2), keys.NextId(3)};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(keys.NextId(), next[i]);
    keys.Create(keys.NextId(), 0, "new" + std::to_string(i));
  }
  const ObjectId replaced = keys.Find(0, "c")->id;
  const ObjectId foretold = keys.NextIdWithout(replaced);
  keys.Remove(replaced);
  EXPECT_EQ(keys.NextId(), foretold);
}

TEST(Keyspace, RenamesAcrossDatabasesAndKeepsTheSlot) {
  Keyspace keys(7);
  const ObjectId id = keys.NextId();
  keys.Create(id, 0, "old");
  keys.Rename(id, 5, "new");
  EXPECT_EQ(keys.Find(0, "old"), nullptr);
  EXPECT_EQ(keys.Find(5, "new")->id, id);
  EXPECT_EQ(keys.size(0), 0u);
  EXPECT_EQ(keys.size(5), 1u);
}

// What SCAN promises: who exists throughout the walk is met, exactly once, however many come and go.
TEST(Keyspace, AWalkMeetsEveryKeyThatStays) {
  Keyspace keys(7);
  for (int i = 0; i < 3000; ++i) keys.Create(keys.NextId(), 0, "stay" + std::to_string(i));
  std::multiset<std::string> met;
  int fleeting = 0;
  for (size_t slot = 0; slot < keys.slots() && slot < 100000; ++slot) {
    if (const Object* object = keys.At(slot); object != nullptr && object->key.starts_with("stay"))
      met.insert(object->key);
    if (slot < 5000) {
      keys.Create(keys.NextId(), 0, "fleeting" + std::to_string(fleeting++));
      if (fleeting % 3 == 0) keys.Remove(keys.Find(0, "fleeting" + std::to_string(fleeting - 2))->id);
    }
  }
  EXPECT_EQ(met.size(), 3000u);
  EXPECT_EQ(std::set<std::string>(met.begin(), met.end()).size(), 3000u);
}

}  // namespace
}  // namespace sluice::engine
