#include "storage/cold_reads.h"

#include <algorithm>
#include <utility>

#include "storage/log.h"

namespace sluice::storage {

ColdReads::ColdReads(const Log& log, const ColdReadOptions& options)
    : log_(log),
      options_(options),
      chunks_(options.files != nullptr && log.direct_io() ? options.chunk_bytes : 0) {
  if (options.pages != nullptr && options.bytes != 0) {
    fetcher_ = std::make_unique<PageFetcher>(*options.pages, options.files, options.background);
  }
  Forget();
}

void ColdReads::Forget() {
  if (!fetcher_) return TrustAll();
  size_ = 0;
  index_ = nullptr;
}

void ColdReads::TrustAll() {
  begin_ = 0;
  size_ = UINTPTR_MAX;
  shift_ = 0;
}

// From here on the call that reads in place is asked nothing more.
void ColdReads::MeetInPlace() {
  if (!met_in_place_) ++read_in_place_;
  met_in_place_ = true;
  TrustAll();
}

bool ColdReads::Look(const Segment& segment, uint64_t offset, uint64_t bytes) {
  const std::shared_ptr<Chunk> chunk = chunks_.Find(segment, offset);
  if (chunk != nullptr && offset + bytes <= chunk->begin() + chunk->bytes()) {
    if (chunk->state() == Chunk::State::kHere) {
      LookInto(*chunk, segment);
      return true;
    }
    if (!in_place_) {
      Await(chunk);
      return false;
    }
  }
  const uint64_t first = offset / kWindowBytes * kWindowBytes;
  const uint64_t behind = (offset + bytes + kWindowBytes - 1) / kWindowBytes * kWindowBytes;
  const uint64_t end = std::min(behind, segment.end());
  uint64_t from = first;
  while (from < end && IsKnown(segment, from)) from += kWindowBytes;
  if (from < end && !FindOut(segment, from, end)) {
    if (!in_place_) return false;
    MeetInPlace();
    return true;
  }
  begin_ = reinterpret_cast<uintptr_t>(segment.data()) + first;
  size_ = end - first;
  shift_ = 0;
  return true;
}

void ColdReads::LookInto(Chunk& chunk, const Segment& segment) {
  begin_ = reinterpret_cast<uintptr_t>(segment.data()) + chunk.begin();
  size_ = chunk.bytes();
  shift_ = reinterpret_cast<uintptr_t>(chunk.memory()) - begin_;
  if (!chunk.Enter()) return;
  if (!missed()) chunks_.LeaveBefore(chunk);  // else the call comes back
  Position position{&segment, chunk.begin()};
  if (Advance(position, BytesInChunk(position))) FetchAhead(position);
}

void ColdReads::Await(const std::shared_ptr<Chunk>& chunk) {
  if (std::find(awaited_.begin(), awaited_.end(), chunk) != awaited_.end()) return;
  awaited_.push_back(chunk);
  missing_bytes_ += chunk->bytes();
}

bool ColdReads::Distrust(const Segment& segment, uint64_t offset) {
  const std::shared_ptr<Chunk> chunk = chunks_.Find(segment, offset);
  if (chunk == nullptr || chunk->state() != Chunk::State::kHere) return false;
  chunk->GiveUp();
  ++distrusted_;
  Forget();
  return true;
}

bool ColdReads::LookAtIndex(const Segment& segment) {
  if (!fetcher_ || met_in_place_) return true;
  const std::span<const char> bytes = segment.index_runs().bytes();
  WindowTable::Row& row = windows_.At(bytes.data());
  if (row.seen_until_ms <= now_ms_) {
    if (row.missed_by == call_) return false;
    if (!options_.pages->Has(bytes)) {
      if (in_place_) {
        MeetInPlace();
        return true;
      }
      row.missed_by = call_;
      Note(segment.shared_index(), bytes);
      return false;
    }
    row.seen_until_ms = now_ms_ + kTrustMs;
  }
  index_ = bytes.data();
  return true;
}

bool ColdReads::IsKnown(const Segment& segment, uint64_t from) {
  WindowTable::Row& row = windows_.At(segment.data() + from);
  if (row.seen_until_ms <= now_ms_) return false;
  if (row.leads_on) [[unlikely]]
    ReadOn(segment, from);
  return true;
}

// Asks the kernel about the windows from `from` to `end`; notes them where they are not all in memory.
bool ColdReads::FindOut(const Segment& segment, uint64_t from, uint64_t end) {
  const std::span<const char> memory(segment.data() + from, end - from);
  const bool noted = windows_.At(memory.data()).missed_by == call_;
  if (noted && !in_place_) return false;
  const bool here = options_.pages->Has(memory);
  if (!here && in_place_) return false;
  for (uint64_t at = from; at < end; at += kWindowBytes) {
    WindowTable::Row& row = windows_.At(segment.data() + at);
    if (here) {
      row.seen_until_ms = now_ms_ + kTrustMs;
      if (row.leads_on) ReadOn(segment, at);
    } else {
      row.missed_by = call_;
    }
  }
  if (here) return true;
  const bool follows =
      !missing_.empty() && missing_.back().memory.data() + missing_.back().memory.size() == memory.data();
  if (from == 0 || follows || windows_.Knows(segment.data() + from - kWindowBytes)) ahead_ = {&segment, end};
  Note(segment.memory(), memory);
  return false;
}

void ColdReads::Note(std::shared_ptr<const void> owner, std::span<const char> memory) {
  missing_bytes_ += memory.size();
  if (!missing_.empty()) {
    PageRange& last = missing_.back();
    if (last.owner == owner && last.memory.data() + last.memory.size() == memory.data()) {
      last.memory = {last.memory.data(), last.memory.size() + memory.size()};
      return;
    }
  }
  missing_.push_back({std::move(owner), memory});
}

uint64_t ColdReads::Fetch() {
  ++waited_;
  std::vector<Fetched> wanted(std::make_move_iterator(missing_.begin()),
                              std::make_move_iterator(missing_.end()));
  wanted.insert(wanted.end(), awaited_.begin(), awaited_.end());
  missing_.clear();
  awaited_.clear();
  missing_bytes_ = 0;
  fetcher_->Fetch(call_, std::move(wanted));
  if (ahead_ && Advance(*ahead_, 0)) FetchAhead(*ahead_);
  ahead_.reset();
  return call_++;
}

// ---- reading ahead

// Who was to come is here: half of what was fetched for him is left. Goes on behind that.
void ColdReads::ReadOn(const Segment& segment, uint64_t from) {
  windows_.At(segment.data() + from).leads_on = false;
  Position position{&segment, from};
  if (Advance(position, options_.ahead_bytes / 2)) FetchAhead(position);
}

// What is not there from `position` on: past the page cache, as far as that is worth it.
void ColdReads::FetchAhead(Position position) {
  for (uint64_t ahead = 0; ahead < options_.ahead_bytes;) {
    if (position.offset == 0) FetchIndexAhead(*position.segment);
    if (!BeginChunk(position)) return FetchPagesAhead(position);
    const uint64_t bytes = BytesInChunk(position);
    ahead += bytes;
    if (!Advance(position, bytes)) return;
  }
}

// From `position` to its chunk's end.
uint64_t ColdReads::BytesInChunk(Position position) {
  return std::min(Chunk::kBytes - position.offset % Chunk::kBytes, position.segment->end() - position.offset);
}

bool ColdReads::BeginChunk(Position position) {
  if (chunks_.Find(*position.segment, position.offset) != nullptr) return true;
  auto chunk = chunks_.Begin(*position.segment, position.offset);
  if (chunk == nullptr) return false;
  fetcher_->FetchAhead(std::move(chunk));
  return true;
}

void ColdReads::FetchIndexAhead(const Segment& segment) {
  if (segment.has_index())
    fetcher_->FetchAhead(PageRange{segment.shared_index(), segment.index_runs().bytes()});
}

void ColdReads::FetchPagesAhead(Position from) {
  Position position = from;
  bool asked = false;
  for (uint64_t left = options_.ahead_bytes;;) {
    const uint64_t bytes = std::min(left, position.segment->end() - position.offset);
    asked |= AskAhead(position, bytes);
    left -= bytes;
    if (left == 0 || !Advance(position, bytes)) break;
    FetchIndexAhead(*position.segment);
  }
  if (!asked || !Advance(from, options_.ahead_bytes / 2)) return;
  windows_.At(from.segment->data() + from.offset / kWindowBytes * kWindowBytes).leads_on = true;
}

// Has `bytes` of one segment fetched, less what was asked for just now: a reader who is as quick as the disk
// asks often. False where that is all.
bool ColdReads::AskAhead(Position position, uint64_t bytes) {
  const uint64_t end = position.offset + bytes;
  const char* data = position.segment->data();
  while (position.offset < end) {
    WindowTable::Row& row = windows_.At(data + position.offset / kWindowBytes * kWindowBytes);
    if (row.asked_until_ms <= now_ms_) break;
    position.offset = std::min(end, (position.offset / kWindowBytes + 1) * kWindowBytes);
  }
  if (position.offset == end) return false;
  fetcher_->FetchAhead(
      PageRange{position.segment->memory(), {data + position.offset, end - position.offset}});
  for (uint64_t at = position.offset / kWindowBytes * kWindowBytes; at < end; at += kWindowBytes) {
    windows_.At(data + at).asked_until_ms = now_ms_ + kTrustMs;
  }
  return true;
}

// Goes on by so many bytes, into the segments that follow. False at the end of what is mapped.
bool ColdReads::Advance(Position& position, uint64_t bytes) const {
  while (bytes >= position.segment->end() - position.offset) {
    bytes -= position.segment->end() - position.offset;
    const Segment* next = log_.After(*position.segment);
    if (next == nullptr || !next->mapped()) return false;
    position = {next, 0};
  }
  position.offset += bytes;
  return true;
}

// ---- the worker

void ColdReads::Cancel(uint64_t ticket) {
  if (fetcher_) fetcher_->Cancel(ticket);
}

void ColdReads::set_notify(std::function<void()> notify) {
  if (fetcher_) fetcher_->set_notify(std::move(notify));
}

void ColdReads::Stop() {
  if (fetcher_) fetcher_->Stop();
}

ColdReadStatus ColdReads::status() const {
  return {.waited = waited_,
          .in_place = read_in_place_,
          .bytes = fetcher_ ? fetcher_->bytes() : 0,
          .buffer_bytes = chunks_.memory_bytes(),
          .distrusted = distrusted_};
}

}  // namespace sluice::storage
