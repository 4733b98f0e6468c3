// A connection's replies, held back until what they show is committed.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "storage/lsn.h"

namespace sluice::commands {

// Bytes leave in order. Those that show state carry the LSN that must be committed first; the others wait
// only for the bytes before them.
//
// Within a tick replies are appended to bytes(); ShowState() is called before each one that shows state.
// EndTick() gives what was appended since the last tick its stamp. So one connection has a mark a tick, not
// one a reply.
class Output {
 public:
  std::string& bytes() { return bytes_; }
  bool empty() const { return bytes_.empty(); }
  size_t size() const { return bytes_.size(); }

  // What is appended from here on shows state.
  void ShowState() {
    if (state_) return;
    state_ = true;
    if (bytes_.size() > marked()) marks_.push_back({bytes_.size(), last_lsn_});
  }

  // Stamps what was appended in this tick. `tail` is the log's tail now, at or above every earlier one.
  void EndTick(storage::Lsn tail) {
    if (state_) last_lsn_ = tail;
    if (bytes_.size() > marked()) marks_.push_back({bytes_.size(), last_lsn_});
    state_ = false;
  }

  // How many leading bytes may leave once everything below `committed` is.
  size_t Releasable(storage::Lsn committed) const {
    size_t end = 0;
    for (const Mark& mark : marks_) {
      if (mark.lsn > committed) break;
      end = mark.end;
    }
    return end;
  }

  // Forgets the first `count` bytes: they were handed to the network. `count` <= Releasable().
  void Consume(size_t count) {
    bytes_.erase(0, count);
    size_t gone = 0;
    for (Mark& mark : marks_) {
      if (mark.end <= count) {
        ++gone;
      } else {
        mark.end -= count;
      }
    }
    marks_.erase(marks_.begin(), marks_.begin() + static_cast<ptrdiff_t>(gone));
  }

 private:
  struct Mark {
    size_t end;        // of the bytes that it covers
    storage::Lsn lsn;  // what must be committed before they leave
  };
  size_t marked() const { return marks_.empty() ? 0 : marks_.back().end; }

  std::string bytes_;
  std::vector<Mark> marks_;  // ascending in both members
  storage::Lsn last_lsn_{};
  bool state_ = false;  // this tick's bytes show state
};

}  // namespace sluice::commands
