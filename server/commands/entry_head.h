// What stands before an entry's fields in a reply.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "protocol/wire.h"
#include "server/engine/decimal.h"
#include "server/engine/stream_id.h"

namespace sluice::commands {

// Entries that come together have IDs that differ in their last digit: then so do their heads, and one is
// made of the other.
class EntryHead {
 public:
  // "*2\r\n$<bytes>\r\n<ms>-<seq>\r\n*<2 x pairs>\r\n"; valid until the next call.
  protocol::AlteredBytes Of(engine::StreamId id, uint32_t pairs) {
    Go(id, pairs);
    return {{text_, bytes_}, last_digit_, digit_};
  }
  // The ID alone, as a bulk string; likewise.
  protocol::AlteredBytes Bulk(engine::StreamId id) {
    Go(id, 0);
    return {{text_ + kArray.size(), bytes_ - kArray.size()}, last_digit_ - kArray.size(), digit_};
  }

 private:
  static constexpr std::string_view kArray = "*2\r\n";

  void Go(engine::StreamId id, uint32_t pairs) {
    if (pairs == pairs_ && id == id_) return;
    const bool steps = pairs == pairs_ && id.ms == id_.ms && id.seq == id_.seq + 1;
    if (steps && digit_ != '9') {
      id_.seq = id.seq;
      ++digit_;
    } else {
      Compose(id, pairs);
    }
  }

  void Compose(engine::StreamId id, uint32_t pairs) {
    if (id.ms != id_.ms || ms_bytes_ == 0) {
      char* end = engine::WriteDecimal(ms_, id.ms);
      *end++ = '-';
      ms_bytes_ = static_cast<size_t>(end - ms_);
    }
    char seq[engine::kDecimalRoom];
    const auto seq_bytes = static_cast<size_t>(engine::WriteDecimal(seq, id.seq) - seq);
    char* end = protocol::WriteLine(text_ + kArray.size(), '$', ms_bytes_ + seq_bytes);
    std::memcpy(end, ms_, sizeof ms_);
    end += ms_bytes_;
    std::memcpy(end, seq, sizeof seq);
    end += seq_bytes;
    last_digit_ = static_cast<size_t>(end - 1 - text_);
    digit_ = text_[last_digit_];
    std::memcpy(end, "\r\n", 2);
    end += 2;
    if (pairs != 0) end = protocol::WriteLine(end, '*', size_t{pairs} * 2);
    bytes_ = static_cast<size_t>(end - text_);
    id_ = id;
    pairs_ = pairs;
  }

  // Of the last call; at first there was none.
  engine::StreamId id_{};
  uint32_t pairs_ = UINT32_MAX;
  size_t bytes_ = 0;
  size_t last_digit_ = 0;  // of the ID, in the text
  char digit_ = 0;         // what it is by now
  // As composed last.
  char text_[3 * protocol::kMaxLine + 2 * engine::kDecimalRoom] = {'*', '2', '\r', '\n'};
  // The ID's first half, "1700000000000-".
  size_t ms_bytes_ = 0;
  char ms_[engine::kDecimalRoom] = {};
};

}  // namespace sluice::commands
