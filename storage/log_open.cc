// Opening a log: its lock, its STORE file, what its segments hold, and then a life of its own.
#include <array>
#include <random>
#include <utility>

#include "storage/buffer.h"
#include "storage/buffer_pool.h"
#include "storage/committer.h"
#include "storage/format.h"
#include "storage/inline_write_path.h"
#include "storage/log.h"
#include "storage/recovery.h"
#include "storage/segment_writer.h"
#include "storage/sidecar_maker.h"
#include "storage/spare_files.h"
#include "storage/store_file.h"
#include "storage/tail_cache.h"
#include "storage/thread_write_path.h"
#include "storage/uring_write_path.h"

namespace sluice::storage {
namespace {

constexpr uint64_t kSmallestSegment = 64 << 10;
constexpr uint64_t kLargestSegment = 1 << 30;

Result<void> CheckOptions(const LogOptions& options) {
  const uint64_t bytes = options.segment_bytes;
  if (bytes % kBlockBytes != 0 || bytes < kSmallestSegment || bytes > kLargestSegment) {
    return tl::make_unexpected(
        Error{Error::Code::kInvalid, "segments of " + std::to_string(bytes) +
                                         " bytes: they must have a multiple of 4096 between "
                                         "64 KiB and 1 GiB"});
  }
  return {};
}

uint64_t RandomId() {
  std::random_device random;
  return uint64_t{random()} << 32 | random();
}

// Removes the segments that the log has left behind, and what a compaction did not finish.
Result<void> RemoveDeadSegments(FileSystem& files, const std::string& directory, uint64_t first) {
  auto names = files.List(directory);
  if (!names) return tl::make_unexpected(names.error());
  for (const std::string& name : *names) {
    const bool unfinished = name.ends_with(".new") && SegmentSequence(name.substr(0, name.size() - 4));
    const auto sequence = SegmentSequence(name);
    if (!unfinished && (!sequence || *sequence >= first)) continue;
    if (auto removed = files.Remove(directory + "/" + name); !removed) return removed;
  }
  return {};
}

// The way that `wanted` names; the best that there is, for kAuto.
Result<std::unique_ptr<WritePath>> ChoosePath(CommitPath wanted, const File& file) {
  const bool in_kernel = file.fd() >= 0;
  if (wanted == CommitPath::kInline || (wanted == CommitPath::kAuto && !in_kernel)) {
    return std::make_unique<InlineWritePath>();
  }
  if (wanted == CommitPath::kUring && !in_kernel) {
    return tl::make_unexpected(Error{Error::Code::kInvalid, "io_uring needs files of the kernel's"});
  }
  if (wanted != CommitPath::kThread) {
    auto ring = UringWritePath::Create();
    if (ring) return std::move(*ring);
    if (wanted == CommitPath::kUring) return tl::make_unexpected(ring.error());
  }
  return std::make_unique<ThreadWritePath>();
}

}  // namespace

Result<std::unique_ptr<Log>> Log::Open(FileSystem& files, const LogOptions& options, const Replay& replay,
                                       RecoveryReport* report) {
  return Open(files, options, Start{.replay_from = {}, .replay = replay, .attach = {}, .index = {}}, report);
}

Result<std::unique_ptr<Log>> Log::Open(FileSystem& files, const LogOptions& options, const Start& start,
                                       RecoveryReport* report) {
  const auto fail = [](Error& error) { return tl::make_unexpected(std::move(error)); };
  if (auto sound = CheckOptions(options); !sound) return fail(sound.error());
  if (auto made = files.CreateDirectory(options.directory); !made) return fail(made.error());
  auto lock = files.Lock(options.directory + "/LOCK");
  if (!lock) return fail(lock.error());

  StoreFile store(files, options.directory);
  const uint64_t new_log_id = options.new_log_id != 0 ? options.new_log_id : RandomId();
  if (auto opened = store.Open(new_log_id); !opened) return fail(opened.error());

  std::unique_ptr<Log> log(new Log(files, options));
  log->lock_ = std::move(*lock);
  log->log_id_ = store.header().log_id;
  log->incarnation_ = store.header().incarnation + 1;
  if (store.header().incarnation == 0) {
    // Nothing was ever recorded, although an attempt to create the store may have come some way.
    if (auto created = log->CreateFirstSegment(store.header()); !created) return fail(created.error());
  }

  *report = {};
  // Besides the active one and the cache, one waits for its turn.
  log->buffers_ = std::make_unique<BufferPool>(options.segment_bytes,
                                               2 + options.tail_cache_bytes / options.segment_bytes);
  log->tail_cache_ = std::make_unique<TailCache>(options.tail_cache_bytes);
  if (options.index != nullptr) {
    log->sidecars_ = std::make_unique<SidecarMaker>(files, options.directory, options.index);
  }
  Recovery recovery(files, options.directory, store.header(), *log->buffers_, log->sidecars_.get());
  if (auto read = recovery.Read(start, report); !read) return fail(read.error());
  if (auto hardened = recovery.Harden(); !hardened) return fail(hardened.error());
  // The STORE file's sync of the directory makes this durable too.
  auto cleaned = RemoveDeadSegments(files, options.directory, recovery.first_sequence());
  if (!cleaned) return fail(cleaned.error());
  auto removed = RemoveStraySidecars(files, options.directory, recovery.first_sequence(),
                                     recovery.first_sequence() + recovery.size() - 1);
  if (!removed) return fail(removed.error());
  StoreHeader header = store.header();
  header.incarnation = log->incarnation_;
  header.durable = recovery.end();
  if (auto written = store.Write(header); !written) return fail(written.error());
  report->incarnation = header.incarnation;
  if (auto started = log->GoOn(recovery); !started) return fail(started.error());
  return log;
}

// Durable before the STORE file first says that there is a log: from then on a log without it is a damaged
// one.
Result<void> Log::CreateFirstSegment(const StoreHeader& store) {
  auto memory = AllocateBuffer(kSegmentHeaderBytes);
  if (!memory) return tl::make_unexpected(memory.error());
  const std::span<char, kSegmentHeaderBytes> block(memory->get(), kSegmentHeaderBytes);
  Encode(SegmentHeader{.log_id = store.log_id,
                       .sequence = store.first_sequence,
                       .base = store.first_lsn,
                       .incarnation = store.incarnation,
                       .capacity = options_.segment_bytes},
         block);
  auto file = files_.Open(options_.directory + "/" + SegmentName(store.first_sequence), {.create = true});
  if (!file) return tl::make_unexpected(file.error());
  return (*file)
      ->Allocate(options_.segment_bytes)
      .and_then([&] { return (*file)->WriteAt(0, block); })
      .and_then([&] { return (*file)->Sync(); })
      .and_then([&] { return files_.SyncDirectory(options_.directory); });
}

// Takes over what recovery found, and goes on behind it.
Result<void> Log::GoOn(Recovery& recovery) {
  segments_ = recovery.TakeSegments();
  Segment* active = segments_.back().get();
  active->BeginStretch({Value(recovery.end()), incarnation_, recovery.active_offset()});
  active_incarnation_ = recovery.IdentityOf(segments_.size() - 1).incarnation;
  direct_ = options_.direct_io;
  auto file = OpenSegmentFile(active->sequence(), false);
  if (!file && file.error().code == Error::Code::kInvalid && direct_) {
    direct_ = false;
    file = OpenSegmentFile(active->sequence(), false);
  }
  if (!file) return tl::make_unexpected(file.error());
  auto path = ChoosePath(options_.commit_path, **file);
  if (!path) return tl::make_unexpected(path.error());
  const bool background = (*path)->completion_fd() >= 0;
  auto committer = Committer::Create(
      std::move(*path), {.log_id = log_id_, .incarnation = incarnation_, .epoch = options_.epoch},
      options_.durability, options_.commit_wait_us, recovery.end());
  if (!committer) return tl::make_unexpected(committer.error());
  committer_ = std::move(*committer);

  writer_ = std::make_unique<SegmentWriter>(Checksum(log_id_, incarnation_));
  writer_->Continue({.segment = active,
                     .file = std::move(*file),
                     .memory = recovery.active_memory(),
                     .capacity = recovery.active_capacity(),
                     .offset = recovery.active_offset()});
  idle_tail_ = tail();
  if (background && sidecars_) sidecars_->WorkInBackground();
  for (size_t i = 0; i + 1 < segments_.size(); ++i) {
    if (!segments_[i]->has_index()) MakeSidecar(*segments_[i], recovery.IdentityOf(i), true);
  }
  reserve_bytes_ = recovery.active_capacity() / kReserveShare;
  if (background && options_.spare_segments > 0 && options_.zeroing_bytes_per_second > 0) {
    spares_ = std::make_unique<SpareFiles>(
        files_, *buffers_,
        SpareFiles::Options{.directory = options_.directory,
                            .segment_bytes = options_.segment_bytes,
                            .count = options_.spare_segments,
                            .zeroing_bytes_per_second = options_.zeroing_bytes_per_second,
                            .max_disk_bytes = options_.max_disk_bytes,
                            .direct = direct_},
        active->sequence() + 1);
  }
  return {};
}

}  // namespace sluice::storage
