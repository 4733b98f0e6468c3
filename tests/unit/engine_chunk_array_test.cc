#include "server/engine/chunk_array.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace sluice::engine {
namespace {

struct Wide {
  std::string text = "new";
  char filler[10000] = {};
};

TEST(ChunkArray, ElementsStayWhereTheyAreAndEndWithIt) {
  ChunkArray<Wide> array;
  array.Add();
  const Wide* first = &array[0];
  // Some chunks of them, each with memory of its own, which a leak checker would miss.
  for (size_t i = 1; i < 700; ++i) {
    array.Add();
    ASSERT_EQ(array[i].text, "new");
    array[i].text = "a text that is longer than what a string holds by itself " + std::to_string(i);
  }
  EXPECT_EQ(array.size(), 700u);
  EXPECT_EQ(&array[0], first);
  for (size_t i = 1; i < 700; ++i) ASSERT_EQ(array[i].text.substr(57), std::to_string(i));
  ChunkArray<Wide> other = std::move(array);
  EXPECT_EQ(array.size(), 0u);
  EXPECT_EQ(&other[0], first);
  array.Add();
  array = std::move(other);
  EXPECT_EQ(array.size(), 700u);
  EXPECT_EQ(&array[0], first);
}

}  // namespace
}  // namespace sluice::engine
