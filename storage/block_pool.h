// Memory for many things of one size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>

namespace sluice::storage {

// Blocks that begin with a cache line and lie together in huge pages: what is met at random among many is
// found with few steps. The first chunk takes the small pages that are touched, no more; one in which nothing
// is left goes back to the system, unless it is the last. Any thread.
class BlockPool {
 public:
  // All blocks are to be given back before the pool ends, or never.
  explicit BlockPool(size_t block_bytes);
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  // Throws std::bad_alloc.
  void* Take();
  void GiveBack(void* block);

 private:
  struct Chunk;  // stands at the beginning of its own

  void Link(Chunk* chunk);
  void Unlink(Chunk* chunk);

  const uint32_t block_bytes_;
  const uint32_t blocks_;  // of a chunk
  std::mutex mutex_;
  Chunk* with_room_ = nullptr;  // first of a list
  size_t chunks_ = 0;
};

}  // namespace sluice::storage
