// How a batch's blocks reach the file: one write at a time, begun by the thread that owns the log.
//
// Three ways: io_uring, a thread, or at once in the caller. All write the same bytes to the same place; they
// differ in who waits.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "storage/file_system.h"

namespace sluice::storage {

// Whole blocks to write. The memory stays as it is, and the file open, until the outcome has been taken.
struct BlockWrite {
  File* file = nullptr;
  uint64_t offset = 0;
  std::span<const char> blocks;  // straight from the segment
  std::span<const char> last;    // right behind them: a copy of the block that is still being filled
  bool durable = false;          // on stable storage before the outcome is there
};

class WritePath {
 public:
  using Outcome = Result<void>;  // kIo or kFull: the write or its sync failed, for good
  static constexpr uint64_t kForever = UINT64_MAX;

  virtual ~WritePath() = default;  // waits for a write under way

  // Begins `write` and waits up to `wait_us` for its outcome. No other write is under way.
  virtual std::optional<Outcome> Start(const BlockWrite& write, uint64_t wait_us) = 0;
  // The outcome of the write under way, if it is there (or, with kForever, once it is).
  virtual std::optional<Outcome> Take(uint64_t wait_us) = 0;
  // Readable when an outcome came that nobody was waiting for; -1 where Start() always brings it.
  virtual int completion_fd() const = 0;
  virtual std::string_view name() const = 0;
};

}  // namespace sluice::storage
