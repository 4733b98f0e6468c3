// Writes at once, in the caller.
#pragma once

#include "storage/write_path.h"

namespace sluice::storage {

class InlineWritePath : public WritePath {
 public:
  std::optional<Outcome> Start(const BlockWrite& write, uint64_t) override {
    return write.file->WriteBlocks(write.offset, write.blocks, write.last, write.durable);
  }
  std::optional<Outcome> Take(uint64_t) override { return std::nullopt; }
  int completion_fd() const override { return -1; }
  std::string_view name() const override { return "inline"; }
};

}  // namespace sluice::storage
