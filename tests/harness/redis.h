// hiredis with owners: a client as most programs have one. Speaks RESP2.
#pragma once

#include <hiredis/hiredis.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/harness/deadline.h"

namespace sluice::tests {

struct FreeRedisReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using RedisReply = std::unique_ptr<redisReply, FreeRedisReply>;

inline std::string_view TextOf(const redisReply& reply) { return {reply.str, static_cast<size_t>(reply.len)}; }
inline const redisReply& ElementOf(const redisReply& reply, size_t i) {
  if (i >= reply.elements) throw std::runtime_error("a reply has fewer elements than it should");
  return *reply.element[i];
}

class RedisClient {
 public:
  // Throws std::runtime_error where nobody listens.
  explicit RedisClient(uint16_t port);

  // Queues a request; Receive() sends what is queued and gives the replies in order. Null: the connection ended.
  void Append(const std::vector<std::string>& words);
  RedisReply Receive();

  // One request and its reply. Throws where the connection ended, and where the reply is an error.
  RedisReply Do(const std::vector<std::string>& words);

 private:
  struct FreeContext {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  std::unique_ptr<redisContext, FreeContext> context_;
};

}  // namespace sluice::tests
