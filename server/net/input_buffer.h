// Bytes that a connection received and could not use yet: half a request, or requests whose turn has not
// come.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>

namespace sluice::net {

// Owns no memory while it is empty. Capacity follows what was received, never what a peer announced: at most
// twice the bytes held, or kSmallRoom more. Memory that cannot be had is reported, not thrown: the
// callers stand inside C callbacks.
class InputBuffer {
 public:
  static constexpr size_t kSmallRoom = 16 * 1024;

  // The bytes held; valid until the next call that is not const.
  std::string_view bytes() const { return {data_.get() + begin_, end_ - begin_}; }
  size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  size_t capacity() const { return capacity_; }

  // Adds a copy of `bytes` behind what is held. False: no memory; nothing has changed.
  [[nodiscard]] bool Append(std::string_view bytes);

  // Room to receive into, behind what is held. `whole_bytes`: how many bytes the request will have at least,
  // 0 where that is not known. Empty: no memory.
  std::span<char> Room(size_t whole_bytes);
  // `count` bytes were received into Room().
  void Received(size_t count) { end_ += count; }

  // Forgets the first `count` bytes. Moves nothing; gives the memory back once all is consumed.
  void Consume(size_t count);

 private:
  struct Free {
    void operator()(char* data) const { std::free(data); }
  };
  // Makes the capacity behind the first byte held at least `bytes`.
  bool Reserve(size_t bytes);

  std::unique_ptr<char, Free> data_;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t capacity_ = 0;
};

}  // namespace sluice::net
