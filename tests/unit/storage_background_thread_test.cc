#include "storage/background_thread.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <string>

namespace sluice::storage {
namespace {

TEST(BackgroundThread, YieldsToTheOthersAndHasAName) {
  constexpr int kLowest = 19;
  const int own = getpriority(PRIO_PROCESS, static_cast<id_t>(gettid()));
  int nice = 0;
  std::string name;
  StartBackground("sidecars", [&] {
    nice = getpriority(PRIO_PROCESS, static_cast<id_t>(gettid()));
    char text[16];
    pthread_getname_np(pthread_self(), text, sizeof text);
    name = text;
  }).join();
  EXPECT_EQ(nice, std::min(own + kBackgroundNice, kLowest));
  EXPECT_EQ(name, "sidecars");
  EXPECT_EQ(getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())), own) << "who started it keeps its own";
}

}  // namespace
}  // namespace sluice::storage
