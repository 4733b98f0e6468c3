// A connection's replies, held back until what they show is committed.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/lsn.h"

namespace sluice::commands {

// Bytes that leave together, perhaps shared with other connections' outputs. They never change.
using SharedBytes = std::shared_ptr<const std::string>;

// Bytes leave in order. Those that show state carry the LSN that must be committed first; the others wait
// only for the bytes before them.
//
// Within a tick replies are appended to bytes(); ShowState() is called before each one that shows state.
// EndTick() gives what was appended since the last tick its stamp. So one connection has a mark a tick, not
// one a reply.
//
// A message that many connections are sent (pub/sub) is appended by Share(): where it is large they hold one
// copy of it together, however many they are. What is there then stands in pieces, and bytes() is the last of
// them; front() is the first, and what leaves next. Mostly there is one piece only, and the two are the same.
class Output {
 public:
  // Where replies are appended.
  std::string& bytes() { return last_; }
  const std::string& bytes() const { return last_; }
  bool empty() const { return last_.empty() && pieces_.empty(); }
  size_t size() const { return before_last_ + last_.size(); }
  // Pieces, as CLIENT LIST counts them.
  size_t pieces() const { return pieces_.size(); }

  // Appends a whole message, never in the middle of a reply.
  void Share(const SharedBytes& message) {
    if (message->size() < kSharedBytes) {
      last_ += *message;
      return;
    }
    if (!last_.empty()) {
      before_last_ += last_.size();
      pieces_.push_back(std::make_shared<const std::string>(std::move(last_)));
      last_.clear();
    }
    before_last_ += message->size();
    pieces_.push_back(message);
  }

  // What is appended from here on shows state.
  void ShowState() {
    if (state_) return;
    state_ = true;
    if (size() > marked()) marks_.push_back({size(), last_lsn_});
  }

  // Stamps what was appended in this tick. `tail` is the log's tail now, at or above every earlier one.
  void EndTick(storage::Lsn tail) {
    if (state_) last_lsn_ = tail;
    if (size() > marked()) marks_.push_back({size(), last_lsn_});
    state_ = false;
  }

  // What leaves next: the first piece, and how many of its bytes may leave once everything below `committed`
  // is.
  std::string_view front() const {
    if (pieces_.empty()) return last_;
    return std::string_view(*pieces_.front()).substr(gone_);
  }
  size_t Releasable(storage::Lsn committed) const {
    size_t end = 0;
    for (const Mark& mark : marks_) {
      if (mark.lsn > committed) break;
      end = mark.end;
    }
    return end < front().size() ? end : front().size();
  }

  // Forgets the first `count` bytes: they were handed to the network. `count` <= Releasable().
  void Consume(size_t count) {
    if (pieces_.empty()) {
      last_.erase(0, count);
    } else {
      gone_ += count;
      before_last_ -= count;
      if (gone_ == pieces_.front()->size()) DropPiece();
    }
    Unmark(count);
  }

  // Consumes the first `count` bytes and gives them to the caller, who needs them for longer: bytes
  // [*from, *from + count) of the result. Without a copy where they are the end of a piece.
  SharedBytes Take(size_t count, size_t* from) {
    SharedBytes taken;
    *from = 0;
    if (!pieces_.empty()) {
      taken = pieces_.front();
      *from = gone_;
    } else if (count == last_.size()) {
      taken = std::make_shared<const std::string>(std::move(last_));
      last_.clear();
      Unmark(count);
      return taken;
    } else {
      taken = std::make_shared<const std::string>(last_, 0, count);
    }
    Consume(count);
    return taken;
  }

 private:
  // Below it a copy costs less than counting who holds the message.
  static constexpr size_t kSharedBytes = 4096;

  struct Mark {
    size_t end;        // of the bytes that it covers
    storage::Lsn lsn;  // what must be committed before they leave
  };
  size_t marked() const { return marks_.empty() ? 0 : marks_.back().end; }

  void DropPiece() {
    pieces_.pop_front();
    gone_ = 0;
  }
  void Unmark(size_t count) {
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

  std::list<SharedBytes> pieces_;  // before last_
  size_t gone_ = 0;                // of the first piece
  size_t before_last_ = 0;         // bytes in pieces_, without those gone
  std::string last_;
  std::vector<Mark> marks_;  // ascending in both members
  storage::Lsn last_lsn_{};
  bool state_ = false;  // this tick's bytes show state
};

}  // namespace sluice::commands
