// Reading what may not be in memory, without waiting for a disk.
//
// The happy path: a call that reads from a mapped segment asks where it may, At() or HasIndex(). What was
// found in memory lately counts as being there, and the question costs a comparison.
//
// Where something is away: At() says so and notes it, the call reads on as far as that makes sense (to note
// what else it will need), changes nothing, and shows nothing. Then Fetch() has all of it brought in by
// another thread, and the call runs again from its start when TakeFetched() names its ticket. The kernel may
// have dropped the pages again by then; so whoever has waited often enough reads in place.
//
// Who reads on from window to window is a catch-up reader: what comes behind is fetched ahead of him, across
// the ends of segments, and he need not wait again. The first who comes that way has it read past the page
// cache (ChunkCache), as long as there are buffers. What producers and consumers at the tail read is memory
// of the log's own, which no read of a file drives out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "storage/chunk_cache.h"
#include "storage/page_cache.h"
#include "storage/page_fetcher.h"
#include "storage/segment.h"
#include "storage/window_table.h"

namespace sluice::storage {

class Log;

struct ColdReadOptions {
  PageCache* pages = nullptr;      // outlives the reads; null: all counts as being in memory
  FileSystem* files = nullptr;     // likewise; null: nothing passes the page cache
  uint64_t chunk_bytes = 9 << 20;  // of memory for what passes it. 0: nothing
  uint64_t bytes = 16 << 20;       // that one call notes at a time, about; 0: all is read in place
  uint64_t ahead_bytes = 1 << 20;  // fetched ahead of a catch-up reader; 0: nothing is
  bool background = true;          // false: nothing happens but in calls (tests)
};

struct ColdReadStatus {
  uint64_t waited = 0;        // calls that were put off, each time counted
  uint64_t in_place = 0;      // calls that met with something away, and read it all the same
  uint64_t bytes = 0;         // brought in by the worker
  uint64_t buffer_bytes = 0;  // of memory that is read into past the page cache, now
  uint64_t distrusted =
      0;  // buffers that did not hold what stands in the file, as far as the mapping shows it
};

// One thread; the worker is not visible here. The log outlives it.
class ColdReads {
 public:
  ColdReads(const Log& log, const ColdReadOptions& options);

  // Once a tick, before anything is read: segments may have changed since the last one.
  void SetTime(uint64_t monotonic_ms) {
    now_ms_ = monotonic_ms;
    Forget();
    chunks_.Tick(now_ms_);
  }

  // Where `bytes` from `offset` on of a mapped segment, all below its end, are in memory: until the end of
  // the call. nullptr where they are away.
  const char* At(const Segment& segment, uint64_t offset, uint64_t bytes) {
    const uintptr_t from = reinterpret_cast<uintptr_t>(segment.data()) + offset - begin_;
    if ((from < size_ && bytes <= size_ - from) || Look(segment, offset, bytes)) {
      return reinterpret_cast<const char*>(reinterpret_cast<uintptr_t>(segment.data()) + offset + shift_);
    }
    return nullptr;
  }
  // What At() led to is not what should stand there. True where it may lead elsewhere now.
  bool Distrust(const Segment& segment, uint64_t offset);
  // Whether a sealed segment's index is. All of it: who first asks for its cells has them all verified.
  bool HasIndex(const Segment& segment) {
    return !segment.mapped() || !segment.has_index() || segment.index_runs().bytes().data() == index_ ||
           LookAtIndex(segment);
  }

  // The present call has met with something that is away: it must change nothing and show nothing.
  bool missed() const { return !missing_.empty() || !awaited_.empty(); }
  // It has noted as much as one call may; to read on would be for nothing.
  bool full() const { return missed() && missing_bytes_ >= options_.bytes; }
  // The present call is over: fetches what it missed. A number that was never given before.
  uint64_t Fetch();

  // While one lives (one at a time), what is away is read in place.
  class InPlace {
   public:
    explicit InPlace(ColdReads& reads) : reads_(reads) { reads.in_place_ = true; }
    ~InPlace() {
      reads_.in_place_ = reads_.met_in_place_ = false;
      reads_.Forget();
    }
    InPlace(const InPlace&) = delete;
    InPlace& operator=(const InPlace&) = delete;

   private:
    ColdReads& reads_;
  };

  // See PageFetcher.
  void Cancel(uint64_t ticket);
  bool has_fetched() const { return fetcher_ && fetcher_->has_fetched(); }
  std::vector<uint64_t> TakeFetched() { return fetcher_->TakeFetched(); }
  void set_notify(std::function<void()> notify);
  void Stop();
  bool Work() { return fetcher_ && fetcher_->Work(); }

  ColdReadStatus status() const;

 private:
  // What is asked about at a time, and fetched at least.
  static constexpr uint64_t kWindowBytes = 64 << 10;
  // How long what was seen in memory counts as being there. The kernel drops first what nobody has read for
  // long, so this is short.
  static constexpr uint64_t kTrustMs = 1000;

  struct Position {
    const Segment* segment;
    uint64_t offset;
  };

  void Forget();
  void TrustAll();
  void MeetInPlace();
  bool Look(const Segment& segment, uint64_t offset, uint64_t bytes);
  bool LookAtIndex(const Segment& segment);
  bool FindOut(const Segment& segment, uint64_t from, uint64_t end);
  bool IsKnown(const Segment& segment, uint64_t from);
  void Note(std::shared_ptr<const void> owner, std::span<const char> memory);
  void ReadOn(const Segment& segment, uint64_t from);
  void LookInto(Chunk& chunk, const Segment& segment);
  void Await(const std::shared_ptr<Chunk>& chunk);
  void FetchAhead(Position position);
  static uint64_t BytesInChunk(Position position);
  bool BeginChunk(Position position);
  void FetchIndexAhead(const Segment& segment);
  void FetchPagesAhead(Position from);
  bool AskAhead(Position position, uint64_t bytes);
  bool Advance(Position& position, uint64_t bytes) const;

  const Log& log_;
  const ColdReadOptions options_;
  std::unique_ptr<PageFetcher> fetcher_;  // null: all counts as being in memory
  uint64_t now_ms_ = 0;

  // What the present tick knows to be in memory: a stretch of a mapping, or of what stands elsewhere in its
  // place (then so much further), and an index.
  uintptr_t begin_ = 0;
  uintptr_t size_ = 0;
  uintptr_t shift_ = 0;
  const char* index_ = nullptr;

  WindowTable windows_;
  ChunkCache chunks_;
  std::vector<PageRange> missing_;
  std::vector<std::shared_ptr<Chunk>> awaited_;
  uint64_t missing_bytes_ = 0;
  std::optional<Position> ahead_;  // the present call reads on from there
  uint64_t call_ = 1;              // the present one; the ticket that it would get
  bool in_place_ = false;
  bool met_in_place_ = false;  // and something was away

  uint64_t waited_ = 0;
  uint64_t read_in_place_ = 0;
  uint64_t distrusted_ = 0;
};

}  // namespace sluice::storage
