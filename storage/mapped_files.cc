#include "storage/mapped_files.h"

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace sluice::storage {
namespace {

struct Row {
  std::atomic<uintptr_t> begin;  // 0: free; set last and cleared first
  std::atomic<uintptr_t> end;
  std::atomic<char*> path;
};

// Zero from the start; its pages cost nothing until they are used.
std::array<Row, MappedFiles::kMost> table;
std::atomic<size_t> used;  // no row from here on was ever used
std::mutex changing;

size_t FreeRow() {
  const size_t rows = used;
  for (size_t i = 0; i < rows; ++i) {
    if (table[i].begin == 0) return i;
  }
  if (rows < table.size()) used = rows + 1;
  return rows;
}

}  // namespace

size_t MappedFiles::Add(const void* begin, uint64_t bytes, const std::string& path) {
  const std::lock_guard lock(changing);
  const size_t number = FreeRow();
  if (number == kMost) return kMost;
  Row& row = table[number];
  row.path = strdup(path.c_str());
  row.end = reinterpret_cast<uintptr_t>(begin) + bytes;
  row.begin = reinterpret_cast<uintptr_t>(begin);
  return number;
}

void MappedFiles::Remove(size_t number) {
  if (number == kMost) return;
  const std::lock_guard lock(changing);
  Row& row = table[number];
  row.begin = 0;
  std::free(row.path.exchange(nullptr));
}

bool MappedFiles::Find(const void* address, const char** path, uint64_t* offset) {
  const auto wanted = reinterpret_cast<uintptr_t>(address);
  const size_t rows = used;
  for (size_t i = 0; i < rows; ++i) {
    const uintptr_t begin = table[i].begin;
    const char* name = table[i].path;
    if (begin == 0 || name == nullptr || wanted < begin || wanted >= table[i].end) continue;
    *path = name;
    *offset = wanted - begin;
    return true;
  }
  return false;
}

}  // namespace sluice::storage
