// Chunks of sealed segments, read past the page cache into memory of our own.
//
// Whoever reads a backlog from one end to the other reads each byte of it once. Through the page cache that
// costs a page to find, fill, map and drop for every 4 KiB, for nobody who comes later; here a buffer is
// filled by one read, and used again. It is worth it for the first reader only: who comes to a chunk for the
// second time finds it in the page cache, or puts it there.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "storage/file_system.h"
#include "storage/page_cache.h"
#include "storage/segment.h"

namespace sluice::storage {

// What a buffer is filled with. Made by the thread that owns the log, loaded by another one.
class Chunk {
 public:
  // Chunks lie so far apart, and each holds some of the next one: what begins in it and is not longer than
  // that can be read whole.
  static constexpr uint64_t kBytes = 1 << 20;
  static constexpr uint64_t kOverlapBytes = 64 << 10;
  static constexpr uint64_t kBufferBytes = kBytes + kOverlapBytes;

  enum class State : uint8_t {
    kAwaited,
    kHere,
    kAbsent,  // it could not be read, or the page cache has it: whoever wants it reads the mapping
  };

  // The one with `offset`, below the end of a mapped segment. `buffer` has kBufferBytes, aligned for
  // O_DIRECT.
  Chunk(const Segment& segment, uint64_t offset, char* buffer);

  bool Is(const Segment& segment, uint64_t offset) const {
    return segment.sequence() == sequence_ && segment.rewrites() == rewrites_ && offset - begin_ < kBytes;
  }
  uint64_t begin() const { return begin_; }  // in its segment
  uint64_t bytes() const { return bytes_; }
  // Whether the log goes on in `next` where this one ends.
  bool GoesOnIn(const Chunk& next) const {
    if (next.begin_ == 0) return sequence_ + 1 == next.sequence_ && is_last_;
    return sequence_ == next.sequence_ && begin_ + kBytes == next.begin_;
  }
  // True for the first who reads in it.
  bool Enter() { return !std::exchange(entered_, true); }
  // From begin() on; to be read once it is here.
  const char* memory() const { return buffer_; }

  State state() const { return state_.load(std::memory_order_acquire); }
  // What it holds is not what it should be.
  void GiveUp() { state_ = State::kAbsent; }
  // Reads it, unless that has been done. Returns how many bytes that were.
  uint64_t Load(FileSystem& files, PageCache& pages);

 private:
  uint64_t sequence_;
  uint64_t rewrites_;
  uint64_t begin_;
  uint64_t bytes_;
  char* buffer_;
  bool is_last_;  // of its segment
  bool entered_ = false;
  std::string path_;
  std::shared_ptr<const char> mapping_;  // of the segment, until it is loaded
  std::atomic<State> state_ = State::kAwaited;
};

// The buffers, and what is in them. One thread.
class ChunkCache {
 public:
  // Memory for so many `bytes` of buffers is taken when the first one is needed. Below kBufferBytes there are
  // none.
  explicit ChunkCache(uint64_t bytes) : places_(bytes / Chunk::kBufferBytes) {}

  // Once a tick. What is found in one stays where it is until the next. Gives the memory back once nothing
  // has been read for long.
  void Tick(uint64_t now_ms);

  // The chunk with `offset` that is here or on its way; null: none is.
  std::shared_ptr<Chunk> Find(const Segment& segment, uint64_t offset);
  // One to be loaded by whoever gets it; null where every buffer is in use, or the chunk has been read
  // before.
  std::shared_ptr<Chunk> Begin(const Segment& segment, uint64_t offset);
  // A reader has come to `chunk`, and need not look back.
  void LeaveBefore(const Chunk& chunk);

  // What the buffers take.
  uint64_t memory_bytes() const { return memory_ == nullptr ? 0 : places_.size() * Chunk::kBufferBytes; }

 private:
  // What nobody read for so long may make room, and what nobody has left by then.
  static constexpr uint64_t kIdleMs = 1000;
  static constexpr uint64_t kKeptMs = 10'000;

  struct Place {
    std::shared_ptr<Chunk> chunk;
    uint64_t used_ms = 0;
    uint64_t used_tick = 0;
    bool left = false;
  };

  bool IsFree(const Place& place) const;

  std::vector<Place> places_;
  std::shared_ptr<char> memory_;
  uint64_t now_ms_ = 0;
  uint64_t tick_ = 1;
  uint64_t used_ms_ = 0;
};

}  // namespace sluice::storage
