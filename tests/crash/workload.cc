#include "tests/crash/workload.h"

#include <iterator>
#include <ostream>
#include <random>
#include <sstream>
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
      if (acked->integer != 1)
        throw std::runtime_error("XACK of a delivered entry answered something else than 1");
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

std::ostream& operator<<(std::ostream& out, const Shelf& shelf) {
  out << shelf.entries.size() << " entries [";
  for (const uint64_t n : shelf.entries) out << ' ' << n;
  out << " ], delivered up to " << shelf.last_delivered << ", pending [";
  for (const auto& [n, consumer] : shelf.pending) out << ' ' << n << ':' << consumer;
  return out << " ]";
}

// Chooses a request and works out in `asked` what it leads to.
std::vector<std::string> Keeper::Decide(uint64_t random) {
  constexpr size_t kMostEntries = 60;
  const auto id = [](uint64_t n) { return std::to_string(n) + "-0"; };
  const auto any = [&](const auto& from) {
    return std::next(from.begin(), static_cast<long>(random % from.size()));
  };
  asked = answered;
  const uint64_t choice = random / 1000 % 12;
  if (choice == 0 && !asked.entries.empty()) {
    const auto entry = any(asked.entries);
    const std::string deleted = id(*entry);
    asked.entries.erase(entry);
    return {"XDEL", "shelf", deleted};
  }
  if (choice == 1 || asked.entries.size() > kMostEntries) {
    const size_t keep = random % kMostEntries;
    while (asked.entries.size() > keep) asked.entries.erase(asked.entries.begin());
    return {"XTRIM", "shelf", "MAXLEN", "=", std::to_string(keep)};
  }
  if (choice <= 4) {
    const std::string consumer = "k" + std::to_string(random % 3);
    uint64_t count = 3;
    for (auto entry = asked.entries.upper_bound(asked.last_delivered);
         entry != asked.entries.end() && count > 0; --count) {
      asked.pending[*entry] = consumer;
      asked.last_delivered = *entry++;
    }
    return {"XREADGROUP", "GROUP", "g", consumer, "COUNT", "3", "STREAMS", "shelf", ">"};
  }
  if (choice <= 7 && !asked.pending.empty()) {
    const auto pending = any(asked.pending);
    const uint64_t n = pending->first;
    if (choice == 7) {
      asked.pending.erase(pending);
      return {"XACK", "shelf", "g", id(n)};
    }
    // Who claims an entry that is deleted takes it off the list.
    const std::string consumer = "k" + std::to_string(random % 3);
    if (asked.entries.contains(n)) {
      asked.pending[n] = consumer;
    } else {
      asked.pending.erase(pending);
    }
    return {"XCLAIM", "shelf", "g", consumer, "0", id(n)};
  }
  asked.entries.insert(next);
  return {"XADD", "shelf", id(next++), "f", std::string(random % 300, 'x')};
}

void Keeper::Run(uint16_t port, std::atomic<uint64_t>& answers) {
  RedisClient client(port);
  std::mt19937_64 random(seed++);
  for (;;) {
    client.Append(Decide(random()));
    const RedisReply reply = client.Receive();
    if (!reply) return;
    if (reply->type == REDIS_REPLY_ERROR) throw std::runtime_error(std::string(TextOf(*reply)));
    answered = asked;
    ++answers;
  }
}

void Keeper::Compare(uint16_t port) {
  RedisClient client(port);
  const auto number = [](const redisReply& reply) { return ParseEntryId(std::string(TextOf(reply))).ms; };
  Shelf found;
  const RedisReply entries = client.Do({"XRANGE", "shelf", "-", "+"});
  for (size_t i = 0; i < entries->elements; ++i)
    found.entries.insert(number(ElementOf(ElementOf(*entries, i), 0)));
  const RedisReply groups = client.Do({"XINFO", "GROUPS", "shelf"});
  const redisReply& group = ElementOf(*groups, 0);
  for (size_t i = 0; i + 1 < group.elements; i += 2) {
    if (TextOf(ElementOf(group, i)) == "last-delivered-id")
      found.last_delivered = number(ElementOf(group, i + 1));
  }
  const RedisReply rows = client.Do({"XPENDING", "shelf", "g", "-", "+", "1000000"});
  for (size_t i = 0; i < rows->elements; ++i) {
    const redisReply& row = ElementOf(*rows, i);
    found.pending.emplace(number(ElementOf(row, 0)), TextOf(ElementOf(row, 1)));
  }
  if (found == answered || found == asked) {
    answered = asked = found;
    return;
  }
  std::ostringstream text;
  text << "the shelf has " << found << "\nand should have " << answered << "\nor " << asked;
  throw std::runtime_error(text.str());
}

}  // namespace sluice::tests
