// An order over cells: their numbers, sorted by what the cells hold.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "storage/check.h"

namespace sluice::engine {

// Handles (an enum of cell numbers) stand sorted in runs of up to 256, and the runs in a row. So where most
// come in order, as messages are delivered and acknowledged in, adding at the end is one store and taking the
// front one move within a run; elsewhere it is a binary search that looks at O(log n) cells. An element costs
// 4 bytes, and some more where many were taken from the middle.
//
// `Less` compares two handles, or a handle and a key, by what the cells hold, and may hold a pointer to them;
// no two elements are equal. What an element holds must not change in its order while it is in.
template <typename Handle, typename Less>
class HandleOrder {
  static_assert(sizeof(Handle) == 4);

 public:
  explicit HandleOrder(Less less) : less_(less) {}

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  // Of what is not empty.
  Handle front() const { return runs_[head_].first(); }
  Handle back() const { return runs_.back().last(); }

  // A place in the order, until its next change.
  class Iterator {
   public:
    Iterator() = default;  // of no order
    Handle operator*() const { return order_->runs_[run_].handles[at_]; }
    Iterator& operator++() {
      if (++at_ == order_->runs_[run_].size) ++run_, at_ = 0;
      return *this;
    }
    bool operator==(const Iterator& other) const { return run_ == other.run_ && at_ == other.at_; }

   private:
    friend class HandleOrder;
    Iterator(const HandleOrder* order, size_t run, uint32_t at) : order_(order), run_(run), at_(at) {}
    const HandleOrder* order_ = nullptr;
    size_t run_ = 0;
    uint32_t at_ = 0;
  };
  Iterator begin() const { return {this, head_, 0}; }
  Iterator end() const { return {this, runs_.size(), 0}; }
  // The first element that is not below `key`.
  template <typename Key>
  Iterator LowerBound(const Key& key) const {
    const size_t run = RunOf(key);
    if (run == runs_.size()) return end();
    return {this, run, LowerBoundIn(runs_[run], key)};
  }
  // The element equal to `key`; end() where there is none.
  template <typename Key>
  Iterator Find(const Key& key) const {
    const Iterator found = LowerBound(key);
    return found == end() || less_(key, *found) ? end() : found;
  }

  // Adds what belongs behind all others.
  void Append(Handle handle) {
    if (runs_.empty() || runs_.back().size == runs_.back().room) [[unlikely]]
      MakeRoom();
    Run& last = runs_.back();
    last.handles[last.size++] = handle;
    ++size_;
  }
  void Insert(Handle handle) {
    if (empty() || less_(back(), handle)) return Append(handle);
    size_t r = RunOf(handle);
    uint32_t at = LowerBoundIn(runs_[r], handle);
    if (runs_[r].size == kRun) {
      Split(r);
      if (at > kRun / 2) at -= kRun / 2, ++r;
    }
    runs_[r].Insert(at, handle);
    ++size_;
  }
  // Takes out an element that is there.
  void Erase(Handle handle) { EraseAt(LowerBound(handle), handle); }
  void EraseAt(Iterator it, Handle handle) {
    CHECK(it != end() && *it == handle);
    runs_[it.run_].Erase(it.at_);
    --size_;
    Tidy(it.run_);
  }

  size_t memory_bytes() const { return size_ * sizeof(Handle) + runs_.capacity() * sizeof(Run); }
  // Of an order that nobody needs any more: as FreeSome() of dropped.h.
  bool FreeSome(size_t& pieces) {
    for (; runs_.size() != head_ && pieces > 0; --pieces) {
      size_ -= runs_.back().size;
      runs_.pop_back();
    }
    return runs_.size() != head_;
  }

 private:
  static constexpr uint32_t kSmallRun = 4;
  static constexpr uint32_t kRun = 256;

  struct Run {
    explicit Run(uint32_t first_room)
        : room(first_room), handles(std::make_unique_for_overwrite<Handle[]>(first_room)) {}

    Handle first() const { return handles[0]; }
    Handle last() const { return handles[size - 1]; }

    void Insert(uint32_t at, Handle handle) {
      if (size == room) Grow();
      if (at != size) std::copy_backward(&handles[at], &handles[size], &handles[size + 1]);
      handles[at] = handle;
      ++size;
    }
    void Erase(uint32_t at) {
      std::copy(&handles[at + 1], &handles[size], &handles[at]);
      --size;
    }
    void Grow() {
      room = std::min(room * 2, kRun);
      auto grown = std::make_unique_for_overwrite<Handle[]>(room);
      std::copy_n(handles.get(), size, grown.get());
      handles = std::move(grown);
    }

    uint32_t size = 0;
    uint32_t room;
    std::unique_ptr<Handle[]> handles;
  };

  // The first run whose last element is not below `key`.
  template <typename Key>
  size_t RunOf(const Key& key) const {
    // What is acknowledged is as a rule what was delivered first.
    if (!empty() && !less_(runs_[head_].last(), key)) return head_;
    const auto run = std::partition_point(runs_.begin() + static_cast<std::ptrdiff_t>(head_), runs_.end(),
                                          [&](const Run& r) { return less_(r.last(), key); });
    return static_cast<size_t>(run - runs_.begin());
  }
  template <typename Key>
  uint32_t LowerBoundIn(const Run& run, const Key& key) const {
    const Handle* const first = run.handles.get();
    if (!less_(*first, key)) return 0;
    const Handle* const found =
        std::partition_point(first + 1, first + run.size, [&](Handle h) { return less_(h, key); });
    return static_cast<uint32_t>(found - first);
  }

  // For one more behind all others.
  void MakeRoom() {
    if (runs_.empty() || runs_.back().size == kRun) {
      runs_.emplace_back(runs_.empty() ? kSmallRun : kRun);
    } else {
      runs_.back().Grow();
    }
  }

  void Split(size_t r) {
    Run upper(kRun);
    std::copy(&runs_[r].handles[kRun / 2], &runs_[r].handles[kRun], upper.handles.get());
    upper.size = kRun / 2;
    runs_[r].size = kRun / 2;
    runs_.insert(runs_.begin() + static_cast<std::ptrdiff_t>(r) + 1, std::move(upper));
  }

  // After an element of the run is gone: an empty run goes, one that is nearly so joins its neighbour.
  void Tidy(size_t r) {
    if (runs_[r].size == 0) {
      Drop(r);
    } else if (runs_[r].size <= kRun / 4 && r + 1 < runs_.size() &&
               runs_[r].size + runs_[r + 1].size <= kRun / 2) {
      Join(r);
    } else if (runs_[r].size <= kRun / 4 && r > head_ && runs_[r].size + runs_[r - 1].size <= kRun / 2) {
      Join(r - 1);
    }
  }
  // Takes the run behind `r` into it.
  void Join(size_t r) {
    Run& into = runs_[r];
    for (uint32_t i = 0; i < runs_[r + 1].size; ++i) into.Insert(into.size, runs_[r + 1].handles[i]);
    Drop(r + 1);
  }
  // Runs at the front are left out together, once they are the larger part: each costs one move then.
  void Drop(size_t r) {
    if (r != head_) {
      runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(r));
      return;
    }
    runs_[head_++].handles.reset();
    if (head_ * 2 < runs_.size()) return;
    runs_.erase(runs_.begin(), runs_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
    if (runs_.empty()) runs_.shrink_to_fit();
  }

  Less less_;
  std::vector<Run> runs_;
  size_t head_ = 0;  // the first run; those before have been left
  size_t size_ = 0;
};

}  // namespace sluice::engine
