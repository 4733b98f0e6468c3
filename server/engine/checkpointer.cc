#include "server/engine/checkpointer.h"

#include <algorithm>
#include <utility>

namespace sluice::engine {

using storage::CheckpointWriter;
using Step = CheckpointWriter::Step;

Checkpointer::Checkpointer(storage::FileSystem& files, std::string directory,
                           const CheckpointOptions& options, const LoadedCheckpoint& loaded, Engine& engine,
                           storage::Log& log)
    : files_(files),
      directory_(std::move(directory)),
      options_(options),
      engine_(engine),
      log_(log),
      next_sequence_(loaded.next_sequence),
      // What the log holds behind the checkpoint may be no event, but the batch that closed it.
      shown_(loaded.replayed == 0 ? log.tail() : loaded.lsn),
      tried_(shown_) {
  status_.newest = {.sequence = loaded.sequence,
                    .lsn = loaded.lsn,
                    .segment = loaded.segment,
                    .last_death = loaded.lsn};  // what died before is not known
  status_.last_bytes = loaded.file_bytes;
  status_.last_unix_ms = loaded.unix_ms;
}

void Checkpointer::Request(CheckpointReason reason) {
  wanted_ = true;
  wanted_reason_ = reason;
  if (writer_ == nullptr) NoteWanted();
  status_.scheduled = writer_ != nullptr;
}

// Asked for counts as under way: it begins with the next slice.
void Checkpointer::NoteWanted() {
  status_.under_way = wanted_;
  status_.reason = wanted_reason_;
  status_.scheduled = false;
}

bool Checkpointer::IsDue() const {
  // A checkpoint larger than the log that it spares would be written for nothing.
  return options_.log_bytes != 0 && log_.tail() - tried_ >= std::max(options_.log_bytes, status_.last_bytes);
}

bool Checkpointer::RunSlice(uint64_t unix_ms) {
  if (writer_ == nullptr) {
    if (!wanted_ && !IsDue()) return false;
    Start(std::exchange(wanted_, false) ? wanted_reason_ : CheckpointReason::kSchedule, unix_ms);
  }
  if (engine_.dumping()) {
    if (!writer_->HasRoom()) return false;
    if (Dump()) return true;
  }
  // What it shows must not be gone after a power cut: the log would begin behind its own end.
  if (writer_->step() == Step::kWritten && log_.stable() >= writer_->header().lsn) writer_->GiveName();
  Settle(unix_ms);
  return writer_ == nullptr && wanted_;
}

void Checkpointer::Start(CheckpointReason reason, uint64_t unix_ms) {
  const storage::CheckpointHeader header{.log_id = log_.log_id(),
                                         .sequence = next_sequence_++,
                                         .incarnation = log_.incarnation(),
                                         .lsn = log_.tail(),
                                         .segment = log_.active_segment(),
                                         .unix_ms = unix_ms};
  writer_ = std::make_unique<CheckpointWriter>(
      files_,
      CheckpointWriter::Options{.directory = directory_,
                                .bytes_per_second = options_.bytes_per_second,
                                .direct_io = log_.direct_io(),
                                .background = options_.background,
                                .notify = notify_},
      header);
  tried_ = header.lsn;
  tried_events_ = engine_.events();
  tried_loss_ = std::max(status_.newest.last_death, engine_.last_loss());
  status_.under_way = true;
  status_.scheduled = false;
  status_.reason = reason;
  status_.began_unix_ms = unix_ms;
  engine_.BeginDump([this](std::string block, storage::CheckpointBlock::Type type) {
    if (writer_) writer_->Add(std::move(block), type);
  });
}

// A slice; false where it was the last.
bool Checkpointer::Dump() {
  if (engine_.ContinueDump(options_.slice_bytes)) return true;
  writer_->Finish(engine_.dumped_records());
  return false;
}

// Takes in the outcome, where there is one.
void Checkpointer::Settle(uint64_t unix_ms) {
  const Step step = writer_->step();
  if (step != Step::kDone && step != Step::kFailed) return;
  ++status_.finished;
  status_.last_took_ms = unix_ms - std::min(unix_ms, status_.began_unix_ms);
  status_.last_failed = step == Step::kFailed;
  if (status_.last_failed) {
    status_.last_error = writer_->error().message;
  } else {
    ++status_.made;
    if (status_.reason == CheckpointReason::kRewrite) ++status_.rewrites;
    status_.last_error.clear();
    const storage::CheckpointHeader& header = writer_->header();
    status_.newest = {
        .sequence = header.sequence, .lsn = header.lsn, .segment = header.segment, .last_death = tried_loss_};
    status_.last_unix_ms = unix_ms;
    shown_ = header.lsn;
    shown_events_ = tried_events_;
    status_.last_bytes = writer_->file_bytes();
  }
  writer_.reset();
  NoteWanted();
}

void Checkpointer::GiveUp() {
  wanted_ = false;
  if (writer_ == nullptr) return;
  writer_.reset();
  // Into nothing: its end gives back what was moved aside for it.
  while (engine_.ContinueDump(1 << 20)) {
  }
  NoteWanted();
}

void Checkpointer::BeforeClose(uint64_t unix_ms) {
  // It would be out of date before it is there.
  if (writer_ && writer_->header().lsn != log_.tail()) GiveUp();
  if (writer_ == nullptr) {
    if (shown_ == log_.tail()) return;
    Start(CheckpointReason::kSchedule, unix_ms);
  }
  writer_->Hurry();
  while (engine_.dumping()) {
    writer_->WaitForRoom();
    Dump();
  }
  writer_->Wait();
}

bool Checkpointer::AfterClose() {
  if (writer_ == nullptr) return true;
  if (writer_->step() == Step::kWritten) writer_->GiveName();
  writer_->Wait();
  Settle(status_.began_unix_ms);
  return !status_.last_failed;
}

}  // namespace sluice::engine
