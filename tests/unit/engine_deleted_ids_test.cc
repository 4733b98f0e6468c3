#include "server/engine/deleted_ids.h"

#include <gtest/gtest.h>

#include <iterator>
#include <random>
#include <set>

namespace sluice::engine {
namespace {

TEST(DeletedIds, CountsLikeAPlainSet) {
  std::mt19937_64 random(3);
  DeletedIds deleted;
  std::set<StreamId> plain;
  auto any_id = [&] { return StreamId{random() % 3000, random() % 4}; };
  for (int step = 0; step < 60'000; ++step) {
    const StreamId id = any_id();
    if (plain.insert(id).second) deleted.Insert(id);
    if (random() % 2000 == 0) {
      const StreamId bound{random() % 300, 2};
      deleted.EraseBelow(bound);
      plain.erase(plain.begin(), plain.lower_bound(bound));
    }
    if (random() % 20'000 == 0) {
      deleted.Clear();
      plain.clear();
    }
    ASSERT_EQ(deleted.size(), plain.size());
    const StreamId asked = any_id();
    EXPECT_EQ(deleted.contains(asked), plain.contains(asked));
    if (step % 50 != 0 || plain.empty()) continue;
    const auto below = static_cast<size_t>(std::distance(plain.begin(), plain.lower_bound(asked)));
    EXPECT_EQ(deleted.CountBelow(asked), below);
    const size_t n = random() % plain.size();
    EXPECT_EQ(deleted.At(n), *std::next(plain.begin(), static_cast<ptrdiff_t>(n)));
  }
}

}  // namespace
}  // namespace sluice::engine
