#include "tests/harness/heap_gauge.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

// glibc's, in front of every block.
constexpr size_t kHeaderBytes = 8;

std::atomic<size_t> bytes_alive = 0;
std::atomic<size_t> blocks_made = 0;

void* Take(size_t size, size_t alignment) {
  void* block =
      alignment == 0 ? std::malloc(size) : std::aligned_alloc(alignment, (size + alignment - 1) & -alignment);
  if (block == nullptr) throw std::bad_alloc();
  bytes_alive += malloc_usable_size(block) + kHeaderBytes;
  ++blocks_made;
  return block;
}

void Give(void* block) {
  if (block == nullptr) return;
  bytes_alive -= malloc_usable_size(block) + kHeaderBytes;
  std::free(block);
}

}  // namespace

// All forms by name: a sanitizer has its own of each, and would find them mixed.
void* operator new(size_t size) {
  return Take(size, 0);
}
void* operator new[](size_t size) {
  return Take(size, 0);
}
void* operator new(size_t size, std::align_val_t alignment) {
  return Take(size, static_cast<size_t>(alignment));
}
void* operator new[](size_t size, std::align_val_t alignment) {
  return Take(size, static_cast<size_t>(alignment));
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return Take(size, 0);
}
void* operator new[](size_t size, const std::nothrow_t&) noexcept {
  return Take(size, 0);
}
void operator delete(void* block) noexcept {
  Give(block);
}
void operator delete[](void* block) noexcept {
  Give(block);
}
void operator delete(void* block, size_t) noexcept {
  Give(block);
}
void operator delete[](void* block, size_t) noexcept {
  Give(block);
}
void operator delete(void* block, std::align_val_t) noexcept {
  Give(block);
}
void operator delete[](void* block, std::align_val_t) noexcept {
  Give(block);
}
void operator delete(void* block, size_t, std::align_val_t) noexcept {
  Give(block);
}
void operator delete[](void* block, size_t, std::align_val_t) noexcept {
  Give(block);
}

namespace sluice::tests {

HeapUse HeapNow() {
  return {bytes_alive, blocks_made};
}

}  // namespace sluice::tests
