// The memory that segments are recorded into, used again and again: a buffer that is let go waits for the
// next segment, its pages in place, so that recording at full speed costs no page fault. What was once used
// is kept: a queue that was emptied is filled again, and memory that comes anew from a virtual machine's host
// costs more than what is recorded into it.
//
// What a buffer holds when it is taken again is an earlier segment's: everything that reaches the disk is
// written first, and what is not written is never sent there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "storage/result.h"

namespace sluice::storage {

// Any thread. Buffers may outlive the pool.
class BufferPool {
 public:
  // Of buffers of `bytes` (a multiple of kBlockBytes). Once there are `most`, Warm() makes none, and what is
  // let go is freed.
  BufferPool(uint64_t bytes, size_t most);

  // `bytes` of memory, at least as many as asked for, whatever they hold; it comes back to the pool with its
  // last owner. A size of its own is made anew, and freed. kFull where the system has no memory.
  Result<std::shared_ptr<char>> Take(uint64_t bytes);

  // Brings the pages in of the buffer that Take() made last, if it did: its owner may be writing there. Then
  // makes one ahead of time, its pages in place, unless one is waiting or there are as many as there may be.
  void Warm();

  // Buffers of the pool's size that exist, taken ones included.
  size_t made() const;

 private:
  struct Shelf;
  std::shared_ptr<Shelf> shelf_;
};

}  // namespace sluice::storage
