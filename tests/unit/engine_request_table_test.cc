#include "server/engine/request_table.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::engine {
namespace {

TEST(RequestTable, RemembersOrdersAndRestocks) {
  RequestTable requests(1);
  EXPECT_EQ(requests.Find("a"), RequestTable::kNone);
  const std::string uuid = "123e4567-e89b-12d3-a456-426614174000";
  const std::string longer(1000, 'r');
  const uint32_t first = requests.AddOrder(uuid, 7);
  const uint32_t second = requests.AddOrder(longer, 8);
  requests.AddRestock("stock", -5, 100);
  requests.AddRestock("more", 6, 101);
  EXPECT_EQ(requests[requests.Find(uuid)].order, 7u);
  EXPECT_EQ(requests[requests.Find(longer)].order, 8u);
  EXPECT_EQ(requests.IdOf(second), longer);
  EXPECT_EQ(requests[requests.Find("stock")].order, RequestTable::kNone);
  EXPECT_EQ(requests[requests.Find("stock")].delta, -5);
  ASSERT_EQ(requests.restocks(), 2u);
  EXPECT_EQ(requests.RestockTime(1), 101);

  requests.Forget(first);
  requests.ForgetOldestRestock();
  EXPECT_EQ(requests.Find(uuid), RequestTable::kNone);
  EXPECT_EQ(requests.Find("stock"), RequestTable::kNone);
  EXPECT_EQ(requests.IdOf(requests.RestockNumber(0)), "more");
  EXPECT_EQ(requests.size(), 2u);
  // What was forgotten is a new request, and takes the place of an old one.
  requests.AddOrder(uuid, 9);
  EXPECT_EQ(requests[requests.Find(uuid)].order, 9u);
  EXPECT_EQ(requests.size(), 3u);
}

}  // namespace
}  // namespace sluice::engine
