// Bytes that nobody can guess, from the kernel.
#pragma once

#include <sys/random.h>

#include <span>

namespace sluice::net {

inline void RandomBytes(std::span<char> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = getrandom(bytes.data(), bytes.size(), 0);
    if (count > 0) bytes = bytes.subspan(static_cast<size_t>(count));
  }
}

}  // namespace sluice::net
