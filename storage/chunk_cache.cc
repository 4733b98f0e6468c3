#include "storage/chunk_cache.h"

#include <algorithm>
#include <utility>

#include "storage/buffer.h"
#include "storage/format.h"

namespace sluice::storage {

Chunk::Chunk(const Segment& segment, uint64_t offset, char* buffer)
    : sequence_(segment.sequence()),
      rewrites_(segment.rewrites()),
      begin_(offset / kBytes * kBytes),
      bytes_(std::min(kBufferBytes, segment.end() - begin_)),
      buffer_(buffer),
      is_last_(begin_ + bytes_ == segment.end()),
      path_(segment.path()),
      mapping_(segment.memory()) {}

uint64_t Chunk::Load(FileSystem& files, PageCache& pages) {
  if (state() != State::kAwaited) return 0;
  const auto mapping = std::exchange(mapping_, nullptr);
  uint64_t got = 0;
  if (!pages.Has({mapping.get() + begin_, bytes_})) {
    // By its name: should the file have been compacted since, no record of it verifies.
    if (auto file = files.Open(path_, {.read_only = true, .direct = true})) {
      got = (*file)->ReadAt(begin_, {buffer_, AlignUp(bytes_, kBlockBytes)}).value_or(0);
    }
  }
  state_.store(got >= bytes_ ? State::kHere : State::kAbsent, std::memory_order_release);
  return got;
}

void ChunkCache::Tick(uint64_t now_ms) {
  ++tick_;
  now_ms_ = now_ms;
  if (memory_ == nullptr || now_ms - used_ms_ < kKeptMs) return;
  if (!std::all_of(places_.begin(), places_.end(), [this](const Place& place) { return IsFree(place); }))
    return;
  for (Place& place : places_) place = {};
  memory_.reset();
}

std::shared_ptr<Chunk> ChunkCache::Find(const Segment& segment, uint64_t offset) {
  for (Place& place : places_) {
    const std::shared_ptr<Chunk>& chunk = place.chunk;
    if (chunk == nullptr || !chunk->Is(segment, offset)) continue;
    const bool nobody_loads_it = chunk->state() == Chunk::State::kAwaited && chunk.use_count() == 1;
    if (nobody_loads_it || chunk->state() == Chunk::State::kAbsent) return nullptr;
    place.used_ms = used_ms_ = now_ms_;
    place.used_tick = tick_;
    place.left = false;
    return chunk;
  }
  return nullptr;
}

std::shared_ptr<Chunk> ChunkCache::Begin(const Segment& segment, uint64_t offset) {
  const auto place =
      std::find_if(places_.begin(), places_.end(), [this](const Place& one) { return IsFree(one); });
  if (place == places_.end() || !segment.NoteReadPastCache(offset / Chunk::kBytes)) return nullptr;
  if (memory_ == nullptr) {
    auto memory = AllocateBuffer(places_.size() * Chunk::kBufferBytes);
    if (!memory) return nullptr;
    memory_ = std::move(*memory);
  }
  char* const buffer = memory_.get() + static_cast<size_t>(place - places_.begin()) * Chunk::kBufferBytes;
  *place = {.chunk = std::make_shared<Chunk>(segment, offset, buffer), .used_ms = now_ms_};
  used_ms_ = now_ms_;
  return place->chunk;
}

void ChunkCache::LeaveBefore(const Chunk& chunk) {
  for (Place& place : places_) place.left |= place.chunk != nullptr && place.chunk->GoesOnIn(chunk);
}

// Nobody loads its buffer, or will, or reads there.
bool ChunkCache::IsFree(const Place& place) const {
  if (place.chunk == nullptr) return true;
  if (place.chunk.use_count() > 1 || place.used_tick == tick_) return false;
  return place.left || place.chunk->state() != Chunk::State::kHere || now_ms_ - place.used_ms >= kIdleMs;
}

}  // namespace sluice::storage
