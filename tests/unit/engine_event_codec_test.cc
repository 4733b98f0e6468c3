#include "server/engine/event_codec.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "tests/harness/loose_engine.h"

namespace sluice::engine {
namespace {

constexpr StreamId kIds[] = {{1, 2}, {3, 4}, {UINT64_MAX, UINT64_MAX}};
constexpr ObjectId kObject{0x1122334455667788};
constexpr ObjectId kObjects[] = {kObject, ObjectId{7}};

// One of each, every member different from its default.
std::vector<Event> OneOfEach() {
  return {
      CreateKey{kObject, 3, ObjectType::kStockItem, "key"},
      RemoveKey{kObject},
      RenameKey{kObject, 4, std::string_view("n\0w", 3)},
      FlushKeys{kAllDatabases},
      SetString{kObject, "value"},
      SetExpiry{kObject, 52},
      SwapDatabases{53, 54},
      WriteString{kObject, 55, "bytes"},
      AppendEntry{9, kObject, {5, 6}, 1, "$1\r\nf\r\n$1\r\nv\r\n"},
      TrimStream{kObject, {7, 8}},
      DeleteEntries{kObject, kIds},
      SetStreamId{kObject, {9, 10}, 11, {12, 13}},
      CreateGroup{kObject, 14, {15, 16}, 17, "group"},
      CreateGroup{kObject, 14, {15, 16}, std::nullopt, ""},
      SetGroupId{kObject, 18, {19, 20}, 21},
      DestroyGroup{kObject, 22},
      CreateConsumer{kObject, 23, 24, 25, "consumer"},
      DeleteConsumer{kObject, 26, 27},
      Deliver{kObject, 28, 29, 30, {31, 32}, 33, 1},
      Redeliver{kObject, 34, 35, 36, kIds},
      Release{kObject, 37, kIds},
      Release{kObject, 37, {}},
      Claim{kObject, 38, 39, 40, 41, Claim::kSet, 42, kIds},
      TrimEntries{kObject, kIds},
      GiveBack{kObject, 52, GiveBack::kSet, 53, kIds},
      LimitProducers{kObject, 54, 55},
      RememberMessage{kObject, {56, 57}, 58, "producer", "message"},
      CountDuplicate{kObject},
      ForgetMessages{kObject, 59},
      SetRetention{kObject, 93, std::nullopt},
      SetRetention{kObject, std::nullopt, 94},
      AddStock{kObject, -48},
      SetSaleRules{kObject, 60, 61, 62, 63, 64, 65, 66, 67, 68, 1, SaleEvents::kAll, "stream", "events",
                   "group"},
      AddStockOnce{kObject, -69, 70, "request"},
      PlaceOrder{kObject, {71, 72}, 73, 74, 75, 76, "user", "request"},
      BindOrders{kObject, {77, 78}, kObjects, "stream"},
      SettleOrders{kObject, OrderState::kExpired, SettleOrders::kNoRestock, 79, kIds},
      ReacquireOrder{kObject, {80, 81}, 82},
      ExtendOrder{kObject, {83, 84}, 85},
      PauseSale{kObject, Pause::kSalesAndHolds, 86},
      ForgetOrders{kObject, 87, {88, 89}, 90},
      ForgetOrder{kObject, {91, 92}},
  };
}

std::string Bytes(const Event& event) {
  std::string bytes(EncodedSize(event), '\0');
  EXPECT_EQ(Encode(event, bytes.data()), bytes.data() + bytes.size());
  return bytes;
}

TEST(EventCodec, ReadsBackEveryEventAsItWasWritten) {
  std::string body;
  for (const Event& event : OneOfEach()) body += Bytes(event);
  EventReader reader(body);
  for (const Event& event : OneOfEach()) {
    const auto read = reader.Next();
    ASSERT_TRUE(read);
    EXPECT_EQ(read->index(), event.index());
    // Equal bytes are equal members: writing is a function of them, and each was given a value of its own.
    EXPECT_EQ(Bytes(*read), Bytes(event));
  }
  EXPECT_FALSE(reader.Next());
  EXPECT_TRUE(reader.ok());
}

TEST(EventCodec, HasOneOfEveryAlternative) {
  std::array<bool, std::variant_size_v<Event>> seen{};
  for (const Event& event : OneOfEach()) seen[event.index()] = true;
  for (bool one : seen) EXPECT_TRUE(one);
}

TEST(EventCodec, RefusesEveryCutAndEveryUnknownType) {
  for (const Event& event : OneOfEach()) {
    const std::string bytes = Bytes(event);
    for (size_t cut = 1; cut < bytes.size(); ++cut) {
      EventReader reader(std::string_view(bytes).substr(0, cut));
      while (reader.Next()) {
      }
      EXPECT_FALSE(reader.ok()) << "type " << int{static_cast<uint8_t>(bytes[0])} << " cut at " << cut;
    }
  }
  EventReader unknown("\xff");
  EXPECT_FALSE(unknown.Next());
  EXPECT_FALSE(unknown.ok());
}

// What passes over events finds each entry where what reads them does.
TEST(EventCodec, EntriesAmongOthersAreFoundWithoutReadingTheOthers) {
  const AppendEntry entry{9, kObject, {5, 6}, 1, "$1\r\nf\r\n$1\r\nv\r\n"};
  for (const Event& other : OneOfEach()) {
    const std::string body = Bytes(other) + Bytes(entry);
    EventReader reader(body);
    size_t entries = 0;
    while (const auto found = reader.NextEntry()) {
      ++entries;
      EXPECT_EQ(Bytes(*found), Bytes(entry));
    }
    EXPECT_TRUE(reader.ok()) << other.index();
    EXPECT_EQ(reader.offset(), Bytes(other).size());
    EXPECT_EQ(entries, std::holds_alternative<AppendEntry>(other) ? 2u : 1u);
  }
  for (const Event& event : OneOfEach()) {
    const std::string bytes = Bytes(event);
    for (size_t cut = 1; cut < bytes.size(); ++cut) {
      EventReader reader(std::string_view(bytes).substr(0, cut));
      while (reader.NextEntry()) {
      }
      EXPECT_FALSE(reader.ok()) << "type " << int{static_cast<uint8_t>(bytes[0])} << " cut at " << cut;
    }
  }
}

TEST(EventCodec, RefusesAListLongerThanItsBytes) {
  std::string bytes = Bytes(DeleteEntries{kObject, kIds});
  bytes[9] = bytes[10] = bytes[11] = bytes[12] = '\xff';  // the count
  EventReader reader(bytes);
  EXPECT_FALSE(reader.Next());
  EXPECT_FALSE(reader.ok());
}

TEST(EventCodec, EntriesAreReadWhereTheyStand) {
  tests::LooseEngine loose;
  const ObjectId id = loose.Create(ObjectType::kStream, "s");
  loose.Append(id, {123, 456}, "hello");
  const auto place = loose.stream(id).Find({123, 456});
  ASSERT_TRUE(place);
  const EntryView entry = ReadEntry(place->data());
  EXPECT_EQ(entry.id, (StreamId{123, 456}));
  EXPECT_EQ(entry.pairs, 1u);
  EXPECT_EQ(entry.fields, "$1\r\nf\r\n$5\r\nhello\r\n");
}

}  // namespace
}  // namespace sluice::engine
