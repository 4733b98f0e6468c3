// Writes one checkpoint's file behind the loop's back.
//
// The happy path: the loop hands over blocks as it makes them, a worker writes them to `checkpoint-N.new` at
// a bounded pace, syncing every few MiB so that no heap of dirty pages builds up for the commits beside it to
// wait behind. After Finish() the file is synced; once the caller knows that the log is durable up to the
// checkpoint's LSN it says GiveName(), and the file is renamed, its directory synced, and checkpoints but the
// last two removed.
//
// What can fail: any of these steps, a full disk first of all. Then there is no new checkpoint, the
// unfinished file is removed, and the ones before stay what they are: nothing is lost.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "storage/checkpoint_format.h"
#include "storage/file_system.h"
#include "storage/sequential_file.h"

namespace sluice::storage {

class CheckpointWriter {
 public:
  struct Options {
    std::string directory;
    uint64_t bytes_per_second = 0;  // 0: as fast as it goes
    bool direct_io = false;         // see SequentialFile
    bool background = true;         // false: every call does its work itself
    // Called by the worker when something has come to its end, or there is room again. May be empty.
    std::function<void()> notify;
  };
  enum class Step : uint8_t {
    kWriting,  // takes blocks
    kEnding,   // Finish() was called
    kWritten,  // durable, without a name
    kNaming,   // GiveName() was called
    kDone,
    kFailed,
  };

  CheckpointWriter(FileSystem& files, Options options, const CheckpointHeader& header);
  // Gives up what is not done: the unfinished file is removed at the next opening of the store.
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  // Whether the queue has room for more; Add() takes blocks all the same.
  bool HasRoom() const;
  // Not kEnd: Finish() writes that.
  void Add(std::string block, CheckpointBlock::Type type);
  // Waits until it has.
  void WaitForRoom();
  // No more blocks come; they held so many records.
  void Finish(uint64_t records);
  // After kWritten: the log is durable up to the header's LSN.
  void GiveName();
  // From now on at full speed.
  void Hurry();
  // Waits for the step that follows kEnding, or kNaming.
  void Wait();

  Step step() const;
  // After kFailed.
  Error error() const;
  const CheckpointHeader& header() const { return header_; }
  uint64_t file_bytes() const;  // written so far

 private:
  void Run();
  void DoAll(std::unique_lock<std::mutex>& lock);
  Result<void> Begin();
  Result<void> Write(const std::string& payload, CheckpointBlock::Type type);
  Result<void> WriteEnd(uint64_t records);
  Result<void> Name();
  Result<void> RemoveOlder();
  void Pace(std::unique_lock<std::mutex>& lock);
  void Enter(Step step);

  FileSystem& files_;
  const Options options_;
  const CheckpointHeader header_;

  // The worker's own.
  std::optional<SequentialWriter> file_;
  uint64_t synced_ = 0;
  CheckpointEnd end_;
  std::chrono::steady_clock::time_point began_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  struct Queued {
    std::string block;
    CheckpointBlock::Type type;
  };
  std::deque<Queued> queue_;
  uint64_t queued_bytes_ = 0;  // the block being written included
  bool full_ = false;
  std::optional<uint64_t> records_;
  uint64_t file_bytes_ = 0;
  uint64_t paced_ = 0;  // of them
  uint64_t bytes_per_second_;
  Step step_ = Step::kWriting;
  std::optional<Error> error_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace sluice::storage
