// Which files are mapped where: for the one who has to say, in a signal handler, which of them could not be
// read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace sluice::storage {

// A table that a signal handler may look into at any time. There is one, as there is one address space.
class MappedFiles {
 public:
  static constexpr size_t kMost = 1 << 16;  // what a process may map, by Linux's default

  // Notes that `bytes` of the file at `path` are mapped at `begin`. The number is for Remove(); kMost where
  // the table is full, which only costs the name.
  static size_t Add(const void* begin, uint64_t bytes, const std::string& path);
  static void Remove(size_t number);

  // The file that `address` shows, and the offset in it. False where none is mapped there. Safe in a signal
  // handler, if what it finds is not unmapped meanwhile: `path` lives as long as the mapping.
  static bool Find(const void* address, const char** path, uint64_t* offset);
};

}  // namespace sluice::storage
