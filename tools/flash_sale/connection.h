// hiredis with an owner.
#pragma once

#include <hiredis/hiredis.h>

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace sluice::flash_sale {

// A run that cannot come to its end: no server, no access, an answer that nobody expects. Thrown through
// every floor; main says it and exits with kTrouble.
struct Trouble : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

// What a reply of a server of ours holds. Each throws Trouble where it holds something else.
int64_t IntegerOf(const redisReply& reply);
std::string_view TextOf(const redisReply& reply);
const redisReply& ElementOf(const redisReply& reply, size_t i);
// The value behind `name` in a map, which RESP2 tells as an array; nullptr: there is none.
const redisReply* FieldOf(const redisReply& map, std::string_view name);

struct Address {
  std::string host;
  uint16_t port;
  std::string user;
  std::string password;
  uint64_t patience_s;  // how long an answer may take

  std::string text() const { return host + ":" + std::to_string(port); }
};

using Words = std::initializer_list<std::string_view>;

// A connection that is logged in. Once something failed it is gone for good: every later call fails too.
class Connection {
 public:
  // Null where no server answers there now; `why` tells. Throws where the server refuses us.
  static std::unique_ptr<Connection> Open(const Address& address, std::string& why);
  // The same, again and again until `patience_s` are over (it throws then) or `give_up` (null).
  static std::unique_ptr<Connection> Await(const Address& address, const std::atomic<bool>& give_up);

  int fd() const { return context_->fd; }

  // Queues a request.
  void Append(std::span<const std::string_view> words);
  void Append(Words words) { Append(std::span(words.begin(), words.size())); }
  // Hands what is queued to the kernel. False: the connection is gone.
  [[nodiscard]] bool Flush();
  // Reads what there is, and waits where there is nothing. False: the connection is gone.
  [[nodiscard]] bool ReadSome();
  // The next reply of those that were read; null: none is whole yet, or the connection is gone.
  Reply TryReceive();

  // The next reply, waited for. Null: the connection is gone, or the server is not ready yet. Throws where it
  // is an error reply.
  Reply Receive();
  Reply Ask(std::span<const std::string_view> words);
  // The same, with an error reply as an answer among others.
  Reply AskAnything(Words words);
  Reply Ask(Words words) { return Ask(std::span(words.begin(), words.size())); }

 private:
  struct FreeContext {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  explicit Connection(redisContext* context) : context_(context) {}
  bool Failed();

  std::unique_ptr<redisContext, FreeContext> context_;
  bool broken_ = false;
};

// Throws where `reply` is an error that no retry mends; true where it is one that does (the server is
// loading).
bool IsNotReady(const redisReply& reply);

}  // namespace sluice::flash_sale
