// Pages are brought in in turn, by a thread or by whoever asks.
#include "storage/page_fetcher.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <string>
#include <vector>

#include "storage/kernel_page_cache.h"
#include "storage/posix_file_system.h"
#include "tests/harness/test_page_cache.h"

namespace sluice::storage {
namespace {

constexpr size_t kMiB = 1 << 20;

class PageFetcherTest : public testing::Test {
 protected:
  PageRange Range(size_t from, size_t bytes) const { return {memory_, {memory_.get() + from, bytes}}; }
  bool Has(size_t from, size_t bytes) { return pages_.Has({memory_.get() + from, bytes}); }

  std::shared_ptr<char[]> memory_{new char[8 * kMiB]};
  tests::TestPageCache pages_;
  PageFetcher fetcher_{pages_, nullptr, false};
};

TEST_F(PageFetcherTest, ASmallRequestDoesNotWaitForALargeOne) {
  fetcher_.FetchAhead(Range(7 * kMiB, kMiB));
  fetcher_.Fetch(1, {Range(0, 3 * kMiB), Range(4 * kMiB, kMiB)});
  fetcher_.Fetch(2, {Range(5 * kMiB, 4096), Range(6 * kMiB, 4096)});
  EXPECT_TRUE(fetcher_.Work());
  EXPECT_FALSE(fetcher_.has_fetched());
  EXPECT_TRUE(fetcher_.Work());
  EXPECT_EQ(fetcher_.TakeFetched(), std::vector<uint64_t>{2});
  EXPECT_TRUE(Has(6 * kMiB, 4096));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(fetcher_.Work());
  EXPECT_EQ(fetcher_.TakeFetched(), std::vector<uint64_t>{1});
  EXPECT_FALSE(Has(7 * kMiB, 4096)) << "what is fetched ahead comes last";
  EXPECT_TRUE(fetcher_.Work());
  EXPECT_TRUE(Has(7 * kMiB, kMiB));
  EXPECT_FALSE(fetcher_.Work());
  EXPECT_FALSE(fetcher_.has_fetched());
  EXPECT_EQ(fetcher_.bytes(), 5 * kMiB + 2 * 4096);
  fetcher_.Fetch(3, {Range(0, kMiB)});
  EXPECT_TRUE(fetcher_.Work());
  EXPECT_EQ(fetcher_.bytes(), 5 * kMiB + 2 * 4096) << "it was there";
}

TEST_F(PageFetcherTest, WhatNobodyWaitsForIsNotFetched) {
  fetcher_.Fetch(1, {Range(0, 2 * kMiB)});
  fetcher_.Fetch(2, {Range(4 * kMiB, kMiB)});
  EXPECT_TRUE(fetcher_.Work());
  fetcher_.Cancel(1);
  fetcher_.Cancel(9);
  EXPECT_TRUE(fetcher_.Work());
  EXPECT_EQ(fetcher_.TakeFetched(), std::vector<uint64_t>{2});
  EXPECT_FALSE(fetcher_.Work());
  EXPECT_FALSE(Has(kMiB, kMiB));
}

TEST_F(PageFetcherTest, ReadingAheadIsBounded) {
  for (int i = 0; i < 10000; ++i) fetcher_.FetchAhead(Range(0, kMiB));
  int pieces = 0;
  while (fetcher_.Work()) ++pieces;
  EXPECT_EQ(pieces, 64);
}

TEST(KernelPageCacheTest, AThreadBringsInWhatTheDiskHas) {
  const std::string path = testing::TempDir() + "sluice_pages_" + std::to_string(getpid());
  PosixFileSystem files;
  auto file = files.Open(path, {.create = true});
  ASSERT_TRUE(file);
  const std::string bytes(2 * kMiB + 100, 'x');
  ASSERT_TRUE((*file)->WriteAt(0, bytes));
  ASSERT_TRUE((*file)->Sync());
  auto mapped = (*file)->Map(bytes.size());
  ASSERT_TRUE(mapped);
  ASSERT_TRUE(files.Remove(path));

  KernelPageCache pages;
  PageFetcher fetcher(pages, nullptr, true);
  std::promise<void> told;
  fetcher.set_notify([&] { told.set_value(); });
  const std::span<const char> memory(mapped->get() + 1, bytes.size() - 1);
  fetcher.Fetch(1, {PageRange{*mapped, memory}});
  told.get_future().wait();
  EXPECT_EQ(fetcher.TakeFetched(), std::vector<uint64_t>{1});
  EXPECT_TRUE(pages.Has(memory));
  EXPECT_EQ(std::count(memory.begin(), memory.end(), 'x'), static_cast<ptrdiff_t>(memory.size()));
  fetcher.Stop();
  fetcher.Fetch(2, {PageRange{*mapped, memory}});
  EXPECT_FALSE(fetcher.Work()) << "after the end nothing is taken";
}

}  // namespace
}  // namespace sluice::storage
