// Prints docs/redis-options.md from the table of Redis's options. A test compares the two.

#include <cstdio>

#include "server/redis_options.h"

int main() {
  std::fputs(sluice::RedisOptionsText().c_str(), stdout);
  return 0;
}
