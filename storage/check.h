// CHECK: a promise of our own. Stays in release builds; no input of a user may reach it.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace sluice::storage {

[[noreturn]] inline void CheckFailed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: broken promise: %s\n", file, line, condition);
  std::abort();
}

}  // namespace sluice::storage

#define CHECK(condition)                                                                              \
  (__builtin_expect(!(condition), 0) ? ::sluice::storage::CheckFailed(__FILE__, __LINE__, #condition) \
                                     : void(0))
