#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "tests/harness/loose_engine.h"

namespace sluice::engine {
namespace {

using tests::LooseEngine;

// A stream as anybody would first write it down: all entries ever, and whether they are still there.
struct ModelStream {
  struct Entry {
    StreamId id;
    bool exists;
  };
  std::vector<Entry> entries;

  std::vector<StreamId> Existing(StreamId from, StreamId to) const {
    std::vector<StreamId> ids;
    for (const Entry& entry : entries) {
      if (entry.exists && from <= entry.id && entry.id <= to) ids.push_back(entry.id);
    }
    return ids;
  }
  std::vector<StreamId> All() const { return Existing(kMinStreamId, kMaxStreamId); }
};

std::vector<StreamId> Scanned(const Stream& stream, StreamId from, StreamId to) {
  std::vector<StreamId> ids;
  stream.Scan(from, to, [&](StreamId id, storage::Place place) {
    EXPECT_EQ(ReadEntry(place.data()).id, id);
    ids.push_back(id);
    return true;
  });
  return ids;
}

std::vector<StreamId> ScannedBack(const Stream& stream, StreamId from, StreamId to) {
  std::vector<StreamId> ids;
  stream.ScanBack(from, to, [&](StreamId id, storage::Place) {
    ids.push_back(id);
    return true;
  });
  std::reverse(ids.begin(), ids.end());
  return ids;
}

void ExpectSame(const Stream& stream, const ModelStream& model, std::mt19937_64& random) {
  const std::vector<StreamId> all = model.All();
  ASSERT_EQ(stream.length(), all.size());
  ASSERT_EQ(stream.entries_added(), model.entries.size());
  EXPECT_EQ(stream.first_id(), all.empty() ? kMinStreamId : all.front());
  EXPECT_EQ(stream.last_existing_id(), all.empty() ? kMinStreamId : all.back());
  auto any = [&] {
    if (model.entries.empty() || random() % 8 == 0) return StreamId{random() % 5000, random() % 3};
    const StreamId id = model.entries[random() % model.entries.size()].id;
    const uint64_t shift = random() % 3;
    return shift == 0 ? id : shift == 1 ? Next(id).value_or(id) : Previous(id).value_or(id);
  };
  const StreamId a = any();
  const StreamId b = any();
  const auto [from, to] = std::minmax(a, b);
  ASSERT_EQ(Scanned(stream, from, to), model.Existing(from, to));
  ASSERT_EQ(ScannedBack(stream, from, to), model.Existing(from, to));
  ASSERT_EQ(stream.Contains(a), !model.Existing(a, a).empty());
  ASSERT_EQ(stream.CountAfter(a), a == kMaxStreamId ? 0 : model.Existing(*Next(a), kMaxStreamId).size());
  if (!all.empty()) {
    const size_t n = random() % all.size();
    ASSERT_EQ(stream.Select(n), all[n]);
  }
}

StreamId NextId(StreamId last, std::mt19937_64& random) {
  if (last.seq > UINT64_MAX - 5000) return {last.ms + 1, random() % 2};
  switch (random() % 12) {
    case 0:
      return {last.ms + 1 + (random() % 3) * 2'000'000, 0};  // beyond a run's milliseconds
    case 1:
      return {last.ms, last.seq + 5000};  // beyond a run's sequences
    case 2:
      return {last.ms + 7, 4095};
    case 3:
      return {last.ms + 7, 4096};
    case 4:
      return {last.ms + 1, UINT64_MAX};
    case 5:
      return *Next(last);
    default:
      return {last.ms, last.seq + 1};
  }
}

TEST(Stream, AgreesWithAModelUnderRandomChanges) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    std::mt19937_64 random(seed);
    LooseEngine loose(1 << 20);
    const ObjectId id = loose.Create(ObjectType::kStream, "s");
    ModelStream model;
    StreamId last{};
    for (int step = 0; step < 120; ++step) {
      const Stream& stream = loose.stream(id);
      const uint64_t dice = random() % 100;
      if (dice < 60) {
        last = NextId(last, random);
        loose.Append(id, last);
        model.entries.push_back({last, true});
      } else if (dice < 80) {
        const std::vector<StreamId> all = model.All();
        if (all.empty()) continue;
        // The first entries go most, as they do where messages are deleted once they are done.
        const StreamId gone = all[random() % 2 == 0 ? 0 : random() % all.size()];
        loose.Apply(DeleteEntries{id, std::span(&gone, 1)});
        for (auto& entry : model.entries) entry.exists = entry.exists && entry.id != gone;
      } else if (dice < 85) {
        if (model.entries.empty()) continue;
        const StreamId through = model.entries[random() % model.entries.size()].id;
        loose.Apply(TrimStream{id, through});
        for (auto& entry : model.entries) entry.exists = entry.exists && entry.id > through;
      } else if (dice < 90) {
        loose.BeginSegment();
      }
      ASSERT_NO_FATAL_FAILURE(ExpectSame(stream, model, random)) << "seed " << seed << " step " << step;
    }
  }
}

TEST(Stream, HoldsTheGreatestId) {
  LooseEngine loose;
  const ObjectId id = loose.Create(ObjectType::kStream, "s");
  loose.Append(id, {UINT64_MAX, UINT64_MAX - 1});
  loose.Append(id, kMaxStreamId);
  const Stream& stream = loose.stream(id);
  EXPECT_EQ(Scanned(stream, kMinStreamId, kMaxStreamId).size(), 2u);
  EXPECT_EQ(stream.CountAfter({UINT64_MAX, UINT64_MAX - 1}), 1u);
  EXPECT_EQ(stream.CountAfter(kMaxStreamId), 0u);
  loose.Apply(TrimStream{id, kMaxStreamId});
  EXPECT_EQ(stream.length(), 0u);
  EXPECT_EQ(stream.last_id(), kMaxStreamId);
}

// What XTRIM would take, entry by entry.
std::vector<StreamId> TakenBy(const Trim& trim, const Stream& stream, std::optional<StreamId> coming) {
  const auto last = stream.PlanTrim(trim, coming);
  std::vector<StreamId> taken;
  if (!last) return taken;
  taken = Scanned(stream, kMinStreamId, *last);
  if (coming && *coming <= *last) taken.push_back(*coming);
  return taken;
}

class Trimming : public testing::Test {
 protected:
  // Entries 1-0 .. n-0.
  explicit Trimming(uint64_t n = 250) {
    for (uint64_t i = 1; i <= n; ++i) loose_.Append(id_, {i, 0});
  }
  size_t Taken(const Trim& trim) const { return TakenBy(trim, loose_.stream(id_), std::nullopt).size(); }

  LooseEngine loose_;
  ObjectId id_ = loose_.Create(ObjectType::kStream, "s");
};

TEST_F(Trimming, ByLengthIsExact) {
  EXPECT_EQ(Taken({.kind = Trim::kMaxLength, .max_length = 250}), 0u);
  EXPECT_EQ(Taken({.kind = Trim::kMaxLength, .max_length = 249}), 1u);
  EXPECT_EQ(Taken({.kind = Trim::kMaxLength, .max_length = 0}), 250u);
}

TEST_F(Trimming, ByLengthSkipsWhatWasDeleted) {
  const StreamId gone[] = {{2, 0}, {3, 0}, {5, 0}};
  loose_.Apply(DeleteEntries{id_, gone});
  EXPECT_EQ(*loose_.stream(id_).PlanTrim({.kind = Trim::kMaxLength, .max_length = 245}, std::nullopt),
            (StreamId{4, 0}));
}

TEST_F(Trimming, ByIdKeepsTheThreshold) {
  EXPECT_EQ(Taken({.kind = Trim::kMinId, .min_id = {1, 0}}), 0u);
  EXPECT_EQ(Taken({.kind = Trim::kMinId, .min_id = {1, 1}}), 1u);
  EXPECT_EQ(Taken({.kind = Trim::kMinId, .min_id = {100, 0}}), 99u);
  EXPECT_EQ(Taken({.kind = Trim::kMinId, .min_id = kMaxStreamId}), 250u);
}

TEST_F(Trimming, ApproximatelyTakesWholeNodes) {
  EXPECT_EQ(Taken({.kind = Trim::kMaxLength, .approximate = true, .max_length = 151}), 0u);
  EXPECT_EQ(Taken({.kind = Trim::kMaxLength, .approximate = true, .max_length = 150}), 100u);
  EXPECT_EQ(Taken({.kind = Trim::kMaxLength, .approximate = true, .max_length = 49}), 200u);
  EXPECT_EQ(Taken({.kind = Trim::kMaxLength, .approximate = true, .max_length = 0}), 250u);
  EXPECT_EQ(Taken({.kind = Trim::kMinId, .approximate = true, .min_id = {100, 0}}), 0u);
  EXPECT_EQ(Taken({.kind = Trim::kMinId, .approximate = true, .min_id = {101, 0}}), 100u);
}

TEST_F(Trimming, ApproximatelyMindsItsLimit) {
  EXPECT_EQ(Taken({.kind = Trim::kMaxLength, .approximate = true, .max_length = 0, .limit = 99}), 0u);
  EXPECT_EQ(Taken({.kind = Trim::kMaxLength, .approximate = true, .max_length = 0, .limit = 199}), 100u);
  EXPECT_EQ(Taken({.kind = Trim::kMinId, .approximate = true, .min_id = kMaxStreamId, .limit = 200}), 200u);
}

TEST_F(Trimming, CountsWhatIsAboutToBeAppended) {
  const Stream& stream = loose_.stream(id_);
  const StreamId coming{251, 0};
  EXPECT_EQ(TakenBy({.kind = Trim::kMaxLength, .max_length = 250}, stream, coming).size(), 1u);
  EXPECT_EQ(TakenBy({.kind = Trim::kMaxLength, .max_length = 0}, stream, coming).size(), 251u);
  EXPECT_EQ(TakenBy({.kind = Trim::kMinId, .min_id = {300, 0}}, stream, coming).size(), 251u);
  EXPECT_EQ(
      TakenBy({.kind = Trim::kMaxLength, .approximate = true, .max_length = 151}, stream, coming).size(),
      100u);
  EXPECT_EQ(TakenBy({.kind = Trim::kMaxLength, .approximate = true, .max_length = 0}, stream, coming).size(),
            251u);
  // A first entry into nothing.
  EXPECT_EQ(TakenBy({.kind = Trim::kMaxLength, .max_length = 0}, Stream(), coming).size(), 1u);
  EXPECT_EQ(TakenBy({.kind = Trim::kMinId, .min_id = {251, 0}}, Stream(), coming).size(), 0u);
}

TEST_F(Trimming, NodesAreCountedFromTheFirstEntryEver) {
  const Stream& stream = loose_.stream(id_);
  EXPECT_EQ(stream.Nodes(100), 3u);
  loose_.Apply(TrimStream{id_, {99, 0}});
  EXPECT_EQ(stream.Nodes(100), 3u);
  loose_.Apply(TrimStream{id_, {100, 0}});
  EXPECT_EQ(stream.Nodes(100), 2u);
  loose_.Apply(TrimStream{id_, {250, 0}});
  EXPECT_EQ(stream.Nodes(100), 0u);
}

}  // namespace
}  // namespace sluice::engine
