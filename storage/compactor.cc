#include "storage/compactor.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "storage/background_thread.h"
#include "storage/checkpoint_reader.h"
#include "storage/format.h"
#include "storage/store_file.h"

namespace sluice::storage {

Compactor::Compactor(FileSystem& files, std::string directory, const CompactionOptions& options,
                     ReadLiveness read, IndexVisitor visit, Log& log)
    : files_(files),
      directory_(std::move(directory)),
      options_(options),
      read_(std::move(read)),
      visit_(visit),
      log_(log) {
  if (options_.background) thread_ = StartBackground("compaction", [this] { Run(); });
}

Compactor::~Compactor() {
  GiveUp();
}

void Compactor::Request(const MadeCheckpoint& checkpoint) {
  wanted_ = true;
  if (!made_.empty() && made_.back().sequence == checkpoint.sequence) return;
  made_.push_back(checkpoint);
  if (made_.size() > kKeptCheckpoints) made_.pop_front();
}

void Compactor::set_dead_percent(uint32_t percent) {
  if (percent != options_.dead_percent) seen_ = pass_end_ = {};
  options_.dead_percent = percent;
}

void Compactor::GiveUp() {
  wanted_ = false;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Compactor::RunSlice() {
  Outcome outcome;
  {
    const std::lock_guard lock(mutex_);
    if (has_outcome_) outcome = std::exchange(outcome_, {});
    has_outcome_ = false;
  }
  if (ending_) return false;
  TakeIn(std::move(outcome));
  return !status_.under_way && wanted_ && Begin();
}

// True where there is an outcome at once.
bool Compactor::Begin() {
  wanted_ = false;
  if (options_.dead_percent == 0 || made_.size() < 2) return false;
  const MadeCheckpoint& checkpoint = made_.front();
  auto pass = std::make_unique<Pass>();
  pass->checkpoint = checkpoint.sequence;
  pass->dead_percent = options_.dead_percent;
  pass->segments = log_.SealedSegments(checkpoint.lsn);
  // The one that held the checkpoint's tail is read record by record when that checkpoint is opened.
  while (!pass->segments.empty() && pass->segments.back().identity.sequence >= checkpoint.segment) {
    pass->segments.pop_back();
  }
  if (pass->segments.empty()) return false;
  // What died before the first segment that the last pass did not look at, that pass has seen.
  if (checkpoint.last_death < seen_) pass->same_below = seen_;
  // Where one is left out, its index not made yet, nobody can say later what had died in it before.
  const SealedSegment& last = pass->segments.back();
  const bool whole = last.identity.sequence - log_.first_segment() + 1 == pass->segments.size();
  pass_end_ = whole ? last.end_lsn() : Lsn{};
  pass_failed_ = false;
  status_.under_way = true;
  if (!options_.background) {
    Work(*pass);
    return true;
  }
  {
    const std::lock_guard lock(mutex_);
    next_ = std::move(pass);
  }
  changed_.notify_all();
  return false;
}

void Compactor::TakeIn(Outcome outcome) {
  for (RewrittenSegment& rewritten : outcome.rewritten) {
    ++status_.segments_rewritten;
    LetGo(log_.Replace(std::move(rewritten)));
  }
  if (outcome.first != 0) LetGo(log_.ForgetBefore(outcome.first));
  status_.segments_removed += outcome.removed;
  status_.bytes_freed += outcome.bytes_freed;
  status_.errors += outcome.errors.size();
  pass_failed_ |= !outcome.errors.empty();
  if (!outcome.errors.empty()) status_.last_error = std::move(outcome.errors.back());
  if (!outcome.over) return;
  ++status_.passes;
  status_.under_way = false;
  seen_ = pass_failed_ ? Lsn{} : pass_end_;
}

void Compactor::LetGo(Remains remains) {
  if (!options_.background) return;
  {
    const std::lock_guard lock(mutex_);
    std::move(remains.begin(), remains.end(), std::back_inserter(remains_));
  }
  changed_.notify_all();
}

// ---- the worker

void Compactor::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ending_ || next_ != nullptr || !remains_.empty(); });
    if (ending_) return;
    std::unique_ptr<Pass> pass = std::move(next_);
    lock.unlock();
    DropRemains();
    if (pass != nullptr) Work(*pass);
    pass.reset();  // not under the lock: it may be the last that maps an index
    lock.lock();
  }
}

void Compactor::DropRemains() {
  Remains remains;  // ends behind the lock
  const std::lock_guard lock(mutex_);
  remains.swap(remains_);
}

void Compactor::Work(const Pass& pass) {
  Rewrite(pass);
  RemoveFront(pass);
  Report([](Outcome& outcome) { outcome.over = true; });
}

void Compactor::Report(const std::function<void(Outcome&)>& add) {
  {
    const std::lock_guard lock(mutex_);
    add(outcome_);
    has_outcome_ = true;
  }
  if (options_.background && notify_) notify_();
}

bool Compactor::IsWorthwhile(const Pass& pass, const SealedSegment& segment, uint64_t live_bytes) {
  const uint64_t all = segment.identity.end - kSegmentHeaderBytes;
  const bool empty = segment.compacted() && segment.index->runs().empty();
  return !empty && all != 0 && (all - std::min(all, live_bytes)) * 100 >= all * pass.dead_percent;
}

// Of a segment that no pass has looked at all messages are alive then.
bool Compactor::FindsNothing(const Pass& pass) {
  if (pass.same_below == Lsn{}) return false;
  return std::none_of(pass.segments.begin(), pass.segments.end(), [&pass](const SealedSegment& segment) {
    if (segment.end_lsn() <= pass.same_below) return false;
    uint64_t messages = 0;
    for (const IndexRun& run : segment.index->runs()) messages += run.bytes;
    return IsWorthwhile(pass, segment, messages);
  });
}

void Compactor::Rewrite(const Pass& pass) {
  if (FindsNothing(pass)) return;
  const auto fail = [this](const Error& error) {
    Report([&](Outcome& outcome) { outcome.errors.push_back(error.message); });
  };
  auto checkpoint =
      CheckpointReader::Open(files_, directory_, pass.checkpoint, log_.log_id(), log_.direct_io());
  if (!checkpoint) return fail(checkpoint.error());
  auto liveness = read_(*checkpoint);
  if (!liveness) return fail(liveness.error());
  const Judge judge = [&](Lsn lsn, std::string_view body, std::string* replacement) {
    return (*liveness)->Decide(lsn, body, replacement);
  };
  for (const SealedSegment& segment : pass.segments) {
    DropRemains();
    const auto live = (*liveness)->LiveBytes(segment);
    if (!IsWorthwhile(pass, segment, live.value_or(0))) continue;
    auto rewritten = RewriteSegment(files_, segment, visit_, live ? judge : Judge(),
                                    [this](uint64_t bytes) { return Pace(bytes); });
    if (!rewritten) {
      fail(rewritten.error());
      const std::lock_guard lock(mutex_);
      if (ending_) return;
      continue;
    }
    Report([&](Outcome& outcome) {
      outcome.bytes_freed +=
          rewritten->bytes_before - std::min(rewritten->bytes_before, rewritten->bytes_after);
      outcome.rewritten.push_back(std::move(*rewritten));
    });
  }
}

// Segments in which nothing lives go, from the log's beginning up to the first in which something does: first
// the STORE file says where the log begins, then the files are removed.
void Compactor::RemoveFront(const Pass& pass) {
  const auto fail = [this](const Error& error) {
    Report([&](Outcome& outcome) { outcome.errors.push_back(error.message); });
  };
  StoreFile store(files_, directory_);
  if (auto opened = store.Open(0); !opened) return fail(opened.error());
  StoreHeader header = store.header();
  const uint64_t first = header.first_sequence;
  std::vector<std::string> dead;
  for (const SealedSegment& segment : pass.segments) {
    if (segment.identity.sequence != header.first_sequence || !segment.compacted() ||
        !segment.index->runs().empty()) {
      break;
    }
    header.first_sequence += 1;
    header.first_lsn = segment.end_lsn();
    dead.push_back(segment.path);
    dead.push_back(directory_ + "/" + SidecarName(segment.identity.sequence));
  }
  if (dead.empty()) return;
  if (auto written = store.Write(header); !written) return fail(written.error());
  for (const std::string& path : dead)
    (void)files_.Remove(path);  // what stays is removed at the next opening
  (void)files_.SyncDirectory(directory_);
  Report([&](Outcome& outcome) {
    outcome.first = header.first_sequence;
    outcome.removed += header.first_sequence - first;
  });
}

// Sleeps as the pace asks, once for many small batches; false where the work is to end.
bool Compactor::Pace(uint64_t bytes) {
  constexpr uint64_t kPaidAtOnce = 256 << 10;
  std::unique_lock lock(mutex_);
  if (!options_.background || options_.bytes_per_second == 0) return !ending_;
  owed_ += bytes;
  if (owed_ < kPaidAtOnce) return !ending_;
  const auto pause =
      std::chrono::microseconds(std::exchange(owed_, 0) * 1'000'000 / options_.bytes_per_second);
  return !changed_.wait_for(lock, pause, [this] { return ending_; });
}

}  // namespace sluice::storage
