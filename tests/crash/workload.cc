#include "tests/crash/workload.h"

#include <stdexcept>

#include "tests/harness/redis.h"

namespace sluice::tests {
namespace {

// Many requests in flight: that is where a server that answers too early is found out.
constexpr uint64_t kPipeline = 32;

void RequireType(const redisReply& reply, int type) {
  if (reply.type == type) return;
  throw std::runtime_error("an unexpected reply of type " + std::to_string(reply.type) +
                           (reply.str != nullptr ? ": " + std::string(TextOf(reply)) : ""));
}

}  // namespace

EntryId ParseEntryId(const std::string& text) {
  const size_t dash = text.find('-');
  return {std::stoull(text.substr(0, dash)), std::stoull(text.substr(dash + 1))};
}

void Producer::Run(uint16_t port, std::atomic<uint64_t>& answers) {
  RedisClient client(port);
  const uint64_t first = lives.empty() ? 0 : lives.back().sent_end;
  lives.push_back({.first = first, .sent_end = first, .acked_end = first});
  Life& life = lives.back();
  for (;;) {
    for (uint64_t i = 0; i < kPipeline; ++i) {
      client.Append({"XADD", "events", "*", "producer", name, "seq", std::to_string(life.sent_end++)});
    }
    while (life.acked_end < life.sent_end) {
      const RedisReply reply = client.Receive();
      if (!reply) return;
      RequireType(*reply, REDIS_REPLY_STRING);
      ids.emplace(life.acked_end++, TextOf(*reply));
      ++answers;
    }
  }
}

void Consumer::Run(uint16_t port, std::atomic<uint64_t>& answers) {
  RedisClient client(port);
  uint64_t round = 0;
  for (;;) {
    client.Append({"XREADGROUP", "GROUP", "g", name, "COUNT", "10", "BLOCK", "50", "STREAMS", "events", ">"});
    const RedisReply reply = client.Receive();
    if (!reply) return;
    ++answers;
    if (reply->type == REDIS_REPLY_NIL) continue;
    RequireType(*reply, REDIS_REPLY_ARRAY);
    const redisReply& entries = ElementOf(ElementOf(*reply, 0), 1);
    std::vector<std::string> ids;
    for (size_t i = 0; i < entries.elements; ++i) {
      ids.emplace_back(TextOf(ElementOf(ElementOf(entries, i), 0)));
      delivered.insert(ids.back());
    }
    // Every third delivery stays pending; of the others each entry is acknowledged by a request of its own.
    if (++round % 3 == 0) continue;
    for (const std::string& id : ids) {
      client.Append({"XACK", "events", "g", id});
      ack_sent.insert(id);
    }
    for (const std::string& id : ids) {
      const RedisReply acked = client.Receive();
      if (!acked) return;
      RequireType(*acked, REDIS_REPLY_INTEGER);
      if (acked->integer != 1) throw std::runtime_error("XACK of a delivered entry answered something else than 1");
      ack_done.insert(id);
      ++answers;
    }
  }
}

void Buyer::Run(uint16_t port, std::atomic<uint64_t>& answers) {
  RedisClient client(port);
  for (;;) {
    uint64_t answered = next;
    for (uint64_t i = 0; i < kPipeline; ++i) {
      client.Append({"SECKILL.BUY", "item", name + "-" + std::to_string(next++)});
    }
    for (; answered < next; ++answered) {
      const RedisReply reply = client.Receive();
      if (!reply) return;
      RequireType(*reply, REDIS_REPLY_ARRAY);
      if (ElementOf(*reply, 0).integer != 0) throw std::runtime_error("a new user was refused a piece");
      bought.emplace(name + "-" + std::to_string(answered), TextOf(ElementOf(*reply, 1)));
      ++answers;
    }
  }
}

}  // namespace sluice::tests
